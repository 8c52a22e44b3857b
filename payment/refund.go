package payment

import "time"

// MaxRefunds bounds the refunds and reversals of one sale: their request ids
// take the numbers that follow those of its attempts, two digits at most.
const MaxRefunds = 90

// RefundStatus says what is known of one refund.
type RefundStatus string

const (
	// RefundSubmitting: the request is on its way. After a crash: unknown.
	RefundSubmitting RefundStatus = "submitting"
	// RefundPending: the gateway has it, or a person there must review it.
	RefundPending RefundStatus = "pending"
	// RefundUnknown: nobody knows whether the gateway has it.
	RefundUnknown RefundStatus = "unknown"
	// RefundSucceeded and RefundFailed are final.
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
)

// RefundStatuses lists every refund status.
func RefundStatuses() []RefundStatus {
	return []RefundStatus{RefundSubmitting, RefundPending, RefundUnknown, RefundSucceeded, RefundFailed}
}

// Final reports whether the refund is over. Until then its amount is reserved.
func (s RefundStatus) Final() bool { return s == RefundSucceeded || s == RefundFailed }

// Refund gives money of one capture back, whole or in part (M13). A reversal is
// one that nobody asked for (M12).
type Refund struct {
	N         int    `json:"n"` // 1-based
	RequestID string `json:"request_id"`
	Attempt   int    `json:"attempt"` // whose capture it gives back
	Amount    Money  `json:"amount"`
	// Automatic: a reversal of a capture that should not be (M12).
	Automatic bool         `json:"automatic,omitempty"`
	Note      string       `json:"note,omitempty"` // the register's reason
	Status    RefundStatus `json:"status"`
	Reason    Reason       `json:"reason,omitempty"`
	// GatewayCode is the gateway's own result code.
	GatewayCode string    `json:"gateway_code,omitempty"`
	RefundID    string    `json:"refund_id,omitempty"`
	RequestedAt time.Time `json:"requested_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`

	// Key and Digest are the register's idempotency key and its request's digest.
	Key    string `json:"key,omitempty"`
	Digest string `json:"digest,omitempty"`

	Seq      int       `json:"seq"`
	Call     *InFlight `json:"call,omitempty"`
	CalledAt time.Time `json:"called_at,omitzero"`
	Next     CallKind  `json:"next,omitempty"`
	NextAt   time.Time `json:"next_at,omitzero"`
	Polls    int       `json:"polls,omitempty"`
	Sends    int       `json:"sends,omitempty"`
	// Doubted: the gateway may have a send whose end was not told, so that a
	// failure told to another send proves nothing, and a partial refund is not
	// sent again (M13).
	Doubted bool `json:"doubted,omitempty"`
	// IDFromResend: RefundID was learnt after a second send, so that its failure
	// says nothing about the first.
	IDFromResend bool `json:"id_from_resend,omitempty"`
}

// Capture is money that was taken for an attempt that is over, or whose sale was
// to be cancelled. It is given back after it was seen twice (M12).
type Capture struct {
	FoundAt   time.Time `json:"found_at"`
	Amount    Money     `json:"amount"`
	PaymentID string    `json:"payment_id"`
	Sightings int       `json:"sightings"`
	// Kept says why it is not given back by itself; empty: it will be, or was.
	Kept CaptureKept `json:"kept,omitempty"`
}

// CaptureKept is why a late capture waits for a person.
type CaptureKept string

const (
	// KeptByPolicy: reverse_late_captures is off.
	KeptByPolicy CaptureKept = "policy"
	// KeptByLimit: the day's automatic reversals are used up; tried again daily.
	KeptByLimit CaptureKept = "limit"
	// KeptByRefund: a refund of it is not over, and may have given a part back; it is
	// looked at again until that is known.
	KeptByRefund CaptureKept = "refund"
	// KeptUnconfirmed: it was seen once, and not again until the watch was over. A
	// check looks again.
	KeptUnconfirmed CaptureKept = "unconfirmed"
	// KeptByAmount: amount or currency are not those of the sale.
	KeptByAmount CaptureKept = "amount"
)

