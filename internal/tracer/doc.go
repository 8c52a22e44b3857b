// Package tracer runs a program under ptrace, follows the system calls by which
// it changes the files of one folder, and records them in order, or makes chosen
// ones fail. It needs no root: a process may trace its own children.
//
// strace can do both, but counts the calls to fail per thread; a Go program's
// calls wander between threads, so that "the third fdatasync" needs one count for
// all of them.
package tracer
