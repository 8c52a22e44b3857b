package terminal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// syncingStore holds records that the disk has not synced yet: they can be read,
// but the head does not count them.
type syncingStore struct {
	*memory.Store
	unsynced uint64
}

func (s *syncingStore) Head() (seq uint64, epoch string) {
	seq, epoch = s.Store.Head()
	return seq - s.unsynced, epoch
}

// Every record of the journal can be read once it is durable and not before,
// page by page, whatever the limit.
func TestJournalEndsAtTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &syncingStore{Store: memory.New("e")}
		tm, end := run(t, terminal.Config{Store: store}, &fakeGateway{answer: paidAnswer})
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		all, epoch := tm.Head()
		if all < 3 || epoch != "e" {
			t.Fatalf("%d records of epoch %q", all, epoch)
		}
		for store.unsynced = range all + 1 {
			head, _ := tm.Head()
			for _, limit := range []int{1, 2, 256} {
				var seq uint64
				for page := readPage(t, tm, seq, limit); len(page) > 0; page = readPage(t, tm, seq, limit) {
					for _, r := range page {
						if seq++; r.Seq != seq {
							t.Fatalf("record %d came, want %d", r.Seq, seq)
						}
					}
				}
				if seq != head {
					t.Errorf("%d records by pages of %d, %d are durable", seq, limit, head)
				}
			}
			if beyond := readPage(t, tm, all+1, 256); len(beyond) != 0 {
				t.Errorf("%d records beyond the end", len(beyond))
			}
		}
	})
}

func readPage(t *testing.T, tm *terminal.Terminal, after uint64, limit int) []payment.JournalRecord {
	t.Helper()
	page, err := tm.Journal(after, limit)
	if err != nil || len(page) > limit {
		t.Fatalf("%d records after %d, %v; want at most %d", len(page), after, err, limit)
	}
	return page
}

// Whoever waits for commits is woken for each, once for several while it does
// not look, and no more after stop.
func TestCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tm, end := run(t, terminal.Config{Store: memory.New("e")}, &fakeGateway{answer: paidAnswer})
		committed, stop := tm.Committed()
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.Cancel(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if woken := taken(committed); woken != 1 {
			t.Errorf("woken %d times for two commits that nobody looked at", woken)
		}
		seen, _ := tm.Head()
		deadline := time.After(time.Hour) // of the bubble's clock
		second := newSale
		second.Key = "second"
		if s, _, err = tm.CreateSale(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		for paid := false; !paid; {
			select {
			case <-committed:
			case <-deadline:
				t.Fatal("never woken for the payment")
			}
			for _, r := range readPage(t, tm, seen, 256) {
				seen, paid = r.Seq, r.Type == "sale.paid"
			}
		}
		stop()
		taken(committed)
		third := newSale
		third.Key = "third"
		if _, _, err := tm.CreateSale(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if woken := taken(committed); woken != 0 {
			t.Errorf("woken %d times after stop", woken)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func taken(c <-chan struct{}) (values int) {
	for {
		select {
		case <-c:
			values++
		default:
			return values
		}
	}
}
