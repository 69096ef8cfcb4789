// Package benchtest is what checks are measured with: memberships, questions about them, and the answers of a bare map, of a
// Cache and of a grant in hand. The benchmarks of access use it, and those of access/peers, which measure other libraries
// on the same data.
package benchtest
