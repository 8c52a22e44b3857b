package payment_test

import (
	"encoding/json"
	"testing"
	"time"

	"payscand/payment"
)

// Folding what changed gives the view as it is, also where a field was taken
// away: the failure when the next attempt begins, the QR when it leaves the
// screen, reasons when they no longer hold.
func TestFoldedJournalIsTheView(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeAuto)
	var folded payment.View
	var was payment.Sale
	fold := func(what string) {
		t.Helper()
		changed, err := payment.ChangedFields(was, s.sale)
		if err != nil {
			t.Fatal(err)
		}
		before := mustJSON(folded)
		next, err := payment.Fold(folded, changed)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := mustJSON(next), mustJSON(s.sale.View()); got != want {
			t.Errorf("%s: folded\n%s\nview\n%s", what, got, want)
		}
		if mustJSON(folded) != before {
			t.Errorf("%s: folding changed the view that it was given", what)
		}
		folded, was = next, s.sale
	}
	fold("created")
	s.scan()
	fold("scanned")
	s.answer(payment.ClassFailed, func(v *payment.Verdict) { v.Reason, v.GatewayCode = payment.ReasonDeclined, "NO" })
	if fold("failed"); folded.LastFailure == nil || folded.Attempts[0].Reason != payment.ReasonDeclined {
		t.Errorf("the failure is not told: %+v", folded)
	}
	s.do(payment.QRRequested{})
	if fold("QR asked for"); folded.LastFailure != nil {
		t.Error("the failure is still told")
	}
	s.answer(payment.ClassPending, id("P1"), qr("https://pay/1"))
	if fold("QR shown"); folded.Attempts[1].QRPayload == "" {
		t.Error("the QR is not told")
	}
	s.next(payment.CallInquire)
	s.answer(payment.ClassRetryLater, func(v *payment.Verdict) { v.Reason = payment.ReasonGatewayError })
	if fold("trouble"); folded.Attempts[1].Reason != payment.ReasonGatewayError {
		t.Error("the trouble is not told")
	}
	s.do(payment.CancelRequested{})
	if fold("cancel"); folded.Attempts[1].QRPayload != "" {
		t.Error("the QR is still told")
	}
	s.answer(payment.ClassPaid, id("P1"), func(v *payment.Verdict) { v.PaidAt = dayOne.Add(time.Minute) })
	if fold("paid"); folded.Receipt == nil || folded.Attempts[1].Reason != "" || folded.Version != s.sale.Version {
		t.Errorf("the payment is not told: %+v", folded)
	}
}

// What is no record is refused.
func TestFoldRefusesNonsense(t *testing.T) {
	view := payment.View{ID: saleID, Version: 3, Attempts: []payment.AttemptView{{N: 1}}}
	for _, text := range []string{"", "[]", "7", `{"version":"three"}`, `{"attempts":5}`} {
		if _, err := payment.Fold(view, json.RawMessage(text)); err == nil {
			t.Errorf("%q is folded", text)
		}
	}
}

// The view shows nothing that only the terminal may know: no key, no intent, no
// plan, no call under way; and of the code its mask.
func TestViewIsPublic(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeAuto)
	s.scan()
	s.sale.Digest = "digest"
	s.sale.Attempts[0].Intent = payment.Intent{Account: "M1", URL: "https://gw", Head: "h", Tail: "t"}
	var fields map[string]any
	if err := json.Unmarshal([]byte(mustJSON(s.sale.View())), &fields); err != nil {
		t.Fatal(err)
	}
	attempt, ok := fields["attempts"].([]any)[0].(map[string]any)
	if !ok || attempt["code_mask"] != "28…3456" {
		t.Errorf("the mask is %v", attempt["code_mask"])
	}
	for _, secret := range []string{"key", "digest", "due", "cancel_wanted"} {
		if _, told := fields[secret]; told {
			t.Errorf("the view tells %q", secret)
		}
	}
	for _, secret := range []string{"intent", "seq", "call", "next", "sends"} {
		if _, told := attempt[secret]; told {
			t.Errorf("the view of an attempt tells %q", secret)
		}
	}
}
