package payment_test

import (
	"reflect"
	"testing"
	"time"

	"payscand/payment"
)

// TestFaster: every pause and bound of the policy is divided, none forgotten.
func TestFaster(t *testing.T) {
	const speed = 60
	before, after := reflect.ValueOf(payment.DefaultPolicy()), reflect.ValueOf(payment.DefaultPolicy().Faster(speed))
	durations := 0
	for i := range before.NumField() {
		switch was := before.Field(i).Interface().(type) {
		case time.Duration:
			durations++
			if got := after.Field(i).Interface(); got != was/speed {
				t.Errorf("%s: %v became %v", before.Type().Field(i).Name, was, got)
			}
		case []time.Duration:
			for j, got := range after.Field(i).Interface().([]time.Duration) {
				durations++
				if got != was[j]/speed {
					t.Errorf("%s[%d]: %v became %v", before.Type().Field(i).Name, j, was[j], got)
				}
			}
		}
	}
	if durations < 40 {
		t.Errorf("%d durations were looked at", durations)
	}
	if p := payment.DefaultPolicy(); !reflect.DeepEqual(p, p.Faster(1)) || p.Scaled(time.Hour) != time.Hour {
		t.Error("a real counter's policy is changed")
	}
	if p := payment.DefaultPolicy().Faster(speed); p.Scaled(time.Hour) != time.Minute {
		t.Errorf("an hour is %v", p.Scaled(time.Hour))
	}
}
