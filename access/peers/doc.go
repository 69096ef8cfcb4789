// Package peers measures checks of roster beside those of other libraries, on the same memberships and with the same
// questions. It is a module of its own, so that nobody who imports roster downloads them. The figures are in
// access/BENCHMARKS.md, which "make benchmarks" writes.
package peers
