package lab

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
	"payscand/test/lab/wire"
)

// shop is the counter in the guest: the daemon, the practice gateway, and a register that is on the host.
type shop struct {
	*machine
	t        *testing.T
	register *client.Client
	scanned  []string // all codes that were scanned whole, or sent whole by the register
}

// Names of processes.
const (
	daemon  = "daemon"
	gateway = "gateway"
)

// open starts a daemon for the scanners, as the user of the service, and waits until it and the gateway are up. At the
// end the daemon is stopped, and the gateway must have been asked for codes that were scanned, and no other.
func open(t *testing.T, m *machine, scanners ...scanner) *shop {
	t.Helper()
	register, err := client.New(m.api.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(register.Close)
	s := &shop{machine: m, t: t, register: register}
	s.startGateway()
	do[wire.Nothing](t, m, wire.WriteFile, wire.File{Name: configFile, Mode: 0o644, Content: []byte(configuration(scanners))})
	before := len(s.charged())
	s.start(member)
	t.Cleanup(func() {
		switch running := s.inspect().Running; {
		case t.Failed():
			m.spoilt = true
			s.report()
		case running:
			s.stop()
		}
		for _, code := range s.charged()[before:] {
			if !slices.Contains(s.scanned, code) {
				t.Errorf("the gateway was asked to charge %q, which nobody scanned; scanned: %q", code, s.scanned)
			}
		}
	})
	return s
}

// startGateway starts the practice gateway, once for all tests.
func (s *shop) startGateway() {
	s.t.Helper()
	if s.gatewayStarted {
		return
	}
	do[wire.Nothing](s.t, s.machine, wire.Start, wire.Command{
		Name: gateway, User: wire.ShopUser, Group: wire.ShopUser,
		Args: []string{"sandbox", "--listen", wire.GatewayAddress, "--dir", wire.ShopDir + "/keys", "--pending-delay", "300ms"},
	})
	// The keys are there when the gateway has made them and goes on to listen.
	s.until("the practice gateway has its keys", func() bool {
		_, err := call[wire.Text](s.t.Context(), s.machine, wire.ReadFile, wire.Name{Name: wire.ShopDir + "/keys/platform_public.pem"})
		return err == nil
	})
	s.gatewayStarted = true
}

// report says what is known after a failure: what the guest printed, and what the daemon did, goroutine by goroutine.
func (s *shop) report() {
	s.t.Helper()
	s.t.Logf("the guest:\n%s", counter.Tail(s.console(), 20))
	before := s.inspect()
	if before.Running {
		do[wire.Nothing](s.t, s.machine, wire.Signal, wire.SignalProcess{Name: daemon, Signal: int(syscall.SIGQUIT), Ends: true})
	}
	s.t.Logf("the daemon, running %v, ended with status %d:\n%s\nand on a SIGQUIT:\n%s", before.Running, before.Status,
		tailOf(before.Output), strings.TrimPrefix(s.inspect().Output, before.Output))
}

// part runs a part of the test with a name of its own, and tells whether it passed.
func (s *shop) part(name string, test func()) bool {
	s.t.Helper()
	whole := s.t
	return whole.Run(name, func(t *testing.T) {
		s.t = t
		defer func() { s.t = whole }()
		test()
	})
}

const configFile = wire.ShopDir + "/payscand.toml"

func configuration(scanners []scanner) string {
	var text strings.Builder
	fmt.Fprintf(&text, `[terminal]
code = "L1"
currency = "CAD"

[api]
listen = "127.0.0.1:8480"
socket = %q
token_dir = "tokens"

[store]
path = "payscand.db"

[gateway.alphapay]
base_url = "http://%s"
merchant_code = "PRACTICE1"
private_key_file = "keys/merchant_private.pem"
platform_key_file = "keys/platform_public.pem"

[policy]
scan_window = "5m"
sale_deadline = "10m"

[log]
level = "debug"

`, wire.Socket, wire.RecorderAddress)
	for _, scanner := range scanners {
		text.WriteString(scanner.config + "\n")
	}
	return text.String()
}

// The daemon's user is the service's, with the groups that an installation gives it, or without.
var (
	member   = wire.Command{User: wire.ShopUser, Group: wire.ShopUser, Groups: []uint32{wire.DialoutGroup}}
	outsider = wire.Command{User: wire.ShopUser, Group: 65534}
)

// start starts the daemon and waits until it is of use.
func (s *shop) start(as wire.Command) {
	s.t.Helper()
	as.Name, as.Args, as.Env = daemon, []string{"run", "--config", configFile}, []string{"GOTRACEBACK=all"}
	do[wire.Nothing](s.t, s.machine, wire.Start, as)
	s.await("the gateway is proved", func(t client.Terminal) bool { return t.Gateways[0].State == "up" })
}

// stop ends the daemon in order.
func (s *shop) stop() {
	s.t.Helper()
	s.end(syscall.SIGTERM)
	if ended := s.inspect(); ended.Status != 0 {
		s.t.Errorf("the daemon ended with status %d:\n%s", ended.Status, ended.Output)
	}
}

// end sends the daemon a signal that ends it.
func (s *shop) end(signal syscall.Signal) {
	s.t.Helper()
	do[wire.Nothing](s.t, s.machine, wire.Signal, wire.SignalProcess{Name: daemon, Signal: int(signal), Ends: true})
	if output := s.inspect().Output; strings.Contains(output, "AddressSanitizer") || strings.Contains(output, "panic:") {
		s.t.Errorf("the daemon crashed:\n%s", tailOf(output))
	}
}

func (s *shop) inspect() wire.Process {
	s.t.Helper()
	return do[wire.Process](s.t, s.machine, wire.Inspect, wire.Name{Name: daemon})
}

func (s *shop) charged() []string {
	s.t.Helper()
	return do[wire.Codes](s.t, s.machine, wire.Charged, wire.Nothing{}).Codes
}

// until asks again and again whether something is so.
func (s *shop) until(what string, so func() bool) {
	s.t.Helper()
	ctx := bounded(s.t)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-s.exited:
			s.t.Fatal(s.alive())
		case <-ctx.Done():
			state, err := s.register.Terminal(bounded(s.t))
			s.t.Fatalf("not seen: %s; scanners %+v (%v); the daemon says:\n%s", what, state.Scanners, err, tailOf(s.inspect().Output))
		}
	}
}

