package lab

import (
	"crypto/rand"
	"strings"
	"syscall"
	"testing"
	"time"

	"payscand/api/client"
	"payscand/test/lab/wire"
)

// TestScanners: each kind of scanner alone at the counter.
func TestScanners(t *testing.T) {
	m := guest(t)
	all := scanners()
	s := open(t, m, all...)
	for _, scanner := range all {
		s.prove(scanner, sale, func() {
			s.plug(scanner)
			s.pay(scanner)
		})
		s.prove(scanner, replug, func() {
			s.unplug(scanner)
			s.plug(scanner)
			s.pay(scanner)
		})
		s.prove(scanner, cutScan, func() { testCutScan(s, scanner) })
		s.prove(scanner, lostScanner, func() { testLostScanner(s, scanner) })
		s.prove(scanner, overflow, func() { testOverflow(s, scanner) })
		s.unplug(scanner)
	}
}

// testCutScan: a cable pulled out in the middle of a scan makes a damaged scan, and no code. The rest of the sale is as
// if nothing had been scanned.
func testCutScan(s *shop, scanner scanner) {
	waiting, code, before := s.sell(client.ModeScan), s.code(), s.damaged(scanner)
	bytes := s.counters(scanner).Bytes
	scanner.begin(s.t, s.machine, code[:len(code)/2])
	if _, ours := scanner.cable.(usbCable); !ours { // else the kernel has taken it
		s.until("the first half has come", func() bool { return s.counters(scanner).Bytes > bytes })
	}
	s.unplug(scanner)
	s.until("the scan is told as damaged", func() bool { return s.damaged(scanner) > before })
	if status := s.sale(waiting).Status; status != client.StatusAwaitingCode {
		s.t.Errorf("after half a scan the sale is %s", status)
	}
	s.plug(scanner)
	s.payFor(waiting, scanner)
}

// testLostScanner: a sale that waits for a scan of the only scanner shows its QR as soon as that is pulled out; with a
// scan window of minutes no time-out did it.
func testLostScanner(s *shop, scanner scanner) {
	waiting := s.sell(client.ModeAuto)
	if waiting.Status != client.StatusAwaitingCode {
		s.t.Fatalf("with a scanner that is ready, the sale is %s", waiting.Status)
	}
	s.unplug(scanner)
	s.awaitSale(waiting, client.StatusShowingQR)
	_, err := s.register.Cancel(bounded(s.t), waiting.ID)
	must(s.t, err)
	s.awaitSale(waiting, client.StatusCancelled)
	s.plug(scanner)
}

// reportQueue is how many reports the HID library keeps before it drops the oldest.
const reportQueue = 32

// testOverflow: the daemon is held up while its USB library takes more reports than it keeps. What is left must be told
// as damaged, whole as it may look.
func testOverflow(s *shop, scanner scanner) {
	cable := scanner.cable.(usbCable)
	waiting, before := s.sell(client.ModeScan), s.damaged(scanner)
	do[wire.Nothing](s.t, s.machine, wire.Freeze, wire.Name{Name: daemon})
	for sent := 0; sent <= 2*reportQueue; {
		packets := cable.packets(cable.encode(s.code(), true))
		cable.send(s.t, s.machine, packets)
		sent += len(packets)
	}
	do[wire.Nothing](s.t, s.machine, wire.Thaw, wire.Name{Name: daemon})
	s.until("scans are told as damaged", func() bool { return s.damaged(scanner) > before })
	<-time.After(secondTry)
	if status := s.sale(waiting).Status; status != client.StatusAwaitingCode {
		s.t.Errorf("after scans with lost reports the sale is %s", status)
	}
	s.payFor(waiting, scanner)
}

// TestTogether: all scanners at once, through a kill of the daemon, with a keyboard beside them.
func TestTogether(t *testing.T) {
	m := guest(t)
	all := scanners()
	s := open(t, m, all...)
	bystander.plug(t, m)
	s.plug(all...)
	t.Cleanup(func() {
		bystander.unplug(t, m)
		for _, scanner := range all {
			scanner.unplug(t, m)
		}
	})
	for _, scanner := range all {
		s.prove(scanner, together, func() { s.pay(scanner) })
		s.prove(scanner, silent, func() { testSilent(s, scanner) })
	}
	s.end(syscall.SIGKILL)
	for _, scanner := range all {
		if driver := s.driver(scanner); scanner.hid && driver != "" {
			t.Errorf("%s: after the kill the kernel's driver is %q: was it never taken away?", scanner.mode, driver)
		}
	}
	s.start(member)
	for _, scanner := range all {
		s.prove(scanner, killed, func() {
			s.awaitState(scanner, "ready")
			s.pay(scanner)
		})
	}
	s.stop()
	for _, scanner := range all {
		s.prove(scanner, givenBack, func() { testGivenBack(s, scanner) })
	}
}

// testSilent: what is scanned reaches the daemon and not the console, where another keyboard's text arrives.
func testSilent(s *shop, scanner scanner) {
	s.pay(scanner)
	code := s.scanned[len(s.scanned)-1]
	if typed := s.typeOn(bystander); strings.Contains(typed, code) || strings.Contains(typed, code[:4]) {
		s.t.Errorf("the console got what was scanned")
	}
}

