// Package lab proves the scanners on a real USB stack: a Debian kernel in a
// virtual machine, where the real daemon reads USB devices that tests plug in,
// type on and pull out, and takes sales with them at the practice gateway.
//
// QEMU emulates the machine, so neither KVM nor hardware is needed, and there is
// no network but the guest's loopback. The guest program is in guest, what it and
// the tests say to each other in wire, the emulated devices in vhci. The kernel
// is Debian's, fetched through apt once and kept in bin/lab.
//
// One guest serves all tests, one after the other: each cleans up after itself.
package lab

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

var (
	update = flag.Bool("update", false, "write the table of docs/scanners.md")
	long   = flag.Bool("long", false, "replug 1,000 times")
	only   = flag.String("only", "", "the scanners to test, as a regular expression; empty: all, as the table needs")
	asan   = flag.Bool("asan", false, "build the programs under test with AddressSanitizer")
)

// patience bounds every wait. A test that reaches it has failed: nothing is proved by how long something took.
const patience = 3 * time.Minute

// the is the machine that all tests stand at; see guest.
var the *machine

func TestMain(m *testing.M) {
	flag.Parse()
	// Where depmod and modprobe are, which need no rights here.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if the != nil {
		if err := the.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// guest returns the machine, booted by the first test that needs it.
func guest(t *testing.T) *machine {
	t.Helper()
	if the == nil {
		the = boot(t, build{addressSanitizer: *asan})
	}
	if err := the.alive(); err != nil {
		t.Fatal(err)
	}
	if the.spoilt {
		t.Fatal("an earlier test has failed, and the guest is as it left it")
	}
	return the
}

// bounded is the context of one step of a test, its clean-up included.
func bounded(t *testing.T) context.Context {
	t.Helper()
	return within(t, patience)
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// need skips the test where what it needs is not there, and fails it where that is not allowed: in CI.
func need(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatal(err)
	default:
		t.Skip("the scanner lab is skipped:", err)
	}
}