// await waits until the terminal's state is as wanted.
func (s *shop) await(what string, wanted func(client.Terminal) bool) {
	s.t.Helper()
	ctx := bounded(s.t)
	s.until(what, func() bool {
		state, err := s.register.Terminal(ctx)
		return err == nil && wanted(state)
	})
}

func tailOf(output string) string { return output[max(0, len(output)-4096):] }

// state returns how the daemon sees a scanner.
func (s *shop) state(of scanner, in client.Terminal) client.Scanner {
	s.t.Helper()
	for _, scanner := range in.Scanners {
		if scanner.Device == of.device {
			return scanner
		}
	}
	s.t.Fatalf("the daemon has no scanner %q: %+v", of.device, in.Scanners)
	return client.Scanner{}
}

// awaitState waits until the daemon says that a scanner is ready, missing or denied.
func (s *shop) awaitState(of scanner, state string) client.Scanner {
	s.t.Helper()
	var found client.Scanner
	s.await(of.mode+" is "+state, func(t client.Terminal) bool {
		found = s.state(of, t)
		return found.State == state
	})
	return found
}

// plug plugs scanners in and waits until they are ready.
func (s *shop) plug(scanners ...scanner) {
	s.t.Helper()
	for _, scanner := range scanners {
		scanner.plug(s.t, s.machine)
	}
	for _, scanner := range scanners {
		s.awaitState(scanner, "ready")
	}
}

// unplug pulls scanners out and waits until the daemon says so.
func (s *shop) unplug(scanners ...scanner) {
	s.t.Helper()
	for _, scanner := range scanners {
		scanner.unplug(s.t, s.machine)
	}
	for _, scanner := range scanners {
		s.awaitState(scanner, "missing")
	}
}

// code makes a payment code that the practice gateway pays at once.
func (s *shop) code() string {
	s.t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1e14))
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("28%014d00", n)
}

// sell makes a sale that waits for a scan.
func (s *shop) sell(mode client.Mode) client.Sale {
	s.t.Helper()
	sale, _, err := s.register.CreateSale(bounded(s.t), rand.Text(), client.NewSale{Amount: 1250, Currency: "CAD", Mode: mode})
	if err != nil {
		s.t.Fatal(err)
	}
	return sale
}

// scan scans a code.
func (s *shop) scan(with scanner, code string) {
	s.t.Helper()
	s.scanned = append(s.scanned, code)
	with.scan(s.t, s.machine, code)
}

// pay takes a whole sale: made, scanned, paid, and charged for the very code that was scanned.
func (s *shop) pay(with scanner) {
	s.t.Helper()
	s.payFor(s.sell(client.ModeScan), with)
}

// secondTry is how long a cashier takes to scan again, and impatience how long to do so when nothing happens.
const (
	secondTry  = 500 * time.Millisecond
	impatience = 15 * time.Second
)

// payFor scans a code for the sale, and scans it again as a cashier would: where this machine is too busy to read all that
// the scanner sends, the daemon says that the scan came damaged, or takes it for one from before the sale.
func (s *shop) payFor(sale client.Sale, with scanner) {
	s.t.Helper()
	code := s.code()
	for taken := false; !taken; {
		before, bored := s.damaged(with), time.Now().Add(impatience)
		s.scan(with, code)
		s.until("the scan is taken or refused", func() bool {
			taken = s.sale(sale).Status != client.StatusAwaitingCode
			return taken || s.damaged(with) > before || time.Now().After(bored)
		})
		if !taken {
			s.t.Logf("%s: the scan was not taken: scanned again", with.mode)
			<-time.After(secondTry)
		}
	}
	s.awaitSale(sale, client.StatusPaid)
	if charged := s.charged(); charged[len(charged)-1] != code {
		s.t.Errorf("scanned %q, and the gateway was asked to charge %q", code, charged[len(charged)-1])
	}
}

// damaged is how many scans of a scanner were refused because they were not whole.
func (s *shop) damaged(scanner scanner) uint64 {
	s.t.Helper()
	counters := s.counters(scanner)
	return counters.Incomplete + counters.Noise + counters.Oversize
}

func (s *shop) counters(scanner scanner) client.ScannerCounters {
	s.t.Helper()
	state, err := s.register.Terminal(bounded(s.t))
	must(s.t, err)
	return s.state(scanner, state).Counters
}

func (s *shop) sale(sale client.Sale) client.Sale {
	s.t.Helper()
	seen, err := s.register.GetSale(bounded(s.t), sale.ID)
	must(s.t, err)
	return seen
}

// awaitSale waits until the sale has the status.
func (s *shop) awaitSale(sale client.Sale, status client.SaleStatus) {
	s.t.Helper()
	s.until(fmt.Sprintf("the sale is %s", status), func() bool { return s.sale(sale).Status == status })
}
