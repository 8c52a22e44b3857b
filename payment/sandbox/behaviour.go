package sandbox

import (
	"fmt"
	"regexp"
	"slices"
)

// Behaviour is a row of the table by which the last two digits of a payment code
// choose what happens to the payment and, from 40 on, to its refunds.
type Behaviour struct {
	Digits string `json:"digits"` // the last two digits of the code
	Name   string `json:"name"`
	What   string `json:"what"` // what the gateway does and what the shop sees

	AlipayPlus string `json:"alipayplus,omitempty"` // what is otherwise at Alipay+

	arrival arrival
	truth   truth
	failure Failure // for failsAtOnce and failsLater
	answer  answer
	refund  refundCourse
}

// arrival is what happens to a pay request before the gateway knows of it.
type arrival int

const (
	arrives      arrival = iota
	arrivesLate          // the first send is held up, whether or not its sender still waits
	firstIsLost          // the first send is lost; the next is dealt with normally
	firstIsLimit         // the first send is turned away as one too many; the next is dealt with normally
	eachBreaks           // every send gets HTTP 500 and leaves nothing behind
	clockRefused         // every send is refused for its clock
)

// truth is what becomes of the order once the gateway has it.
type truth int

const (
	paysAtOnce      truth = iota
	paysLater             // after the pending delay
	failsAtOnce           //
	failsLater            // after the pending delay
	waits                 // until somebody pays or declines, or it expires
	waitsForEver          // it neither expires nor can be cancelled
	paysAfterCancel       // it waits; a cancel closes it, and after the pending delay it is paid all the same
)

// answer is what is done to the answer of the send that made the order. All
// later answers about the order are right.
type answer int

const (
	answerRight answer = iota
	answerLost
	answerLate
	answerHTTP500
	answerMalformed
	answerDuplicate
	answerMisSigned
	answerUnsigned
	answerWrongAmount
)

// refundCourse is what becomes of the first refund request for an order that can be
// met. Later ones are done at once, and their answers are right.
type refundCourse int

const (
	refundsAtOnce          refundCourse = iota
	refundsLater                        // in process, done after the pending delay
	refundAnswerLost                    // done, and the answer lost
	refundRequestLost                   // nothing is done; of any request that is the first
	refundsReviewed                     // as refundsLater, and the answer says that it is reviewed
	refundsReviewedUnnamed              // likewise, with status F and no refund id
	refusedForADay                      // this one holds for every request within 24 hours after the payment
	refundFails                         // in process, failed after the pending delay
	refundsOnce                         // as refundAnswerLost; and a request id that comes again finds its refund
)

