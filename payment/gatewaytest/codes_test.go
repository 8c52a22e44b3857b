package gatewaytest_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"time"

	"payscand/display"
	"payscand/payment"
	"payscand/payment/alipayplus"
	"payscand/payment/alphapay"
	"payscand/payment/exchange"
)

// alphaPayCodes are all result codes of the vendor's page "Keys and Parameters",
// with the status that fits their words (the page names none), and SUCCESS.
const alphaPayCodes = `
SUCCESS S
PAYMENT_IN_PROCESS U
ORDER_MISMATCH F
ORDER_PAID F
SYSTEMERROR U
INVALID_MERCHANT_CODE F
SIGN_TIMEOUT F
INVALID_SIGN F
PARAM_INVALID F
INVALID_METHOD_TYPE F
EXIST_PROCESSING_REFUND F
REFUND_VALID_DATE_EXCEED F
REFUND_NEED_REVIEW U
INVALID_REFUND_AMOUNT F
REFUND_NOT_ENOUGH_BALANCE F
FULL_REFUND_COMPLETED F
INVALID_PAYMENT_CODE F
`

// alipayPlusCodes are all result codes of the vendor's pages with their status:
// the order code page's, then those that the pages of the other calls add.
const alipayPlusCodes = `
SUCCESS S
ACCESS_DENIED F
BUSINESS_NOT_SUPPORT F
CURRENCY_NOT_SUPPORT F
INVALID_CLIENT F
INVALID_CONTRACT F
INVALID_SIGNATURE F
KEY_NOT_FOUND F
MEDIA_TYPE_NOT_ACCEPTABLE F
MERCHANT_NOT_REGISTERED F
METHOD_NOT_SUPPORTED F
NO_INTERFACE_DEF F
ORDER_IS_CLOSED F
PARAM_ILLEGAL F
PAYMENT_AMOUNT_EXCEED_LIMIT F
PAYMENT_AMOUNT_INVALID F
PAYMENT_COUNT_EXCEED_LIMIT F
PROCESS_FAIL F
REPEAT_REQ_INCONSISTENT F
RISK_REJECT F
UNAVAILABLE_PAYMENT_METHOD F
USER_AMOUNT_EXCEED_LIMIT F
USER_BALANCE_NOT_ENOUGH F
USER_KYC_NOT_QUALIFIED F
USER_NOT_EXIST F
USER_PAYMENT_VERIFICATION_FAILED F
USER_STATUS_ABNORMAL F
PAYMENT_IN_PROCESS U
REQUEST_TRAFFIC_EXCEED_LIMIT U
UNKNOWN_EXCEPTION U
INVALID_CODE F
EXPIRED_CODE F
REGULATION_RESTRICTION F
ORDER_NOT_EXIST F
CANCEL_WINDOW_EXCEED F
REFUND_AMOUNT_EXCEED F
REFUND_WINDOW_EXCEED F
`

// scripted is a vendor that answers each call as the test says, without a network
// or keys.
type scripted struct {
	answer func(path string) string
	now    time.Time
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	header := http.Header{}
	for _, name := range []string{"Signature", "Nonce"} {
		header.Set(name, "x")
	}
	header.Set("Response-Time", s.now.Format(time.RFC3339))
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(s.answer(r.URL.Path)))}, nil
}

func (*scripted) Sign([]byte) (string, error) { return "x", nil }
func (*scripted) Verify([]byte, string) error { return nil }
func (s *scripted) Now() time.Time            { return s.now }
func (*scripted) Elapsed() time.Duration      { return 0 }

// register drives one sale through payment.Step and a gateway.
type register struct {
	t       *testing.T
	vendor  *scripted
	gateway payment.Gateway
	policy  payment.Policy
	sale    payment.Sale
	last    payment.Verdict
}

const soldID = "01JZ8M3V0QK6T9X2B4C5D7E8F9"

