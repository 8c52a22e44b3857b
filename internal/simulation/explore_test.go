package simulation

import "testing"

// Every interleaving of one sale with a few events keeps the promises, and from
// every state the end comes once the trouble is over.
func TestSmallWorlds(t *testing.T) {
	depth, least := 4, 15_000
	if raceEnabled {
		depth, least = 3, 3500
	}
	found, err := Explore(t.Context(), depth)
	if err != nil {
		t.Fatal(err)
	}
	if found.States < least || found.Healed == 0 {
		t.Errorf("only %+v was found: the search has lost its way", found)
	}
	t.Logf("%+v", found)
}