var behaviours = []Behaviour{
	{Digits: "00", Name: "paid at once", What: "Paid; so is every code with digits that this table does not list.", truth: paysAtOnce},
	{Digits: "01", Name: "pending, then paid", What: "The customer confirms on the phone: in process, and paid after the pending delay.", truth: paysLater},
	{Digits: "02", Name: "pending, then failed", What: "In process, and refused by the wallet after the pending delay.", truth: failsLater, failure: FailureDeclined},
	{Digits: "03", Name: "customer never confirms", What: "In process until it is paid or declined here, cancelled, or expires.", truth: waits},
	{Digits: "04", Name: "insufficient balance", What: "Refused with a plain code and a payment id to inquire about.", AlipayPlus: "Refused with USER_BALANCE_NOT_ENOUGH.", truth: failsAtOnce, failure: FailureBalance},
	{Digits: "05", Name: "insufficient balance, undocumented code", What: "Refused with a result code that is in no list, and without a payment id.", truth: failsAtOnce, failure: FailureBalanceUndocumented},
	{Digits: "06", Name: "invalid code", What: "Refused as an invalid payment code; so is a code that no wallet makes.", truth: failsAtOnce, failure: FailureInvalidCode},
	{Digits: "07", Name: "expired code", What: "Refused as an expired payment code.", truth: failsAtOnce, failure: FailureExpiredCode},
	{Digits: "10", Name: "charged, answer lost", What: "Paid, and the connection is cut without an answer. A second send says that it was paid.", AlipayPlus: "The same request again is told that it is paid, with everything.", answer: answerLost},
	{Digits: "11", Name: "not charged, answer lost", What: "The first send is lost without an answer and nothing is charged. A second send is paid normally.", arrival: firstIsLost},
	{Digits: "20", Name: "HTTP 500, not charged", What: "Every send gets HTTP 500 with an HTML page; nothing is ever charged.", arrival: eachBreaks},
	{Digits: "21", Name: "HTTP 500, charged", What: "Paid, and the first answer is HTTP 500 with an HTML page.", answer: answerHTTP500},
	{Digits: "22", Name: "malformed answer", What: "Paid, and the first answer is signed but cut-off JSON.", answer: answerMalformed},
	{Digits: "23", Name: "duplicate names", What: "Paid, and the first answer is signed JSON that says resultStatus F, then S.", answer: answerDuplicate},
	{Digits: "24", Name: "wrong signature", What: "Paid, and the first answer carries the signature of other content.", answer: answerMisSigned},
	{Digits: "25", Name: "unsigned answer", What: "Paid, and the first answer carries no signature.", answer: answerUnsigned},
	{Digits: "26", Name: "wrong amount in the answer", What: "Paid as asked, and the first answer names an amount one minor unit higher.", answer: answerWrongAmount},
	{Digits: "27", Name: "unknown for ever", What: "In process for ever: it never expires and a cancel is not decided either. Paying or declining it here ends it.", AlipayPlus: "A cancel is answered U UNKNOWN_EXCEPTION for ever.", truth: waitsForEver},
	{Digits: "30", Name: "late answer", What: "Paid at once, and the answer comes 20 seconds later.", answer: answerLate},
	{Digits: "31", Name: "late delivery", What: "The first send reaches the gateway 20 seconds late and is then paid, even if nobody waits for it any more.", arrival: arrivesLate},
	{Digits: "32", Name: "paid after the cancel", What: "In process; a cancel is accepted and the order closed, and after the pending delay it is paid all the same.", AlipayPlus: "It is paid after the cancel, and the money is given back at once: inquiries say closed throughout.", truth: paysAfterCancel},
	{Digits: "33", Name: "rate limited", What: "The first send gets HTTP 429 and nothing is charged. A second send is paid normally.", AlipayPlus: "The first send is answered U REQUEST_TRAFFIC_EXCEED_LIMIT.", arrival: firstIsLimit},
	{Digits: "34", Name: "clock refused", What: "Every send is refused because of its clock; nothing is ever charged.", AlipayPlus: "With INVALID_SIGNATURE: the vendor names no code for it.", arrival: clockRefused},
	{Digits: "40", Name: "refund in process, then done", What: "Paid at once. The first refund is accepted, in process, and done after the pending delay.", AlipayPlus: "The first request is answered U; the same again, after the delay, that it is done.", refund: refundsLater},
	{Digits: "41", Name: "refunded, answer lost", What: "Paid at once. The first refund is done, and the connection is cut without an answer. The same request again makes a second refund, as far as money is left.", AlipayPlus: "The same request again finds the refund that was made.", refund: refundAnswerLost},
	{Digits: "42", Name: "not refunded, answer lost", What: "Paid at once. The first refund request is lost without an answer and nothing is given back. A second one is done normally.", refund: refundRequestLost},
	{Digits: "43", Name: "refund needs review, then done", What: "Paid at once. The first refund is answered as unknown with REFUND_NEED_REVIEW and a refund id, and done after the pending delay.", AlipayPlus: "As 40.", refund: refundsReviewed},
	{Digits: "44", Name: "refund short of balance", What: "Paid at once. Every refund is refused for want of unsettled balance until 24 hours after the payment, and then done normally.", AlipayPlus: "With MERCHANT_BALANCE_NOT_ENOUGH.", refund: refusedForADay},
	{Digits: "45", Name: "refund in process, then failed", What: "Paid at once. The first refund is accepted, in process, and failed after the pending delay. A second one is done normally.", AlipayPlus: "The first request is answered U; the same again, after the delay, F PROCESS_FAIL.", refund: refundFails},
	{Digits: "46", Name: "refund needs review, without an id", What: "Paid at once. The first refund is answered as failed with REFUND_NEED_REVIEW and without a refund id, and done after the pending delay all the same.", AlipayPlus: "The first request is answered F PROCESS_FAIL.", refund: refundsReviewedUnnamed},
	{Digits: "47", Name: "refunded once, answer lost", What: "Paid at once. The first refund is done, and the connection is cut without an answer. The same request again is told of that refund: here refunds are idempotent.", AlipayPlus: "As 41.", refund: refundsOnce},
}

// passage is how a pay request's way to the gateway ended.
type passage int

const (
	passes     passage = iota
	isLost             // it never arrived, or the gateway closed meanwhile
	breaks             // an HTTP 500 answered
	isLimited          // it is one too many
	isOffClock         // its clock is refused
)

// passage plays what happens to a pay request before the gateway knows of it. One
// that comes late holds its caller up that long.
func (s *Server) passage(chosen Behaviour, first bool) passage {
	switch {
	case chosen.arrival == clockRefused:
		return isOffClock
	case chosen.arrival == eachBreaks:
		return breaks
	case chosen.arrival == firstIsLimit && first:
		return isLimited
	case chosen.arrival == firstIsLost && first,
		chosen.arrival == arrivesLate && first && !s.wait(s.config.LateBy):
		return isLost
	}
	return passes
}