func (r *register) do(e payment.Event) {
	r.t.Helper()
	change, calls, err := payment.Step(r.sale, e, r.vendor.now, r.policy)
	if err != nil {
		r.t.Fatal(err)
	}
	if change.After.ID != "" {
		r.sale = change.After
	}
	for _, c := range calls {
		if a := r.sale.Attempt(c.Attempt); c.Kind == payment.CallPay {
			if a.Intent, err = r.gateway.Compose(r.sale, *a); err != nil {
				r.t.Fatal(err)
			}
		}
		request, err := r.gateway.Prepare(r.sale, c, r.vendor.now)
		if err != nil {
			r.t.Fatal(err)
		}
		r.last = r.gateway.Send(r.t.Context(), request)
		r.do(payment.Outcome{Attempt: c.Attempt, Refund: c.Refund, Seq: c.Seq, Verdict: r.last, MayReverse: true})
	}
}

// vendorCase is a vendor and how its answers are written.
type vendorCase struct {
	name, codes string
	open        func(*scripted) (payment.Gateway, error)
	// answer is to a call that a code decides; paid to an inquiry about a paid order.
	answer func(path, status, code string) string
	paid   string
}

func answerWith(status, code, members string) string {
	if members != "" {
		members += ","
	}
	return "{" + members + `"result":{"resultCode":"` + code + `","resultMessage":"words","resultStatus":"` + status + `"}}`
}

const (
	soldIDs   = `"paymentRequestId":"` + soldID + `-1","paymentId":"P1"`
	refundIDs = `"refundRequestId":"` + soldID + `-10","refundId":"R1"`
)

func vendors() []vendorCase {
	outside := func(s *scripted) exchange.Outside {
		return exchange.Outside{Transport: s, Signer: s, Verifier: s, Clock: s}
	}
	return []vendorCase{
		{
			name: "AlphaPay", codes: alphaPayCodes,
			open: func(s *scripted) (payment.Gateway, error) {
				return alphapay.New(alphapay.Config{
					Name: "gateway", BaseURL: "https://openapi.alphapay.ca", MerchantCode: "9FEOWJ", TerminalCode: "L1", Outside: outside(s),
				})
			},
			answer: func(path, status, code string) string {
				switch {
				case status == "F":
					return answerWith(status, code, "")
				case strings.HasSuffix(path, "/refund"):
					return answerWith(status, code, refundIDs)
				}
				return answerWith(status, code, soldIDs)
			},
			paid: answerWith("S", "SUCCESS", soldIDs+`,"order":{"orderAmount":{"value":"1234","currency":"CAD"}},"paymentStatus":"SUCCESS"`),
		},
		{
			name: "Alipay+", codes: alipayPlusCodes,
			open: func(s *scripted) (payment.Gateway, error) {
				return alipayplus.New(alipayplus.Config{
					Name: "gateway", BaseURL: "https://open-sea.alipayplus.com", ClientID: "5J0", TerminalCode: "L1", Outside: outside(s),
					Merchant: alipayplus.Merchant{ReferenceID: "M1", Name: "Corner Shop", MCC: "5411", Address: alipayplus.Address{Region: "CA"}},
					Store:    alipayplus.Store{ReferenceID: "S1", Name: "Main Street", MCC: "5411"},
				})
			},
			answer: func(path, status, code string) string {
				switch {
				case status == "F":
					return answerWith(status, code, "")
				case strings.HasSuffix(path, "/refund"):
					return answerWith(status, code, `"refundId":"R1"`)
				}
				return answerWith(status, code, `"paymentId":"P1"`)
			},
			paid: answerWith("S", "SUCCESS", soldIDs+`,"paymentAmount":{"value":"1234","currency":"CAD"},`+
				`"paymentResult":{"resultCode":"SUCCESS","resultMessage":"words","resultStatus":"S"}`),
		},
	}
}

