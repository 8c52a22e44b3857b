package memory_test

import (
	"testing"
	"time"

	"payscand/payment"
	"payscand/store"
	"payscand/store/memory"
	"payscand/store/storetest"
)

// The suite opens a folder again after it closed the store: here that is a
// clone, so that all of the suite holds for clones too.
func TestStore(t *testing.T) {
	made := map[string]*memory.Store{}
	storetest.Run(t, func(dir string) (storetest.Store, error) {
		s := made[dir]
		if s == nil {
			s = memory.New("epoch")
		} else {
			s = s.Clone()
		}
		made[dir] = s
		return s, nil
	})
}

// What happens to a store does not reach its clone, and the other way round.
func TestCloneGoesItsOwnWay(t *testing.T) {
	till := storetest.NewTill()
	first := memory.New("epoch")
	made, other, third := till.Created(), till.Created(), till.Created()
	commit(t, first, made, other, third)
	second := first.Clone()
	inFirst, inSecond := till.Cancelled(made.After), till.Submitted(made.After, "alphapay", "281234567890123456")
	commit(t, first, inFirst)
	commit(t, second, inSecond)
	for _, test := range []struct {
		s    *memory.Store
		want payment.Sale
		open int
	}{{first, inFirst.After, 2}, {second, inSecond.After, 3}} {
		got, err := test.s.Sale(made.After.ID)
		if diff := storetest.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		open, err := test.s.Open("", 0)
		if len(open) != test.open || err != nil {
			t.Errorf("%d open sales, %v; want %d", len(open), err, test.open)
		}
		due, err := test.s.Due("", till.Now().Add(time.Hour), 0)
		if diff := storetest.Diff([]string{other.After.ID, third.After.ID}, due); err != nil || diff != "" {
			t.Errorf("due: %v (-want +got)\n%s", err, diff)
		}
		records, err := test.s.Journal(3, 0)
		if len(records) != 1 || err != nil || string(records[0].Type) != "sale."+string(test.want.Status) {
			t.Errorf("the journal goes on with %+v, %v", records, err)
		}
		if _, err := store.VerifyChain(test.s); err != nil {
			t.Error(err)
		}
	}
}

func commit(t testing.TB, s *memory.Store, changes ...payment.Change) {
	t.Helper()
	if err := s.Commit(changes); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCommit counts changes: a sale's life is four commits.
func BenchmarkCommit(b *testing.B) {
	s, till := memory.New("epoch"), storetest.NewTill()
	var lives [][]payment.Change
	for range b.N/4 + 1 {
		made := till.Created()
		submitted := till.Submitted(made.After, "alphapay", "281234567890123456")
		wiped := till.Wiped(submitted.After)
		lives = append(lives, []payment.Change{made, submitted, wiped, till.Paid(wiped.After)})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, life := range lives {
		for i := range life {
			commit(b, s, life[i:i+1]...)
		}
	}
}