// testGivenBack: after the daemon has stopped in order, the kernel's driver has the scanner, and one in keyboard mode
// types for whoever listens, as it did before.
func testGivenBack(s *shop, scanner scanner) {
	s.until("the kernel's driver is back", func() bool { return s.driver(scanner) == "usbhid" })
	if appliesTo(scanner, silent) {
		s.typeOn(scanner)
	}
}

// typeOn types a word that was never typed before, waits until it is on the console, and returns all that is.
func (s *shop) typeOn(keyboard cable) string {
	s.t.Helper()
	word := strings.ToLower(rand.Text()[:8])
	keyboard.scan(s.t, s.machine, word)
	return do[wire.Text](s.t, s.machine, wire.Typed, wire.Until{Text: word}).Text
}

// driver is the kernel's driver of a scanner; usbfs, as which the daemon holds it, is none.
func (s *shop) driver(scanner scanner) string {
	s.t.Helper()
	state := do[wire.InterfaceState](s.t, s.machine, wire.Interface, scanner.id)
	return strings.TrimPrefix(state.Driver, "usbfs")
}

// TestRights: the devices that the project's udev rule names, and no others, are open to the service's group, and a
// daemon outside of it says that it may not open them and what to do.
func TestRights(t *testing.T) {
	m := guest(t)
	all := scanners()
	s := open(t, m, all...)
	stranger.plug(t, m)
	s.plug(all...)
	t.Cleanup(func() {
		stranger.unplug(t, m)
		for _, scanner := range all {
			scanner.unplug(t, m)
		}
	})
	const open, kept = 0o660, 0o664
	s.until("the stranger is there", func() bool {
		state := do[wire.InterfaceState](t, m, wire.Interface, stranger.id())
		return state.Mode == kept && state.Group == 0
	})
	for _, scanner := range all {
		if state := do[wire.InterfaceState](t, m, wire.Interface, scanner.id); scanner.hid && (state.Mode != open || state.Group != wire.ShopUser) {
			t.Errorf("%s: %s has mode %o and group %d", scanner.mode, state.Node, state.Mode, state.Group)
		}
	}
	s.stop()
	s.start(outsider)
	for _, scanner := range all {
		s.prove(scanner, denied, func() {
			advice := "dialout"
			if scanner.hid {
				advice = "udev"
			}
			if state := s.awaitState(scanner, "denied"); !strings.Contains(state.Detail, advice) {
				s.t.Errorf("no word of %s: %s", advice, state.Detail)
			}
		})
	}
}

// rounds is how often every scanner is plugged in and pulled out again: 56 replugs, or 1,000.
func rounds() int {
	if *long {
		return 125
	}
	return 7
}

// TestReplugs: however often scanners come and go, they work, and the daemon is as small as after the first time. A thing
// that one scanner leaves behind each time would be there as often as there were rounds.
func TestReplugs(t *testing.T) {
	m := guest(t)
	all := scanners()
	s := open(t, m, all...)
	s.replug(1, all)
	begun := s.inspect()
	few := s.deviceGoroutines()
	s.start(member)
	s.replug(rounds(), all)
	var ended wire.Process
	s.until("descriptors and threads are as few as in the beginning", func() bool {
		ended = s.inspect()
		return ended.Descriptors < begun.Descriptors+rounds() && ended.Threads < begun.Threads+rounds()
	})
	many := s.deviceGoroutines()
	t.Logf("%d replugs: descriptors %d → %d, threads %d → %d, memory %d → %d KiB, goroutines of scanners %d → %d", rounds()*len(all),
		begun.Descriptors, ended.Descriptors, begun.Threads, ended.Threads, begun.Memory>>10, ended.Memory>>10, few, many)
	const memory = 16 << 20
	if ended.Memory > begun.Memory+memory {
		t.Error("memory leaks")
	}
	if many > few {
		t.Errorf("goroutines leak:\n%s", tailOf(s.inspect().Output))
	}
	for _, scanner := range all {
		s.prove(scanner, replugs, func() {
			if t.Failed() {
				s.t.Error("something leaks")
			}
		})
	}
}

// replug plugs all scanners in and pulls them out again, and takes a sale with another one each time.
func (s *shop) replug(rounds int, all []scanner) {
	s.t.Helper()
	for round := range rounds {
		s.plug(all...)
		s.pay(all[round%len(all)])
		s.unplug(all...)
	}
}

// deviceGoroutines ends the daemon such that it prints its goroutines, and counts those that work on scanners.
func (s *shop) deviceGoroutines() int {
	s.t.Helper()
	s.end(syscall.SIGQUIT)
	count := 0
	for goroutine := range strings.SplitSeq(s.inspect().Output, "\n\ngoroutine ") {
		if strings.Contains(goroutine, "payscand/device/") {
			count++
		}
	}
	if count == 0 {
		s.t.Fatal("the daemon printed no goroutine of a scanner")
	}
	return count
}
