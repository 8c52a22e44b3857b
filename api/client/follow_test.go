package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/api/client"
	"payscand/store"
)

// A reader whose connection breaks at random bytes, that itself stops and begins
// anew at random events, sees every record of the journal once and in order,
// while 200 sales are made and the terminal is restarted in the middle of some.
// Folded, what it saw is every sale as the API answers it.
func TestReaderSeesEveryRecordOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { followSales(t, 200, rand.New(rand.NewPCG(1, 0))) })
}

func followSales(t *testing.T, count int, random *rand.Rand) {
	s := &shop{dir: memoryDir(t), gateway: &gateway{random: rand.New(rand.NewPCG(random.Uint64(), 0)), inquiries: make(map[string]int)}}
	s.open(t)
	t.Cleanup(func() { s.stop(t) })
	register := s.network.client(t, func() int { return 0 })
	reader := startReader(t, &s.network, rand.New(rand.NewPCG(random.Uint64(), 0)))
	var sales []string
	for n := range count {
		sales = append(sales, sell(t, s, register, n, random))
	}
	head, epoch := s.db.Head()
	seen := reader.stopAt(t, fmt.Sprintf("%s-%d", epoch, head))
	compareJournal(t, s.db, seen)
	folded := make(map[string]client.Sale)
	for _, e := range seen {
		if e.Sale == "" {
			continue
		}
		sale, err := folded[e.Sale].Fold(e)
		if err != nil {
			t.Fatal(err)
		}
		folded[e.Sale] = sale
	}
	statuses, refunded := make(map[client.SaleStatus]int), 0
	for _, id := range sales {
		want, err := register.GetSale(t.Context(), id)
		if diff := cmp.Diff(want, folded[id]); err != nil || diff != "" {
			t.Errorf("%v, (-GET +folded)\n%s", err, diff)
		}
		statuses[want.Status]++
		if want.RefundedAmount > 0 {
			refunded++
		}
	}
	if refunded == 0 || statuses[client.StatusPaid] == 0 || statuses[client.StatusCancelled] == 0 || reader.streams < 20 || reader.begun < 5 {
		t.Errorf("too little happened: %v, %d refunded, %d streams, begun %d times", statuses, refunded, reader.streams, reader.begun)
	}
	t.Logf("%d records, %v, %d refunded; %d streams, begun %d times", len(seen), statuses, refunded, reader.streams, reader.begun)
}

