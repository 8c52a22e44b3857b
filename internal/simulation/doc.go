// Package simulation proves the money rules by playing counter days in virtual
// time: the real terminal.Engine and payment.Step over a store in memory, with
// everything around them replaced by models that one seeded event queue drives.
// There is the clock, the disk, the network, the gateway, the customer, the
// cashier, and crashes. Nothing here has a goroutine, a wall clock or a map
// whose order matters, so a seed and a commit give the same run each time.
//
// A run is a function of its decisions (see decider). Each is named by what it
// is about, so that taking one away leaves the others as they were: a failing
// run is shrunk to the few decisions that it needs, and told as a story.
//
// The oracle holds every commit and every call against the promises, with the
// gateway model's knowledge of every capture. Then the faults heal, and every
// attempt must become final within a bound that is computed from the policy.
// What the rules do not solve yet is excused by name (see excuse), counted and
// printed: nothing else is.
//
// Small worlds (see Explore) leave nothing to chance: all interleavings of one
// sale with a few events, answers and crashes.
package simulation