func (c vendorCase) register(t *testing.T) *register {
	t.Helper()
	s := &scripted{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	g, err := c.open(s)
	if err != nil {
		t.Fatal(err)
	}
	policy := payment.DefaultPolicy()
	policy.Routes = []payment.Route{{Wallet: "*", Instrument: "*", Gateway: "gateway"}}
	policy.Gateways = map[string]payment.Traits{"gateway": g.Traits()}
	r := &register{t: t, vendor: s, gateway: g, policy: policy}
	r.do(payment.Created{ID: soldID, Key: "k", Amount: payment.Money{Amount: 1234, Currency: "CAD"}, Mode: payment.ModeScan, Scanner: true})
	return r
}

func (r *register) scan() {
	r.t.Helper()
	r.do(payment.CodePresented{Code: payment.NewCode("281234567890123456"), Wallet: payment.WalletAlipayPlus})
}

// sold is what a result code to a pay request makes of a sale.
func (c vendorCase) sold(t *testing.T, status, code string) string {
	t.Helper()
	r := c.register(t)
	r.vendor.answer = func(path string) string {
		if strings.HasSuffix(path, "/pay") {
			return c.answer(path, status, code)
		}
		return c.paid
	}
	r.scan()
	a := r.sale.Attempts[0]
	return row(code, string(r.sale.Status), a.Reason, false)
}

// refunded is what a result code to a refund request makes of a refund.
func (c vendorCase) refunded(t *testing.T, status, code string) string {
	t.Helper()
	r := c.register(t)
	r.vendor.answer = func(path string) string {
		switch {
		case strings.HasSuffix(path, "/pay"):
			return c.answer(path, "S", "SUCCESS")
		case strings.HasSuffix(path, "/refund"):
			return c.answer(path, status, code)
		}
		return c.paid
	}
	r.scan()
	if r.sale.Status != payment.SalePaid {
		t.Fatalf("the sale is %s", r.sale.Status)
	}
	r.do(payment.RefundRequested{Key: "r", Amount: 500})
	refund := r.sale.Refunds[0]
	return row(code, string(refund.Status), refund.Reason, true)
}

func row(code, status string, reason payment.Reason, refund bool) string {
	cashier, customer := display.Words(reason, refund)
	if reason == "" {
		cashier, customer = "–", "–"
	}
	return fmt.Sprintf("| `%s` | `%s` | %s | %s |", code, status, customer, cashier)
}

var update = flag.Bool("update", false, "write the tables of result codes into docs/gateways.md")

// guide is where the tables are for people.
const guide = "../../docs/gateways.md"

// Every result code of both vendors, driven through the real client and
// payment.Step: what it makes of a sale and of a refund, and what the customer and
// the operator are told. The tables are those of docs/gateways.md, where a person
// has read them; this test holds them equal to what happens.
func TestEveryResultCode(t *testing.T) {
	document, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	changed := document
	for _, c := range vendors() {
		for what, drive := range map[string]func(*testing.T, string, string) string{"sale": c.sold, "refund": c.refunded} {
			var table strings.Builder
			fmt.Fprintf(&table, "| Code | %s | The customer is told | The operator is told |\n|---|---|---|---|\n", strings.ToUpper(what[:1])+what[1:])
			for line := range strings.Lines(strings.TrimSpace(c.codes)) {
				code, status, _ := strings.Cut(strings.TrimSpace(line), " ")
				fmt.Fprintln(&table, drive(t, status, code))
			}
			begin := fmt.Sprintf("<!-- begin %s %s -->\n", c.name, what)
			end := fmt.Sprintf("<!-- end %s %s -->", c.name, what)
			before, rest, found := bytes.Cut(changed, []byte(begin))
			_, after, ends := bytes.Cut(rest, []byte(end))
			if !found || !ends {
				t.Fatalf("%s has no place %q", guide, strings.TrimSpace(begin))
			}
			changed = bytes.Join([][]byte{before, []byte(begin), []byte(table.String()), []byte(end), after}, nil)
		}
	}
	if bytes.Equal(changed, document) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from what happens: read the difference of go test ./payment/gatewaytest -run EveryResultCode -update", guide)
	}
	if err := os.WriteFile(guide, changed, 0o644); err != nil {
		t.Fatal(err)
	}
}
