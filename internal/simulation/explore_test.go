package simulation

import (
	"errors"
	"testing"
	"time"
)

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

// A search by time ends with the deepest one that was whole, and counts what it
// saw of each kind of gateway.
func TestSmallWorldsByTime(t *testing.T) {
	found, err := ExploreFor(t.Context(), 200*time.Millisecond)
	if errors.Is(err, errTimeOver) {
		t.Skip("not even one event could be tried in the time")
	}
	if err != nil || found.Depth < 1 || found.States == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	sum := 0
	for _, s := range found.Shapes {
		sum += s.States
		if s.States == 0 {
			t.Errorf("nothing was seen of %q", s.Name)
		}
	}
	if sum != found.States {
		t.Errorf("%d states in all, %d of the shapes together", found.States, sum)
	}
}