// Behaviours returns the whole table, in the order of the digits.
func Behaviours() []Behaviour { return slices.Clone(behaviours) }

// qrBehaviour is that of an order whose code the customer scans: it waits for
// the pay page.
var qrBehaviour = Behaviour{Name: "shown as a QR code", What: "Waits for the pay page.", truth: waits}

// QRBehaviour makes the next Times QR orders behave like the row of these digits.
// Where the row ends a scanned payment at once, a QR order waits for its page: it
// is paid there, or refused as the row says.
type QRBehaviour struct {
	Digits string `json:"digits"`
	Times  int    `json:"times"` // 1 to 1,000,000
}

// behaviourFor chooses a new order's behaviour: by the code, or from the queue.
func (l *ledger) behaviourFor(spec orderSpec) Behaviour {
	if spec.Instrument != InstrumentQR {
		return behaviourOf(spec.Code)
	}
	if len(l.qrQueue) == 0 {
		return qrBehaviour
	}
	next := &l.qrQueue[0]
	chosen := behaviourNamed(InstrumentQR, next.Digits)
	if next.Times--; next.Times == 0 {
		l.qrQueue = l.qrQueue[1:]
	}
	return chosen
}

// QueueQRBehaviours adds to what the next QR orders do, all or none of it.
func (s *Server) QueueQRBehaviours(added ...QRBehaviour) error {
	for n, next := range added {
		if !isBehaviour(next.Digits) {
			return fmt.Errorf("behaviour %d: %w", n+1, errNoBehaviour)
		}
		if next.Times < 1 || next.Times > 1_000_000 {
			return fmt.Errorf("behaviour %d: times: want 1 to 1,000,000", n+1)
		}
	}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if len(s.ledger.qrQueue)+len(added) > maxFaults {
		return fmt.Errorf("more than %d behaviours are queued", maxFaults)
	}
	s.ledger.qrQueue = append(s.ledger.qrQueue, added...)
	return nil
}

// QRBehaviours returns what is queued and not yet used up.
func (s *Server) QRBehaviours() []QRBehaviour {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return append([]QRBehaviour{}, s.ledger.qrQueue...)
}

// ClearQRBehaviours empties the queue.
func (s *Server) ClearQRBehaviours() {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.qrQueue = nil
}

func isBehaviour(digits string) bool {
	return slices.ContainsFunc(behaviours, func(b Behaviour) bool { return b.Digits == digits })
}

// behaviourOf returns the row that a payment code chooses. A code that no wallet
// makes is an invalid one.
func behaviourOf(code string) Behaviour {
	if walletOf(code) == "" {
		return behaviourNamed(InstrumentCode, "06")
	}
	return behaviourNamed(InstrumentCode, code[len(code)-2:])
}

// behaviourNamed is the row with these digits, or the first for digits that the
// table does not list. A QR order without digits waits for its page.
func behaviourNamed(instrument Instrument, digits string) Behaviour {
	if instrument == InstrumentQR && digits == "" {
		return qrBehaviour
	}
	return behaviours[max(0, slices.IndexFunc(behaviours, func(b Behaviour) bool { return b.Digits == digits }))]
}

// Wallet is what the customer pays with.
type Wallet string

const (
	WalletAlipay   Wallet = "alipay"
	WalletWeChat   Wallet = "wechat"
	WalletUnionPay Wallet = "unionpay"
)

// walletCodes are the forms of payment codes that wallets make: Alipay and
// Alipay+ 16 to 32 digits from 25–30, or face payment; WeChat Pay 18 digits from
// 10–15; UnionPay 19 digits from 62, or an EMVCo consumer-presented code.
var walletCodes = []struct {
	wallet Wallet
	form   *regexp.Regexp
}{
	{WalletWeChat, regexp.MustCompile(`^1[0-5]\d{16}$`)},
	{WalletAlipay, regexp.MustCompile(`^(2[5-9]|30)\d{14,30}$`)},
	{WalletAlipay, regexp.MustCompile(`^fp[0-9a-zA-Z]{33}$`)},
	{WalletUnionPay, regexp.MustCompile(`^62\d{17}$`)},
	{WalletUnionPay, regexp.MustCompile(`^hQVDUFYwM[0-9a-zA-Z+/]+={0,2}$`)},
}

// walletOf recognises the wallet that made a payment code; "" if none did.
func walletOf(code string) Wallet {
	for _, known := range walletCodes {
		if known.form.MatchString(code) {
			return known.wallet
		}
	}
	return ""
}
