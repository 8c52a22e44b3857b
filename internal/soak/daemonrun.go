package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"payscand/api/client"
	"payscand/internal/crash"
	"payscand/internal/tracer"
)

// recordDaemon records the real daemon from its first start on: sales of all
// kinds, a refund, and an event stream that is read meanwhile.
func recordDaemon(ctx context.Context, s Setting, sales int) (run crash.Run, err error) {
	sh, err := openShop(ctx, s, 20, "", "")
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, sh.close()) }()
	if err := errors.Join(sh.StopDaemon(), os.Remove(sh.Database())); err != nil {
		return run, err
	}
	t := trace{dir: sh.dir, record: sh.dir + ".ops"}
	if err := sh.StartDaemon(ctx, t.command()...); err != nil {
		return run, err
	}
	if err := sh.AwaitReady(ctx); err != nil {
		return run, err
	}
	listening, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_ = sh.Register.Events(listening, "", func(client.Event) error { return nil })
	}()
	day := newVisits(s, sh)
	day.mix = tracedMix
	for range sales {
		if err := day.visit(ctx); err != nil {
			return run, err
		}
	}
	stop()
	if err := sh.StopDaemon(); err != nil {
		return run, err
	}
	run, _ = storeRun(sh.dir)
	if run.Ops, err = t.load(); err != nil {
		return run, err
	}
	all, err := readWhole(sh.Database())
	if err != nil {
		return run, err
	}
	run.Judge = func() crash.Judge { return newDaemonJudge(all) }
	return run, saidEnough(run, newDaemonJudge(all))
}

// saidEnough: a judge that was told nothing would find everything right.
func saidEnough(run crash.Run, j *daemonJudge) error {
	for _, op := range run.Ops {
		if op.Kind == tracer.Said {
			j.Said(op.Data)
		}
	}
	if len(j.sales) == 0 || j.seq == 0 || len(j.requests) == 0 {
		return fmt.Errorf("the recorded daemon told of %d sales and %d events, and sent %d requests", len(j.sales), j.seq, len(j.requests))
	}
	return nil
}

// daemonJudge: the database opens and is whole, its journal is how the run's began,
// every answer and event that left the daemon is still true (P6), and every request
// that left for a gateway is known (P1).
type daemonJudge struct {
	all      contents         // as the run left it
	sales    map[string]int64 // version that the register was told, by sale
	requests map[string]bool  // that a gateway was sent
	seq      uint64           // of the last event that was told
	checks   int
}

func newDaemonJudge(all contents) *daemonJudge {
	return &daemonJudge{all: all, sales: make(map[string]int64), requests: make(map[string]bool)}
}

var (
	toldSale   = regexp.MustCompile(`"id":"([0-9A-Z]{26})","version":([0-9]+),`)
	toldRefund = regexp.MustCompile(`"sale":"([0-9A-Z]{26})","version":([0-9]+),`)
	toldEvent  = regexp.MustCompile(`(?m)^id: ?[0-9A-Z]{26}-([0-9]+)`)
	// sentRequest leaves out the probe, whose id is made up and of no sale.
	sentRequest = regexp.MustCompile(`"(?:paymentRequestId|refundRequestId)":"([0-9A-Z]{26}-[^"]+)"`)
)

func (j *daemonJudge) Said(data []byte) {
	for _, pattern := range []*regexp.Regexp{toldSale, toldRefund} {
		for _, match := range pattern.FindAllSubmatch(data, -1) {
			version, _ := strconv.ParseInt(string(match[2]), 10, 64)
			j.sales[string(match[1])] = max(j.sales[string(match[1])], version)
		}
	}
	for _, match := range toldEvent.FindAllSubmatch(data, -1) {
		seq, _ := strconv.ParseUint(string(match[1]), 10, 64)
		j.seq = max(j.seq, seq)
	}
	if !bytes.HasPrefix(data, []byte("HTTP/")) {
		for _, match := range sentRequest.FindAllSubmatch(data, -1) {
			j.requests[string(match[1])] = true
		}
	}
}

func (j *daemonJudge) Check(dir string) error {
	path := filepath.Join(dir, database)
	c, err := opened(path)
	if err != nil {
		return err
	}
	n := len(c.chain)
	switch {
	case n > 0 && (n > len(j.all.chain) || c.chain[n-1] != j.all.chain[n-1] || c.epoch != j.all.epoch):
		return fmt.Errorf("its journal of %d records is not how the run's began", n)
	case uint64(n) < j.seq:
		return fmt.Errorf("event %d was told, and the journal ends at %d", j.seq, n)
	}
	for id, version := range j.sales {
		if s := c.sales[id]; s.Version < version {
			return fmt.Errorf("version %d of sale %s was told, and it has version %d", version, id, s.Version)
		}
	}
	for id := range j.requests {
		if !c.knows(id) {
			return fmt.Errorf("a gateway was sent %s, which is unknown", id)
		}
	}
	if j.checks++; j.checks%goOnEvery == 0 {
		return goOn(path, n)
	}
	return nil
}
