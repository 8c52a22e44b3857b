//go:build race

package simulation

// raceEnabled: the race detector makes everything some ten times slower.
const raceEnabled = true
