package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// Kills is the campaign in which the daemon is killed at random moments while
// sales, QRs, switches, cancels and refunds are under way and the gateways fail.
// Afterwards the faults end, and everything must be decided, once, and to the cent.
type Kills struct {
	Setting
	Kills int
	// Speed is by how much the money rules' pauses are divided.
	Speed int
	// SettleEvery so many kills the faults end and all must be decided, and once more
	// at the end.
	SettleEvery int
	// Bound is how long that may take.
	Bound time.Duration
}

// KillResult is what the campaign counted.
type KillResult struct {
	settled
	Kills, Events, Faults int
	// Hit counts the kills that hit each status that a sale or a refund can be in
	// before it is over, and those that hit a start.
	Hit map[string]int
	// Resolved are the times from the last restart until sales that were open at a
	// kill became final, sorted.
	Resolved []time.Duration
	Speed    int
}

// enoughKills hit each status.
const enoughKills = 200

// Resolution returns a quantile of Resolved.
func (r KillResult) Resolution(q float64) time.Duration {
	if len(r.Resolved) == 0 {
		return 0
	}
	return r.Resolved[min(len(r.Resolved)-1, int(q*float64(len(r.Resolved))))]
}

// Run runs the campaign.
func (c Kills) Run(ctx context.Context) (r KillResult, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sh, err := openShop(ctx, c.Setting, c.Speed, "", "")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, sh.close()) }()
	r.Speed, r.Hit = c.Speed, make(map[string]int)
	t, err := sh.Register.Terminal(ctx)
	if err != nil {
		return r, err
	}
	day, events := newVisits(c.Setting, sh), newStream(t.LastEventID)
	following, failed := make(chan error, 1), make(chan error, 1)
	go func() {
		err := events.follow(ctx, sh.Register)
		following <- err
		if err != nil {
			cancel()
		}
	}()
	random := rand.New(rand.NewPCG(c.Seed, 2)) //nolint:gosec // repeatable
	var restarts []time.Time
	for r.Kills < c.Kills {
		visiting, stop := context.WithCancel(ctx)
		var others sync.WaitGroup
		others.Go(func() {
			for visiting.Err() == nil {
				if err := day.visit(visiting); err != nil && visiting.Err() == nil {
					failed <- err
					cancel()
					return
				}
			}
		})
		others.Go(func() { r.Faults += c.spoil(visiting, sh) })
		err := c.killing(ctx, sh, random, events, &r, &restarts)
		stop()
		others.Wait()
		select {
		case err = <-failed:
		default:
		}
		if err == nil {
			err = sh.heal()
		}
		if err == nil {
			r.settled, err = sh.settle(ctx, c.Bound)
		}
		if err != nil {
			return r, errors.Join(err, streamError(following))
		}
		c.log("%d kills: %+v", r.Kills, r.settled)
	}
	if err := events.caughtUp(ctx, sh); err != nil {
		return r, errors.Join(err, streamError(following))
	}
	r.Events, r.Resolved = events.events, resolved(events, restarts)
	return r, errors.Join(c.inspect(sh, r), r.enough())
}

// enough: where nothing is taken, given back or left open, nothing can be lost.
func (r KillResult) enough() error {
	if r.Paid == 0 || r.Captures == 0 || r.Refunds == 0 || len(r.Resolved) == 0 {
		return fmt.Errorf("too little happened to prove anything: %d paid, %d captures, %d refunds, %d sales that were open at a kill",
			r.Paid, r.Captures, r.Refunds, len(r.Resolved))
	}
	return nil
}

func streamError(following <-chan error) error {
	select {
	case err := <-following:
		return err
	default:
		return nil
	}
}

// killing kills the daemon until the next settling, now and then while it starts.
func (c Kills) killing(ctx context.Context, sh *shop, random *rand.Rand, events *stream, r *KillResult, restarts *[]time.Time) error {
	for until := min(r.Kills+c.SettleEvery, c.Kills); r.Kills < until; {
		if err := c.moment(ctx, random, events, r.Hit); err != nil {
			return err
		}
		events.hit(r.Hit)
		sh.KillDaemon()
		r.Kills++
		if random.IntN(4) == 0 {
			if err := pause(ctx, time.Duration(random.IntN(300))*time.Millisecond); err != nil {
				return err
			}
		}
		for ; r.Kills < until && random.IntN(6) == 0; r.Kills++ {
			if err := sh.LaunchDaemon(); err != nil {
				return err
			}
			if err := pause(ctx, time.Duration(random.IntN(150))*time.Millisecond); err != nil {
				return err
			}
			r.Hit[aStart]++
			sh.KillDaemon()
		}
		*restarts = append(*restarts, time.Now())
		if err := sh.StartDaemon(ctx); err != nil {
			return err
		}
	}
	return c.quiet(sh)
}

