package sandbox

import (
	"fmt"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// However often the gateway is started again, its state file brings no more orders
// back than it keeps, and none that made room.
func TestStateIsBounded(t *testing.T) {
	path := t.TempDir() + "/state"
	n, clock := 0, newClock()
	again := func(c *Config) { c.State, c.MaxOrders, c.Clock = path, 3, clock.Now }
	for start := range 3 {
		p := newPractice(t, again)
		if kept := len(p.Orders()); kept > 3 {
			t.Fatalf("start %d brought %d orders back, want at most 3", start+1, kept)
		}
		for range 10 {
			n++
			p.clock = clock
			p.pay(fmt.Sprintf("R-%d", n), []string{"00", "01"}[n%2]) // the file's last word of each second one is that it waits
			clock.advance(3 * time.Second)
		}
		if _, err := p.Order(fmt.Sprintf("R-%d", n-3)); err == nil || len(p.Orders()) != 3 {
			t.Fatalf("kept after start %d: %+v", start+1, p.Orders())
		}
	}
	q := newPractice(t, again)
	if orders := q.Orders(); len(orders) != 3 || orders[0].RequestID != fmt.Sprintf("R-%d", n) {
		t.Errorf("brought back: %+v", orders)
	}
}

// A gateway that is started again on its state file uses no nonce twice: who checks
// the answers' nonces would take them for replays.
func TestNoncesAfterRestart(t *testing.T) {
	path := t.TempDir() + "/state"
	seen := map[string]bool{}
	clock := newClock()
	for range 2 {
		p := newPractice(t, func(c *Config) { c.State, c.Seed, c.Clock = path, "", clock.Now })
		p.clock = clock
		for n := range 3 {
			response, err := p.http.Do(p.request(inquiryPath, idBody(fmt.Sprint("R-", n))))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if nonce := response.Header.Get("Nonce"); len(nonce) != nonceLength || seen[nonce] {
				t.Errorf("nonce %q, known: %v", nonce, seen[nonce])
			} else {
				seen[nonce] = true
			}
		}
		clock.advance(1)
	}
}

// A try of a notification ends while another order has taken the place of its own,
// under the same request id: that one's notifications are no business of it.
func TestDeliveryOfAnOrderThatMadeRoom(t *testing.T) {
	p := newPlus(t, func(c *Config) { c.MaxOrders = 1 })
	p.notified("R-1", "00", "http://127.0.0.1:1/notify")
	due := p.ledger.dueDeliveries(p.clock.Now(), 1)
	if len(due) != 1 {
		t.Fatalf("%d deliveries", len(due))
	}
	p.scan("R-2", "00")
	p.clock.advance(1_000_000)
	p.scan("R-1", "00")
	if _, err := p.ledger.delivered(p.clock.Now(), due[0], nil); err == nil || len(p.truth("R-1").Notifications) != 0 {
		t.Errorf("%v, %+v", err, p.truth("R-1"))
	}
}

// What could not be written whole, on a full disk, is written as soon as there is
// room: the file stays one that can be read.
func TestStateOnAFullDisk(t *testing.T) {
	path := t.TempDir() + "/state"
	keep := func(c *Config) { c.State = path }
	p := newPractice(t, keep)
	p.pay("R-1", "00")
	full(t, int64(len(readFile(t, path)))+100, func() { p.pay("R-2", "00") })
	p.pay("R-3", "00")
	if orders := newPractice(t, keep).Orders(); len(orders) != 3 || orders[1].Status != StatusPaid {
		t.Errorf("brought back: %+v", orders)
	}
}

// full does something while no file of this process can grow beyond size.
func full(t *testing.T, size int64, do func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limited := before
	limited.Cur = uint64(size)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Fatal(err)
	}
	do()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
}
