// Package peers measures the outbox of roster on each engine, and beside it River, a queue of jobs on PostgreSQL, with the
// same mails on the same server. It is a module of its own, so that nobody who imports roster downloads it. The figures are
// in notify/BENCHMARKS.md, which "make benchmarks" writes.
package peers
