// Package devicetest holds a virtual serial scanner on a pseudo-terminal. Tests
// use it, and so does the program's demonstration: nothing here needs package
// testing. The suite that every scanner driver passes is in
// devicetest/conformance.
package devicetest
