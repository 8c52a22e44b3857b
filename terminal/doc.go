// Package terminal runs one shop counter: at most one live sale at a time, and
// every older one until its truth is known.
//
// Engine is the reactor: Turn takes inputs at a time, lets payment.Step decide,
// commits everything in one go and starts the calls that were decided. It has no
// goroutine, clock, channel, context or randomness inside. Terminal is the loop
// around it: the single writer, with one timer at the earliest due time.
// Goroutines and HTTP are in Calls, the Executor.
package terminal
