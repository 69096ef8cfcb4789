// Package processtest has tests start other processes, which use the same database: this test binary again, with a task
// in its environment.
//
//	func TestMain(m *testing.M) { processtest.Main(m, task.run, servertest.Stop) }
//
//	func TestProcesses(t *testing.T) {
//		p := processtest.Start(t, time.Minute, task{...})
//		_, err := p.Hear("ready")
//		require.NoError(t, err)
//		...
//		require.NoError(t, p.Close())
//		require.NoError(t, p.Wait())
//	}
//
// A process writes lines to its standard output, which Hear waits for, and reads those of Tell from its standard input. It
// is to end when that does, which happens too if the test dies. No wait is for ever: a process is killed when it has
// worked for longer than its limit, and who waits for it is told so.
package processtest
