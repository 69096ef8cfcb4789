// Package servertest starts throw-away database servers for tests, from the programs that are on the machine.
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		servertest.Stop()
//		os.Exit(code)
//	}
//
//	func TestOrders(t *testing.T) {
//		for _, engine := range servertest.Engines() {
//			t.Run(engine, func(t *testing.T) {
//				handle := servertest.Fresh(t, engine).Open(t)
//				...
//			})
//		}
//	}
//
// Each server lives in a temporary folder of its own and is reached by a socket in there, never through the network. It
// runs as another user where the tests run as root, which servers refuse. What is running on the machine already is
// neither used nor disturbed.
//
// The servers are unfriendly on purpose, so that nothing comes to rely on kind defaults: texts sort and compare otherwise
// than by their bytes wherever a column doesn't ask for bytes, the time zone is far from UTC, and MariaDB and MySQL start
// transactions in REPEATABLE READ.
//
// ROSTER_TEST_POSTGRES names an existing server instead, by any data source of pgx, and ROSTER_TEST_MYSQL by one of
// go-sql-driver; their users must be allowed to make databases. Where there is neither a variable nor the programs, tests
// are skipped, or fail if ROSTER_TEST_ALL is set.
package servertest
