package alphapay

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"payscand/payment"
	"payscand/payment/exchange"
)

// Limits of a pay request. The amount's form and the description's length are the
// vendor's; the length of a request id is not documented (SDK examples have 36
// characters, 32 is kept to be safe).
const (
	maxAmount      = 9_999_999 // minor units: ^\d{1,7}$
	maxDescription = 128       // characters
)

var (
	currencies    = []payment.Currency{"CAD", "USD", "CNY"}
	requestIDForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)
)

const (
	scenarioCode = "OFFLINE"
	scenarioQR   = "OFFLINE_QRCODE"
)

const (
	payPath           = "/api/v2.0/payments/pay"
	inquirePath       = "/api/v2.0/payments/inquiryPayment"
	cancelPath        = "/api/v2.0/payments/cancel"
	transactionsPath  = "/api/v2.0/payments/transactions"
	refundPath        = "/api/v2.0/payments/refund"
	settlementsPath   = "/api/v2.0/payments/settlements"
	inquireRefundPath = "/api/v2.0/payments/inquiryRefund"
)

type payBody struct {
	ScenarioCode string    `json:"scenarioCode"`
	RequestID    string    `json:"paymentRequestId"`
	Order        orderBody `json:"order"`
}

type orderBody struct {
	Amount      amountBody `json:"orderAmount"`
	Description string     `json:"description"`
	NotifyURL   string     `json:"notifyUrl,omitempty"`
}

type amountBody struct {
	Value    string           `json:"value"` // minor units
	Currency payment.Currency `json:"currency"`
}

// codeHole is where the payment code goes. No paymentMethodType is sent with
// OFFLINE, as in the vendor's SDK.
var codeHole = exchange.Hole{Open: `,"paymentMethod":{"paymentCode":"`, Close: `"}}`}

// Compose builds the body of the attempt's pay request. The same sale and attempt
// give the same bytes. It refuses an amount outside 1 to 9,999,999 minor units, a
// currency other than CAD, USD and CNY, and a request id other than 1 to 32
// letters, digits and '-'. A long description is cut, not refused.
func (g *Gateway) Compose(s payment.Sale, a payment.Attempt) (payment.Intent, error) {
	body := payBody{
		RequestID: a.RequestID,
		Order: orderBody{
			Amount:      amountBody{strconv.FormatInt(s.Amount.Amount, 10), s.Amount.Currency},
			NotifyURL:   g.config.NotifyURL,
			Description: exchange.Describe(maxDescription, g.config.TerminalCode, s.Reference, s.Description),
		},
	}
	var problems []error
	switch a.Instrument {
	case payment.InstrumentCode:
		body.ScenarioCode = scenarioCode
	case payment.InstrumentQR:
		body.ScenarioCode = scenarioQR
	default:
		problems = append(problems, errors.New("the attempt has no instrument"))
	}
	if s.Amount.Amount < 1 || s.Amount.Amount > maxAmount {
		problems = append(problems, fmt.Errorf("amount %d: AlphaPay takes 1 to %d minor units", s.Amount.Amount, maxAmount))
	}
	if !slices.Contains(currencies, s.Amount.Currency) {
		problems = append(problems, fmt.Errorf("currency %.3q: AlphaPay takes CAD, USD and CNY", string(s.Amount.Currency)))
	}
	if !requestIDForm.MatchString(a.RequestID) {
		problems = append(problems, errors.New("request id: want 1 to 32 letters, digits or '-'"))
	}
	if len(problems) > 0 {
		return payment.Intent{}, fmt.Errorf("gateway %s, sale %s: %w", g.client.Name(), s.ID, errors.Join(problems...))
	}
	var hole exchange.Hole
	if a.Instrument == payment.InstrumentCode {
		hole = codeHole
	}
	intent, err := g.client.Intent(payPath, body, hole)
	if err != nil {
		return payment.Intent{}, fmt.Errorf("gateway %s, sale %s: pay request: %w", g.client.Name(), s.ID, err)
	}
	return intent, nil
}
