package main

import (
	"strings"
	"testing"

	"payscand/internal/devices"
)

// Words that say nothing new are not printed again; in JSON each state is a line.
func TestPrinter(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out strings.Builder
		show := printer(&out, asJSON, func(n int) string { return map[bool]string{true: "under way", false: "over"}[n < 3] })
		for n := range 4 {
			show(n)
		}
		want := map[bool]string{false: "under way\nover\n", true: "0\n1\n2\n3\n"}[asJSON]
		if out.String() != want {
			t.Errorf("JSON %t: %q, want %q", asJSON, &out, want)
		}
	}
}

// Two scanners of one model, which say no serial numbers, are two lines.
func TestEventPrinter(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out strings.Builder
		show := eventPrinter(&out, asJSON)
		for range 2 {
			show(devices.Event{Event: "present", Device: devices.Device{VendorID: "05e0", ProductID: "1900"}})
		}
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Errorf("JSON %t: %d lines: %q", asJSON, n, &out)
		}
	}
}
