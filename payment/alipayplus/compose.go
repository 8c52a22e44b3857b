package alipayplus

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
)

const (
	payPath     = "/aps/api/v1/payments/pay"
	inquirePath = "/aps/api/v1/payments/inquiryPayment"
	cancelPath  = "/aps/api/v1/payments/cancelPayment"
	refundPath  = "/aps/api/v1/payments/refund"
)

// requestIDForm holds the vendor's 64 characters at most.
var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// Every scalar is a JSON string, and nothing empty is sent: omitempty leaves out
// what is not used (vendor page, "Set the data type of each field as String").

type payBody struct {
	RequestID  string          `json:"paymentRequestId"`
	Amount     amountBody      `json:"paymentAmount"`
	Order      orderBody       `json:"order"`
	Factor     factorBody      `json:"paymentFactor"`
	Expiry     string          `json:"paymentExpiryTime,omitempty"`
	NotifyURL  string          `json:"paymentNotifyUrl,omitempty"`
	Settlement *settlementBody `json:"settlementStrategy,omitempty"`
	Method     *methodBody     `json:"paymentMethod,omitempty"`
}

type amountBody struct {
	Currency payment.Currency `json:"currency"`
	Value    string           `json:"value"` // minor units
}

type orderBody struct {
	ReferenceID string       `json:"referenceOrderId"`
	Description string       `json:"orderDescription"`
	Amount      amountBody   `json:"orderAmount"`
	Merchant    merchantBody `json:"merchant"`
	Env         envBody      `json:"env"`
}

type merchantBody struct {
	ReferenceID string      `json:"referenceMerchantId"`
	Name        string      `json:"merchantName"`
	MCC         string      `json:"merchantMCC"`
	Address     addressBody `json:"merchantAddress"`
	Store       storeBody   `json:"store"`
}

type addressBody struct {
	Region   string `json:"region"`
	State    string `json:"state,omitempty"`
	City     string `json:"city,omitempty"`
	Address1 string `json:"address1,omitempty"`
	Address2 string `json:"address2,omitempty"`
	ZipCode  string `json:"zipCode,omitempty"`
}

type storeBody struct {
	ReferenceID string `json:"referenceStoreId"`
	Name        string `json:"storeName"`
	MCC         string `json:"storeMCC"`
}

type envBody struct {
	StoreTerminalID          string `json:"storeTerminalId"`
	StoreTerminalRequestTime string `json:"storeTerminalRequestTime"`
	UserAgent                string `json:"userAgent,omitempty"` // an order code requires it
}

type factorBody struct {
	InStore  string `json:"isInStorePayment"`
	Cashier  string `json:"isCashierPayment,omitempty"`
	Scenario string `json:"inStorePaymentScenario"`
}

type settlementBody struct {
	Currency payment.Currency `json:"settlementCurrency"`
}

type methodBody struct {
	Type string `json:"paymentMethodType"`
	ID   string `json:"paymentMethodId,omitempty"`
}

const (
	scenarioCode  = "PaymentCode"
	scenarioQR    = "OrderCode"
	connectWallet = "CONNECT_WALLET"
	userAgent     = "payscand"
)

// codeHole is where the payment code goes.
var codeHole = exchange.Hole{
	Open:  `,"paymentMethod":{"paymentMethodType":"` + connectWallet + `","paymentMethodId":"`,
	Close: `"}}`,
}

// orderCodeLife is asked for an order code. It must be shorter than the vendor's
// three minutes, or those take effect.
const orderCodeLife = orderLife - 10*time.Second

// timeForm is ISO 8601 as in the vendor's examples.
const timeForm = "2006-01-02T15:04:05-07:00"

// Compose builds the body of the attempt's pay request. Times in it are the
// gateway's, as far as its clock is known. It refuses an amount below 1 minor
// unit, a currency that is not one's form, a request id that is not 1 to 64
// letters, digits and '-', and an order code without a notification URL, which the
// vendor requires. A long description is cut, not refused.
func (g *Gateway) Compose(s payment.Sale, a payment.Attempt) (payment.Intent, error) {
	amount := amountBody{s.Amount.Currency, strconv.FormatInt(s.Amount.Amount, 10)}
	at := a.SubmittedAt.Add(g.client.ClockOffset())
	body := payBody{
		RequestID: a.RequestID, Amount: amount, NotifyURL: g.config.NotifyURL,
		Order: orderBody{
			ReferenceID: s.ID, Amount: amount, Merchant: g.merchant(),
			Description: exchange.Describe(maxDescription, g.config.TerminalCode, s.Reference, s.Description),
			Env:         envBody{StoreTerminalID: g.config.TerminalCode, StoreTerminalRequestTime: at.UTC().Format(timeForm)},
		},
	}
	if c := g.config.SettlementCurrency; c != "" && c != s.Amount.Currency {
		body.Settlement = &settlementBody{c}
	}
	var problems []error
	switch a.Instrument {
	case payment.InstrumentCode:
		body.Factor = factorBody{InStore: "true", Scenario: scenarioCode}
	case payment.InstrumentQR:
		body.Factor = factorBody{InStore: "true", Cashier: "true", Scenario: scenarioQR}
		body.Order.Env.UserAgent = userAgent
		body.Expiry = at.Add(orderCodeLife).UTC().Format(timeForm)
		body.Method = &methodBody{Type: connectWallet}
		if g.config.NotifyURL == "" {
			problems = append(problems, errors.New("an order code needs notify_url in the configuration"))
		}
	default:
		problems = append(problems, errors.New("the attempt has no instrument"))
	}
	problems = append(problems, composeProblems(s, a)...)
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

func composeProblems(s payment.Sale, a payment.Attempt) (problems []error) {
	if s.Amount.Amount < 1 {
		problems = append(problems, fmt.Errorf("amount %d: Alipay+ takes 1 minor unit or more", s.Amount.Amount))
	}
	if !currencyForm.MatchString(string(s.Amount.Currency)) {
		problems = append(problems, fmt.Errorf("currency %.3q: want an ISO 4217 code", string(s.Amount.Currency)))
	}
	if !requestIDForm.MatchString(a.RequestID) {
		problems = append(problems, errors.New("request id: want 1 to 64 letters, digits or '-'"))
	}
	if !exchange.IsID(s.ID) {
		problems = append(problems, errors.New("sale id: want 1 to 64 visible characters"))
	}
	if a.SubmittedAt.IsZero() {
		problems = append(problems, errors.New("the attempt does not say when it was submitted"))
	}
	return problems
}

func (g *Gateway) merchant() merchantBody {
	m := g.config.Merchant
	return merchantBody{
		ReferenceID: m.ReferenceID, Name: m.Name, MCC: m.MCC, Address: addressBody(m.Address), Store: storeBody(g.config.Store),
	}
}
