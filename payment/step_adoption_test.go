package payment_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"payscand/payment"
)

// A terminal that is not adopted begins nothing: whatever state a sale was in,
// whatever its questions are answered and however long it takes, no call that can
// move money is made (P1, M1), the sale does not stay live, and its questions go
// on at a pause. Adopted, it is taken up without a second send.
func TestInquireOnly(t *testing.T) {
	examples := mustExplore(t).examples
	if len(examples) < len(payment.SaleStatuses())-1 {
		t.Fatalf("sales in %d statuses only", len(examples))
	}
	r := rand.New(rand.NewPCG(1, 1))
	tried := 0
	for name, traits := range map[string]payment.Traits{"AlphaPay": alphaPayLike, "Alipay+": alipayPlusLike} {
		policy := newCounter(randomly(1), traits).policy
		held := policy
		held.InquireOnly = true
		for status, sales := range examples {
			for i, s := range sales {
				tried++
				problem := holdBack(s, held, policy, r)
				if problem != "" {
					t.Fatalf("%s, %s sale %d: %s\n%+v", name, status, i, problem, s)
				}
			}
		}
	}
	t.Logf("%d sales held back", tried)
}

func movesMoney(k payment.CallKind) bool {
	return k == payment.CallPay || k == payment.CallCancel || k == payment.CallRefund
}

func holdBack(s payment.Sale, held, adopted payment.Policy, r *rand.Rand) (problem string) {
	now := s.UpdatedAt
	sends := make([]int, len(s.Attempts))
	for i, a := range s.Attempts {
		if a.SubmittedAt.After(now) {
			now = a.SubmittedAt
		}
		sends[i] = a.Sends
	}
	var calls []payment.Call
	step := func(e payment.Event, p payment.Policy) {
		change, started, err := payment.Step(s, e, now, p)
		if err != nil {
			problem = err.Error()
			return
		}
		if change.After.ID != "" {
			s = change.After
		}
		for _, c := range started {
			if p.InquireOnly && movesMoney(c.Kind) {
				problem = "a " + string(c.Kind) + " was sent"
			}
		}
		calls = append(calls, started...)
	}
	step(payment.Recovered{}, held)
	began, asked := now, 0
	for turns := 0; problem == "" && now.Sub(began) < 72*time.Hour; turns++ {
		switch {
		case turns > 2000:
			return fmt.Sprintf("it is due for ever: %+v at %v", s, now)
		case len(calls) > 0:
			c := calls[0]
			calls = calls[1:]
			asked++
			step(payment.Outcome{Attempt: c.Attempt, Refund: c.Refund, Seq: c.Seq, Verdict: anyVerdict(s, c, r)}, held)
		case s.Due.IsZero():
			now = began.Add(72 * time.Hour)
		default:
			if s.Due.After(now) {
				now = s.Due
			}
			step(payment.Due{Gateway: "gw"}, held)
		}
	}
	switch {
	case problem != "":
		return problem
	case s.Status.Live():
		return "it is still " + string(s.Status)
	case s.Status == payment.SaleUnresolved && s.Due.IsZero() && len(calls) == 0:
		return "nobody asks about it any more"
	case asked > 600:
		return "it was asked about too often"
	}
	step(payment.Recovered{}, adopted)
	for i, a := range s.Attempts {
		if i < len(sends) && !a.Status.Final() && a.Call != nil && a.Call.Kind == payment.CallPay {
			return "adopted, a pay was sent again"
		}
	}
	return problem
}

// anyVerdict is an answer that a question may bring.
func anyVerdict(s payment.Sale, c payment.Call, r *rand.Rand) payment.Verdict {
	requestID := s.Attempts[c.Attempt-1].RequestID
	if c.Refund > 0 {
		requestID = s.Refunds[c.Refund-1].RequestID
	}
	classes := []payment.Class{
		payment.ClassNoAnswer, payment.ClassPending, payment.ClassNotFound, payment.ClassRetryLater, payment.ClassFailed,
		payment.ClassClosed, payment.ClassPaid, payment.ClassRefused, payment.ClassNotSent,
	}
	v := payment.Verdict{Class: classes[r.IntN(len(classes))]}
	if v.Class.Verified() && v.Class != payment.ClassNotFound {
		v.RequestID = requestID
	}
	if v.Class == payment.ClassPaid {
		v.PaymentID, v.Amount = "P-"+requestID, s.Amount
	}
	return v
}
