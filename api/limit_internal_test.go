package api

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
)

// endless accepts as often as it is asked.
type endless struct{ net.Listener }

func (endless) Accept() (net.Conn, error) {
	ours, _ := net.Pipe()
	return ours, nil
}
func (endless) Close() error { return nil }

// A connection over the limit is not accepted before another one is closed,
// closing one twice makes room for one only, and Close ends the waiting.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := Limit(endless{}, 2)
		accepted, ended := make(chan net.Conn, 10), make(chan error, 1)
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					ended <- err
					return
				}
				accepted <- conn
			}
		}()
		for step, want := range []int{2, 1, 1} {
			synctest.Wait()
			if got := len(accepted); got != want {
				t.Fatalf("step %d: %d connections accepted, want %d", step, got, want)
			}
			var conn net.Conn
			for range want {
				conn = <-accepted
			}
			_, _ = conn.Close(), conn.Close()
		}
		synctest.Wait()
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept ended with %v", err)
		}
	})
}
