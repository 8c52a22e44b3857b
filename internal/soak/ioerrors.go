package soak

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// IOErrors makes each call of a sale on the database fail, one run after the
// other, on the real daemon. However it fails, the daemon must end by itself with
// a message that says what to do, and started again find the truth: the register's
// request, repeated, gets a sale that is paid once: at AlphaPay, where a request that
// may not have been sent is sent again. (At Alipay+ it is looked for, and a sale that
// the gateway never had expires.)
type IOErrors struct {
	Setting
	// Every: only each so many calls fail; 1 for all.
	Every int
}

// IOResult is what IOErrors counted.
type IOResult struct {
	Failed map[string]int // calls that were made to fail, by name and error
	Sales  int            // that were paid all the same
	// FullDisk says how the trial of a full and of a read-only file system went.
	FullDisk string
}

// Total is how many calls were made to fail.
func (r IOResult) Total() (n int) {
	for _, failed := range r.Failed {
		n += failed
	}
	return n
}

// diskFaults: how a disk fails. Where it goes on failing, it is mended only for
// the next start.
var diskFaults = []struct {
	call, errno string
	on          bool // every call after it fails too
	fresh       bool // on a new database, whose file grows
}{
	{call: "fdatasync", errno: "EIO"},
	{call: "pwrite64", errno: "EIO"},
	{call: "ftruncate", errno: "EIO", fresh: true},
	{call: "fsync", errno: "EIO", fresh: true},
	{call: "pwrite64", errno: "ENOSPC", on: true},
	{call: "ftruncate", errno: "ENOSPC", on: true, fresh: true},
	{call: "pwrite64", errno: "EROFS", on: true},
	{call: "fdatasync", errno: "EROFS", on: true},
}

// salesUntil bounds the sales in which a file that grows must have grown.
const salesUntil = 12

// Run runs the campaign.
func (c IOErrors) Run(ctx context.Context) (IOResult, error) {
	r := IOResult{Failed: make(map[string]int)}
	sh, err := openShop(ctx, c.Setting, 20, "", "")
	if err != nil {
		return r, err
	}
	defer func() { _ = sh.close() }()
	if err := sh.StopDaemon(); err != nil {
		return r, err
	}
	for _, f := range diskFaults {
		for n := 1; ; n += c.Every {
			hit, err := c.fail(ctx, sh, &r, f.call, f.errno, n, f.on, f.fresh)
			if err != nil {
				return r, fmt.Errorf("%s number %d of a sale fails with %s: %w", f.call, n, f.errno, err)
			}
			if !hit {
				break
			}
			r.Failed[f.call+" "+f.errno]++
		}
		name := f.call + " " + f.errno
		c.log("%s: %d calls failed", name, r.Failed[name])
		if r.Failed[name] == 0 {
			return r, fmt.Errorf("no %s was made to fail: a sale has none", f.call)
		}
	}
	r.FullDisk, err = c.fullDisk(ctx)
	return r, err
}

// fail lets one call fail and sees what becomes of it; hit says whether there was
// such a call.
func (c IOErrors) fail(ctx context.Context, sh *shop, r *IOResult, call, errno string, n int, on, fresh bool) (hit bool, err error) {
	if fresh {
		if err := os.Remove(sh.Database()); err != nil {
			return false, err
		}
	}
	last := fmt.Sprint(n)
	if on {
		last = ""
	}
	t := trace{dir: sh.dir, told: sh.dir + ".told", faults: []string{fmt.Sprintf("%s:%d-%s:%s", call, n, last, errno)}, disarmed: true}
	if err := sh.StartDaemon(ctx, t.command()...); err != nil {
		return false, err
	}
	if err := sh.AwaitReady(ctx); err != nil {
		return false, err
	}
	if err := sh.SignalDaemon(syscall.SIGUSR1); err != nil {
		return false, err
	}
	sales := 1
	if fresh {
		sales = salesUntil
	}
	var keys []string
	for range sales {
		keys = append(keys, rand.Text())
		if !sellUnder(ctx, sh, keys[len(keys)-1]) {
			hit = true
			break
		}
	}
	told, err := os.ReadFile(t.told)
	if err != nil {
		return false, err
	}
	switch failed := len(told) > 0; {
	case failed != hit:
		return hit, fmt.Errorf("a call failed: %v; the daemon ended: %v\n%s", failed, hit, counter.Tail(sh.DaemonLog(), 10))
	case !hit:
		r.Sales += len(keys)
		return false, sh.StopDaemon()
	}
	if err := endedWell(ctx, sh, call); err != nil {
		return true, err
	}
	return true, c.recovers(ctx, sh, r, keys)
}

// sellUnder makes a sale on a disk that may fail; false when the daemon ended.
func sellUnder(ctx context.Context, sh *shop, key string) bool {
	ended, stop := context.WithCancel(ctx)
	defer stop()
	done := sh.DaemonDone()
	go func() {
		defer stop()
		select {
		case <-done:
		case <-ended.Done():
		}
	}()
	sale, _, err := sh.Register.CreateSale(ended, key, client.NewSale{Amount: 1500, Currency: "CAD", Mode: client.ModeScan, Reference: key})
	if err == nil {
		// Never the same code twice: it would be refused for another sale (M10).
		err = sh.Scanner.Scan(fmt.Sprintf("%s%014d00", gateways[0].prefix, time.Now().UnixNano()%1e14))
	}
	for err == nil && !sale.Final() {
		sale, err = sh.Register.WaitSale(ended, sale.ID, sale.Version, 10*time.Second)
	}
	if err != nil {
		<-ended.Done() // the daemon is on its way out, or the campaign is
	}
	return err == nil
}