// Returned is money of a payment that was given back and not by this terminal, as
// the gateway told when it was asked.
type Returned struct {
	Extent Extent `json:"extent"`
	// Amount is all of the payment where all was given back; else zero, not known.
	Amount  Money     `json:"amount,omitzero"`
	FoundAt time.Time `json:"found_at"`
}

// Watch looks after an attempt that ended without payment, in case it is
// captured after all (M12).
type Watch struct {
	// Step counts the questions of Policy.Watch that were answered.
	Step int `json:"step"`
	// From is when the attempt ended: its times are counted from it.
	From time.Time `json:"from"`
}

// Override is a person's decision about an unresolved sale.
type Override struct {
	Outcome  OverrideOutcome `json:"outcome"`
	Operator string          `json:"operator"`
	Note     string          `json:"reason"`
	At       time.Time       `json:"at"`
}

// OverrideOutcome is what a person decided.
type OverrideOutcome string

const (
	OverridePaid    OverrideOutcome = "paid"
	OverrideNotPaid OverrideOutcome = "not_paid"
)

// Refunded is what was given back for certain, in minor units of the sale's
// currency: by refunds and reversals, and all of a payment that others gave back in
// full. What they gave back in part is not in it, because nobody tells how much it is.
func (s Sale) Refunded() int64 {
	sum := s.refundSum(func(r Refund) bool { return r.Status == RefundSucceeded })
	for _, a := range s.Attempts {
		if a.returnedInFull() && a.Returned.Amount.Currency == s.Amount.Currency {
			sum += a.Returned.Amount.Amount - s.refundSum(func(r Refund) bool { return r.Status == RefundSucceeded && r.Attempt == a.N })
		}
	}
	return sum
}

func (a Attempt) returnedInFull() bool {
	return a.Returned != nil && a.Returned.Extent == ReturnedInFull
}

// Refundable is what may still be refunded of a paid sale: the amount paid less
// what was given back, and less what is on its way (M13).
func (s Sale) Refundable() int64 {
	if s.Receipt == nil {
		return 0
	}
	return max(0, s.Receipt.PaidAmount.Amount-s.given(s.paidAttempt()))
}

// given is what was given back of an attempt's capture, or may have been.
func (s Sale) given(attempt int) int64 {
	if a := s.Attempt(attempt); a != nil && a.returnedInFull() {
		return a.Returned.Amount.Amount
	}
	return s.ours(attempt)
}

// ours is what this terminal gave back of an attempt's capture, or may have.
func (s Sale) ours(attempt int) int64 {
	return s.refundSum(func(r Refund) bool { return r.Status != RefundFailed && r.Attempt == attempt })
}

func (s Sale) refundSum(counts func(Refund) bool) (sum int64) {
	for _, r := range s.Refunds {
		if counts(r) {
			sum += r.Amount.Amount
		}
	}
	return sum
}

// paidAttempt is the number of the attempt that paid the sale, 0 if none did.
func (s Sale) paidAttempt() int {
	for _, a := range s.Attempts {
		if a.Status == AttemptPaid {
			return a.N
		}
	}
	return 0
}

// Attempt returns the n-th attempt, or nil. The pointer is into s.Attempts.
func (s Sale) Attempt(n int) *Attempt {
	if n < 1 || n > len(s.Attempts) {
		return nil
	}
	return &s.Attempts[n-1]
}

// DigestOf returns the digest of the request that came with an idempotency key
// of this sale or of one of its refunds.
func (s Sale) DigestOf(key string) string {
	for _, r := range s.Refunds {
		if r.Key == key {
			return r.Digest
		}
	}
	return s.Digest
}

// Open reports whether a start must take the sale up: it is not final, a refund
// of it is not, or a call about it was under way.
func (s Sale) Open() bool {
	if !s.Status.Final() {
		return true
	}
	for _, r := range s.Refunds {
		if !r.Status.Final() {
			return true
		}
	}
	for _, a := range s.Attempts {
		if a.Call != nil {
			return true
		}
	}
	return false
}