const aStart = "a start"

// statuses are what a kill can hit. Most of them pass too soon to be hit by chance.
var statuses = []string{
	"awaiting_code", "processing", "showing_qr", "switching", "cancelling", "unresolved", "refund submitting", "refund pending", "refund unknown",
}

// moment waits for the next kill: any moment, or one soon after the status was told
// that was hit least.
func (c Kills) moment(ctx context.Context, random *rand.Rand, events *stream, hit map[string]int) error {
	if random.IntN(2) == 0 {
		return pause(ctx, time.Duration(20+random.IntN(900))*time.Millisecond)
	}
	least := slices.MinFunc(statuses, func(a, b string) int { return hit[a] - hit[b] })
	if err := events.await(ctx, least, 3*time.Second); err != nil {
		return err
	}
	return pause(ctx, time.Duration(random.IntN(12))*time.Millisecond)
}

// quiet: the daemon said nothing that a defect says.
func (c Kills) quiet(sh *shop) error {
	said, err := os.ReadFile(sh.DaemonLog())
	if err == nil && (bytes.Contains(said, []byte("panic")) || bytes.Contains(said, []byte("DATA RACE"))) {
		return fmt.Errorf("the daemon said:\n%s", counter.Tail(sh.DaemonLog(), 100))
	}
	return err
}

// spoil sets faults at the gateways until ctx ends.
func (c Kills) spoil(ctx context.Context, sh *shop) (set int) {
	random := rand.New(rand.NewPCG(c.Seed, 3)) //nolint:gosec // repeatable
	for {
		if pause(ctx, time.Duration(50+random.IntN(400))*time.Millisecond) != nil {
			return set
		}
		l := pick(random, sh.ledgers)
		body := map[string]any{}
		if random.IntN(12) == 0 {
			body["down"] = true
		} else {
			fault := map[string]any{"path": "*", "times": 1 + random.IntN(2), "kind": pick(random, []string{"drop", "cut", "delay", "late", "status"})}
			switch fault["kind"] {
			case "delay", "late":
				fault["delay_ms"] = 1 + random.IntN(800)
			case "status":
				fault["status"] = pick(random, []int{429, 500, 502, 503})
			}
			body["faults"] = []any{fault}
		}
		text, _ := json.Marshal(body) //nolint:errchkjson // words and numbers
		if l.Faults(string(text)) == nil {
			set++
		}
		if body["down"] == true {
			if pause(ctx, time.Duration(200+random.IntN(600))*time.Millisecond) != nil {
				return set
			}
			_ = l.Faults(`{"down": false}`)
		}
	}
}

// resolved lists how long sales that were open over a restart took after the last one.
func resolved(events *stream, restarts []time.Time) (times []time.Duration) {
	events.mu.Lock()
	defer events.mu.Unlock()
	for id, ended := range events.ended {
		created := events.sales[id].CreatedAt
		for _, restart := range slices.Backward(restarts) {
			if restart.Before(ended) {
				if created.Before(restart) {
					times = append(times, ended.Sub(restart).Round(time.Millisecond))
				}
				break
			}
		}
	}
	slices.Sort(times)
	return times
}

// inspect reads the database that the campaign left.
func (c Kills) inspect(sh *shop, r KillResult) error {
	if err := sh.StopDaemon(); err != nil {
		return err
	}
	all, err := readWhole(sh.Database())
	switch {
	case err != nil:
		return err
	case len(all.sales) != r.Sales:
		return fmt.Errorf("the database holds %d sales, the API told of %d", len(all.sales), r.Sales)
	case r.Difference != 0:
		return fmt.Errorf("the books differ by %d", r.Difference)
	}
	for _, status := range append(statuses, aStart) {
		if r.Kills >= enoughKills && r.Hit[status] == 0 {
			return fmt.Errorf("none of %d kills hit %s", r.Kills, status)
		}
	}
	for _, s := range all.sales {
		captured := 0
		for _, a := range s.Attempts {
			if !a.Code.IsZero() && s.Status.Final() {
				return fmt.Errorf("sale %s is over, and a code of it is still kept", s.ID)
			}
			if a.Status == "paid" {
				captured++
			}
		}
		if captured > 1 {
			return fmt.Errorf("sale %s is paid %d times", s.ID, captured)
		}
	}
	return nil
}

// sameSale compares as JSON: an empty list and none are the same there.
func sameSale(a, b client.Sale) bool {
	one, err1 := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(one, two)
}