// endedWell: the daemon ended by itself, and said what to do.
func endedWell(ctx context.Context, sh *shop, call string) error {
	state, err := sh.DaemonExited(ctx)
	if err != nil {
		return fmt.Errorf("the daemon goes on: %w", err)
	}
	said := counter.Tail(sh.DaemonLog(), 8)
	if state.ExitCode() != 1 || !bytes.Contains(said, []byte("must be started again")) {
		return fmt.Errorf("after a failed %s the daemon ended with %v and says:\n%s", call, state, said)
	}
	sh.KillDaemon() // only its log is closed
	return nil
}

// recovers: started again, every sale that was asked for is paid in the end, once.
func (c IOErrors) recovers(ctx context.Context, sh *shop, r *IOResult, keys []string) error {
	if err := sh.StartDaemon(ctx); err != nil {
		return err
	}
	if err := sh.AwaitReady(ctx); err != nil {
		return err
	}
	for _, key := range keys {
		for range 20 { // a sale whose code was lost with the daemon is scanned again
			if sellUnder(ctx, sh, key) {
				break
			}
		}
		sale, _, err := sh.Register.CreateSale(ctx, key, client.NewSale{Amount: 1500, Currency: "CAD", Mode: client.ModeScan, Reference: key})
		if err != nil || sale.Status != client.StatusPaid {
			return errors.Join(fmt.Errorf("sale %s is %s in the end", sale.ID, sale.Status), err)
		}
		net, _, err := sh.gatewayBooks()
		if err != nil || net[sale.ID] != sale.Amount {
			return errors.Join(fmt.Errorf("sale %s is paid, and the gateway took %d", sale.ID, net[sale.ID]), err)
		}
		r.Sales++
	}
	return sh.StopDaemon()
}

// fullDisk fills a real file system, and makes it read-only. That needs root.
func (c IOErrors) fullDisk(ctx context.Context) (how string, err error) {
	disk, err := os.MkdirTemp(c.Dir, "disk")
	if err != nil {
		return "", err
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		return fmt.Sprintf("skipped: a file system of its own cannot be mounted (%v)", err), nil
	}
	defer func() { err = errors.Join(err, syscall.Unmount(disk, 0)) }()
	sh, err := openShop(ctx, c.Setting, 20, "", filepath.Join(disk, database))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(sh.close(), err) }()
	if err := c.refusedWhenFull(ctx, sh); err != nil {
		return "", err
	}
	if err := c.refusedWhenReadOnly(ctx, sh); err != nil {
		return "", err
	}
	return "refused before money moved; finished what was under way", nil
}

// refusedWhenFull: with little room a new sale is refused and no gateway asked;
// the one under way is finished in the room that is kept for it.
func (c IOErrors) refusedWhenFull(ctx context.Context, sh *shop) error {
	key := rand.Text()
	live, _, err := sh.Register.CreateSale(ctx, key, client.NewSale{Amount: 1500, Currency: "CAD", Mode: client.ModeScan, Reference: key})
	if err != nil {
		return err
	}
	ballast := filepath.Join(filepath.Dir(sh.Database()), "ballast")
	if err := fill(ballast); err != nil {
		return err
	}
	if !sellUnder(ctx, sh, key) {
		if err := endedWell(ctx, sh, "write to a full disk"); err != nil {
			return err
		}
		if err := c.recovers(ctx, sh, &IOResult{}, []string{key}); err != nil {
			return err
		}
		if err := sh.StartDaemon(ctx); err != nil {
			return err
		}
		if err := sh.AwaitReady(ctx); err != nil {
			return err
		}
	}
	before, _, err := sh.gatewayBooks()
	if err != nil {
		return err
	}
	if before[live.ID] != live.Amount {
		return fmt.Errorf("the sale under way on a full disk brought %d", before[live.ID])
	}
	_, _, err = sh.Register.CreateSale(ctx, rand.Text(), client.NewSale{Amount: 700, Currency: "CAD", Mode: client.ModeQR})
	if problem := new(client.Problem); !errors.As(err, &problem) || problem.Code != "storage_full" {
		return errors.Join(errors.New("a sale on a full disk is not refused with storage_full"), err)
	}
	if after, _, err := sh.gatewayBooks(); err != nil || len(after) != len(before) {
		return errors.Join(errors.New("the gateway knows of an order of the refused sale"), err)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if !sellUnder(ctx, sh, rand.Text()) {
		return errors.New("with room again, no sale can be made")
	}
	return nil
}

// refusedWhenReadOnly: the daemon does not start on a file system that it cannot
// write to, says so, and starts when it can.
func (c IOErrors) refusedWhenReadOnly(ctx context.Context, sh *shop) error {
	if err := sh.StopDaemon(); err != nil {
		return err
	}
	disk := filepath.Dir(sh.Database())
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("remount read-only: %w", err)
	}
	out, err := runDaemonOnce(ctx, c.Program, sh.Config())
	if err == nil || !strings.Contains(out, "read-only") {
		return errors.Join(fmt.Errorf("on a read-only file system the daemon starts, or says:\n%s", out), err)
	}
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT, ""); err != nil {
		return fmt.Errorf("remount: %w", err)
	}
	return c.recovers(ctx, sh, &IOResult{}, []string{rand.Text()})
}

// runDaemonOnce runs a daemon that is expected not to start.
func runDaemonOnce(ctx context.Context, program, config string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "run", "--config", config).CombinedOutput()
	return string(out), err
}

// fill writes to a file until the disk is full.
func fill(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for size := 1 << 20; size >= 4096; {
		if _, err := file.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			return err
		}
	}
	return nil
}
