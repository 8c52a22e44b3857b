// Package soak shows on the real program, the real database file and a real file
// system what the simulator shows on models: every crash point of recorded runs,
// every failing system call of a sale, a daemon that is killed again and again
// while sales and refunds are under way, and a day of ten thousand sales.
//
// Each campaign returns what it counted; what it found wrong is an error that
// says so. Report prints them as one table.
package soak
