package device

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// News is what the kernel or udev says of USB devices, HID devices and serial
// ports, and of nothing else.
func TestPlugNews(t *testing.T) {
	for message, want := range map[string]bool{
		"add@/devices/usb1/1-1\x00ACTION=add\x00DEVPATH=/devices/usb1/1-1\x00SUBSYSTEM=usb\x00SEQNUM=1": true,
		"remove@/x\x00ACTION=remove\x00SUBSYSTEM=tty\x00":                                               true,
		"libudev\x00\xfe\xed\xca\xfe\x28\x00\x00\x00SUBSYSTEM=hid\x00ID_MODEL=x\x00":                    true,
		"change@/devices/x\x00SUBSYSTEM=power_supply\x00":                                               false,
		"add@/x\x00XSUBSYSTEM=usb\x00SUBSYSTEM=usbmon\x00":                                              false,
		"": false,
	} {
		if got := isPlugNews([]byte(message)); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
}

// Without a socket a driver looks often enough for the promised second; with one
// it looks seldom, and a wait ends with its context. Nothing is left open.
func TestPlugNewsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		new(PlugNews).Wait(t.Context())
		if waited := time.Since(start); waited != lookAlone || waited > time.Second/2 {
			t.Errorf("waited %v", waited)
		}
	})
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	ListenForPlugs().Close()
	before := open()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		news := ListenForPlugs()
		news.Wait(ended)
		news.Close()
	}
	if after := open(); after > before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

// The kernel's news ends a wait: asked to, it repeats what it said when a terminal
// came.
func TestKernelNews(t *testing.T) {
	news := ListenForPlugs()
	defer news.Close()
	if news.socket == nil {
		t.Skip("the system refuses a socket for the kernel's news")
	}
	if err := os.WriteFile("/sys/class/tty/tty/uevent", []byte("change"), 0); err != nil {
		t.Skip("the kernel's news cannot be made here:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lookBehind)
	defer cancel()
	if !news.listen(ctx, time.Now().Add(lookBehind)) {
		t.Skip("the kernel tells its news elsewhere (a container)")
	}
}

// A refusal that passes is not told, one that stays is, once, and a missing
// scanner is told at once; a scanner that was ready is refused anew.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink log
		r := NewReporter("test", "")
		ctx, cancel := context.WithCancel(t.Context())
		answers := strings.Fields("denied denied ready denied missing " + strings.Repeat("busy ", 30) + "ready missing end")
		start := time.Now()
		var told []string
		session := func() error {
			answer := answers[0]
			answers = answers[1:]
			switch answer {
			case "end":
				cancel()
				return nil
			case "ready":
				r.Enter(&sink, StateReady, "", time.Now())
				<-time.After(time.Second)
				answer = answers[0]
				answers = answers[1:]
			}
			return refusedAs(answer)
		}
		r.Keep(ctx, &sink, new(PlugNews), session, func(err error) (State, string) { return State(err.Error()), "" })
		for _, state := range sink.states {
			told = append(told, string(state))
		}
		if got, want := strings.Join(told, " "), "ready missing busy ready missing"; got != want {
			t.Errorf("told %s, want %s (after %v)", got, want, time.Since(start))
		}
	})
}

type refusedAs string

func (r refusedAs) Error() string { return string(r) }
