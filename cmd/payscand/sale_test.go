package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestSaleNotKnown: a sale that the terminal may have, or has, never ends with the status for "not done", after which a
// script would make another one: it is told how it is taken up again. What was never asked for, or was refused, is not done.
func TestSaleNotKnown(t *testing.T) {
	made := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id": "01K9ZJ5Y7T3N8QW2R6V4X0M1BC", "version": 1, "status": "processing"}`)
	}
	refuse := func(w http.ResponseWriter, status int, code string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status": %d, "code": %q}`, status, code)
	}
	hangUp := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	for _, c := range []struct {
		name         string
		create, wait func(http.ResponseWriter)
		status       int
		says         string
	}{
		{"the answer is lost", hangUp, nil, exitNotKnown, "--key K1"},
		{"the terminal was too slow", func(w http.ResponseWriter) { refuse(w, 503, "timeout") }, nil, exitNotKnown, "--key K1"},
		{"something went wrong", func(w http.ResponseWriter) { refuse(w, 500, "internal") }, nil, exitNotKnown, "--key K1"},
		{"it was refused", func(w http.ResponseWriter) { refuse(w, 409, "terminal_busy") }, nil, exitFailed, "terminal_busy"},
		{"it cannot be followed", made, hangUp, exitNotKnown, "01K9ZJ5Y7T3N8QW2R6V4X0M1BC was made"},
		{"the terminal stops", made, func(w http.ResponseWriter) { refuse(w, 503, "stopping") }, exitNotKnown, "--key K1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terminal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					c.create(w)
				} else {
					c.wait(w)
				}
			}))
			defer terminal.Close()
			expectSale(t, terminal.URL, c.status, c.says)
		})
	}
	t.Run("nobody is there", func(t *testing.T) {
		terminal := httptest.NewServer(nil)
		terminal.Close()
		expectSale(t, terminal.URL, exitFailed, "connection refused")
	})
}

// TestSaleCancelledTooLate: Ctrl-C just after the customer has paid ends with what is true: paid.
func TestSaleCancelledTooLate(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	var paid atomic.Bool
	terminal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/cancel"):
			paid.Store(true)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"status": 409, "code": "conflict"}`)
			return
		case r.Method == http.MethodGet && !paid.Load():
			interrupt()
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		status := map[bool]string{false: "processing", true: "paid"}[paid.Load()]
		fmt.Fprintf(w, `{"id": "01K9ZJ5Y7T3N8QW2R6V4X0M1BC", "version": 1, "status": %q}`, status)
	}))
	defer terminal.Close()
	f := saleFlags{mode: "auto", currency: "CAD", connection: connection{address: terminal.URL}}
	if err := runSale(ctx, "1.00", f, strings.NewReader(""), io.Discard); err != nil {
		t.Error(err)
	}
}

func expectSale(t *testing.T, address string, status int, says string) {
	t.Helper()
	root := newRoot()
	root.SetArgs([]string{"sale", "1.00", "--currency", "CAD", "--key", "K1", "--address", address})
	root.SetIn(strings.NewReader(""))
	root.SetOut(io.Discard)
	err := root.ExecuteContext(t.Context())
	got := exitFailed
	if exit := new(exitError); errors.As(err, &exit) {
		got = exit.code
	}
	if err == nil || got != status || !strings.Contains(err.Error(), says) {
		t.Errorf("status %d, %v; want status %d and %q", got, err, status, says)
	}
}