// sell makes one sale and brings it to its end; the terminal may be
// restarted on the way.
func sell(t *testing.T, s *shop, register *client.Client, n int, random *rand.Rand) string {
	t.Helper()
	wanted := client.NewSale{Amount: int64(1000 + 10*n + random.IntN(behaviours)), Currency: "CAD", Mode: client.ModeScan}
	if random.IntN(4) == 0 {
		wanted.Mode = client.ModeQR
	}
	sale, _, err := register.CreateSale(t.Context(), fmt.Sprint("key ", n), wanted)
	for isDown(err) {
		<-time.After(time.Second) // of the bubble's clock: after a restart, or a long silence, it has to be proved
		sale, _, err = register.CreateSale(t.Context(), fmt.Sprint("key ", n), wanted)
	}
	if err != nil {
		t.Fatal(err)
	}
	if wanted.Mode == client.ModeScan {
		if sale, err = register.PostCode(t.Context(), sale.ID, fmt.Sprintf("28%016d", n)); err != nil {
			t.Fatal(err)
		}
	}
	if random.IntN(40) == 0 {
		register.Close()
		s.stop(t)
		s.open(t)
	}
	cancelled := false
	for deadline := time.Now().Add(time.Hour); !sale.Final() && time.Now().Before(deadline); {
		switch {
		case !cancelled && (sale.Status == client.StatusAwaitingCode || wanted.Amount%10 == waitsForever):
			cancelled = true
			sale, err = register.Cancel(t.Context(), sale.ID)
		default:
			sale, err = register.WaitSale(t.Context(), sale.ID, sale.Version, 5*time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !sale.Final() {
		t.Fatalf("after an hour: %+v", sale)
	}
	if sale.Status == client.StatusPaid && random.IntN(2) == 0 {
		giveBack(t, register, sale, random.Int64N(2)*100)
	}
	return sale.ID
}

func isDown(err error) bool {
	problem := new(client.Problem)
	return errors.As(err, &problem) && problem.Code == client.CodeGatewayDown
}

// giveBack refunds an amount of a paid sale, 0 for all of it, and waits for that.
func giveBack(t *testing.T, register *client.Client, sale client.Sale, amount int64) {
	t.Helper()
	wanted := client.NewRefund{Amount: amount, Reason: "returned"}
	refund, _, err := register.Refund(t.Context(), sale.ID, "refund "+sale.ID, wanted)
	for isDown(err) {
		<-time.After(time.Second) // of the bubble's clock
		refund, _, err = register.Refund(t.Context(), sale.ID, "refund "+sale.ID, wanted)
	}
	for deadline := time.Now().Add(time.Hour); err == nil && !refund.Final() && time.Now().Before(deadline); {
		refund, err = register.WaitRefund(t.Context(), sale.ID, refund.N, refund.Version, 5*time.Second)
	}
	if amount == 0 {
		amount = sale.Receipt.PaidAmount
	}
	if err != nil || refund.Status != client.RefundSucceeded || refund.Amount != amount || refund.Note != "returned" {
		t.Fatalf("%v, %+v", err, refund)
	}
}

// memoryDir is a folder in memory, where there is one: some thousand commits wait
// long for a disk, and it is not what is tested here.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "payscand-test-") //nolint:usetesting // that one is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// compareJournal holds what was seen against the whole journal.
func compareJournal(t *testing.T, db *store.DB, seen []client.Event) {
	t.Helper()
	_, epoch := db.Head()
	for n := 0; n < len(seen); {
		page, err := db.Journal(uint64(n), store.MaxPage)
		if err != nil || len(page) == 0 {
			t.Fatalf("journal after %d: %d records, %v", n, len(page), err)
		}
		for _, r := range page[:min(len(page), len(seen)-n)] {
			e := seen[n]
			n++
			if e.ID != fmt.Sprintf("%s-%d", epoch, n) || e.Type != string(r.Type) || e.Sale != r.Sale || e.Version != r.Version || !e.At.Equal(r.At) || (e.Sale == "") != (len(e.Fields) == 0) {
				t.Fatalf("record %d is %+v, seen as %+v", n, r, e)
			}
		}
	}
}

// reader follows events on a connection that breaks, and begins anew at random.
type reader struct {
	client *client.Client
	random *rand.Rand
	ended  chan error
	grown  chan struct{} // one waits when seen has grown

	mu             sync.Mutex
	seen           []client.Event
	begun, streams int
}

// startReader begins at the beginning of the journal.
func startReader(t *testing.T, n *network, random *rand.Rand) *reader {
	t.Helper()
	r := &reader{random: random, ended: make(chan error, 1), grown: make(chan struct{}, 1)}
	cuts := rand.New(rand.NewPCG(random.Uint64(), 0))
	r.client = n.client(t, func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.streams++
		return cuts.IntN(20_000) // mostly within an event, sometimes within the head of the answer
	})
	state, err := n.client(t, func() int { return 0 }).Terminal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	epoch, _, _ := strings.Cut(state.LastEventID, "-")
	go func() { r.ended <- r.run(t.Context(), epoch+"-0") }()
	return r
}

var errAnew = errors.New("begin anew")

func (r *reader) run(ctx context.Context, lastID string) error {
	for {
		r.mu.Lock()
		r.begun++
		r.mu.Unlock()
		err := r.client.Events(ctx, lastID, func(e client.Event) error {
			if r.random.IntN(30) == 0 {
				return errAnew // before the event is dealt with: it comes again
			}
			lastID = e.ID
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seen = append(r.seen, e)
			select {
			case r.grown <- struct{}{}:
			default:
			}
			return nil
		})
		if !errors.Is(err, errAnew) {
			return err
		}
	}
}

// stopAt returns what was seen up to an event, which must come within a minute.
func (r *reader) stopAt(t *testing.T, id string) []client.Event {
	t.Helper()
	late := time.After(time.Minute) // of the bubble's clock
	for {
		r.mu.Lock()
		seen := r.seen
		r.mu.Unlock()
		if len(seen) > 0 && seen[len(seen)-1].ID == id {
			r.client.Close()
			return seen
		}
		select {
		case <-r.grown:
		case err := <-r.ended:
			t.Fatal(err)
		case <-late:
			t.Fatalf("%s did not come; %d events did", id, len(seen))
		}
	}
}
