package display

import (
	"testing"

	"payscand/payment"
)

// Every reason has words in English for the cashier and for the customer.
func TestEveryReasonHasWords(t *testing.T) {
	for _, reason := range payment.Reasons() {
		message, customerMessage := Words(reason)
		if message == "" || customerMessage == "" {
			t.Errorf("%s: message %q, customer message %q", reason, message, customerMessage)
		}
	}
	if message, customerMessage := Words("made up"); message != "" || customerMessage != "" {
		t.Errorf("an unknown reason has words: %q, %q", message, customerMessage)
	}
}
