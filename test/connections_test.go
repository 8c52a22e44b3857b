package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"payscand/api"
)

// TestConnectionsAreBounded: strangers who come to the customer's page or to the notifications take no more than their own
// places: the next one waits, whoever has a place is served, and one that goes makes room (P10).
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := openShop(t, withNotifications)
	for name, base := range map[string]string{"kiosk": s.Kiosk, "notifications": s.Notify} {
		dial := func() net.Conn {
			conn, err := (&net.Dialer{}).DialContext(s.ctx, "tcp", strings.TrimPrefix(base, "http://"))
			s.must(err)
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		inside := make([]net.Conn, api.MaxConnections)
		for i := range inside {
			inside[i] = dial()
			s.must(askNothing(inside[i]))
		}
		next, answered := dial(), make(chan error, 1)
		go func() { answered <- askNothing(next) }()
		for range 20 { // had the next one been accepted, nothing would hold its answer back until here
			s.must(askNothing(inside[0]))
		}
		select {
		case err := <-answered:
			t.Fatalf("%s: connection %d was served (%v)", name, api.MaxConnections+1, err)
		default:
		}
		s.must(inside[1].Close())
		s.must(<-answered)
	}
}

// askNothing asks for what is not there, on a connection that stays.
func askNothing(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err = io.Copy(io.Discard, response.Body); err == nil && response.StatusCode != http.StatusNotFound {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return err
}
