package sandbox

import (
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// This file reads a pay request of Alipay+. Lengths and what is required: the
// vendor's pages "pay" and its model reference; where they name no length, the
// limit is generous.

type plusAmount struct {
	Currency string `json:"currency"` // ISO 4217
	Value    string `json:"value"`    // minor units
}

var (
	plusNumberForm   = regexp.MustCompile(`^\d+$`)
	plusCurrencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

const maxPlusDigits = 12 // of an amount; the vendor names no limit

// check says why the amount is not one, or nil.
func (a *plusAmount) check(name, currency string) *wireResult {
	switch {
	case a == nil:
		return new(plusIllegal(name, "required"))
	case !plusNumberForm.MatchString(a.Value):
		return new(plusIllegal(name+".value", "required, digits only"))
	case !plusCurrencyForm.MatchString(a.Currency):
		return new(plusIllegal(name+".currency", "required, three capital letters"))
	case a.Currency != currency:
		return new(plusBadCurrency)
	case a.Value[0] == '0':
		return new(plusBadAmount)
	case len(a.Value) > maxPlusDigits:
		return new(plusHighAmount)
	}
	return nil
}

// minorUnits is the value of an amount that was checked.
func (a *plusAmount) minorUnits() int64 {
	value, _ := strconv.ParseInt(a.Value, 10, 64) // at most 12 digits
	return value
}

type plusAddress struct {
	Region   string `json:"region"` // ISO 3166, two letters
	State    string `json:"state"`
	City     string `json:"city"`
	Address1 string `json:"address1"`
	Address2 string `json:"address2"`
	ZipCode  string `json:"zipCode"`
}

type plusStore struct {
	ID          string       `json:"referenceStoreId"`
	Name        string       `json:"storeName"`
	MCC         string       `json:"storeMCC"`
	DisplayName string       `json:"storeDisplayName"`
	TerminalID  string       `json:"storeTerminalId"`
	OperatorID  string       `json:"storeOperatorId"`
	PhoneNo     string       `json:"storePhoneNo"`
	Address     *plusAddress `json:"storeAddress"`
}

type plusMerchant struct {
	ID           string       `json:"referenceMerchantId"`
	Name         string       `json:"merchantName"`
	MCC          string       `json:"merchantMCC"`
	DisplayName  string       `json:"merchantDisplayName"`
	RegisterDate string       `json:"merchantRegisterDate"`
	Address      *plusAddress `json:"merchantAddress"`
	Store        *plusStore   `json:"store"`
}

type plusEnv struct {
	TerminalType  string `json:"terminalType"`
	OSType        string `json:"osType"`
	DeviceTokenID string `json:"deviceTokenId"`
	CookieID      string `json:"cookieId"`
	ClientIP      string `json:"clientIp"`
	UserAgent     string `json:"userAgent"`
	TerminalID    string `json:"storeTerminalId"`
	TerminalTime  string `json:"storeTerminalRequestTime"` // ISO 8601
}

// plusOrder is the order of a pay request. What a shop counter has no use for is
// taken as it comes, as long as it is made of strings.
type plusOrder struct {
	ID               string         `json:"referenceOrderId"`
	Description      string         `json:"orderDescription"`
	Amount           *plusAmount    `json:"orderAmount"`
	Merchant         *plusMerchant  `json:"merchant"`
	Env              *plusEnv       `json:"env"`
	Goods            jsontext.Value `json:"goods"`
	Shipping         jsontext.Value `json:"shipping"`
	Buyer            jsontext.Value `json:"buyer"`
	IndirectAcquirer jsontext.Value `json:"indirectAcquirer"`
	ExtendInfo       string         `json:"extendInfo"`
}

type plusMethod struct {
	Type       string         `json:"paymentMethodType"`
	ID         string         `json:"paymentMethodId"` // the payment code
	CustomerID string         `json:"customerId"`
	MetaData   jsontext.Value `json:"paymentMethodMetaData"`
}

type plusFactor struct {
	InStore  string `json:"isInStorePayment"`
	Cashier  string `json:"isCashierPayment"`
	Scenario string `json:"inStorePaymentScenario"`
}

type plusStrategy struct {
	Currency string `json:"settlementCurrency"`
}

type plusPayRequest struct {
	RequestID   string        `json:"paymentRequestId"`
	Order       *plusOrder    `json:"order"`
	Amount      *plusAmount   `json:"paymentAmount"`
	Method      *plusMethod   `json:"paymentMethod"`
	Factor      *plusFactor   `json:"paymentFactor"`
	ExpiryTime  string        `json:"paymentExpiryTime"`
	NotifyURL   string        `json:"paymentNotifyUrl"`
	RedirectURL string        `json:"paymentRedirectUrl"`
	Strategy    *plusStrategy `json:"settlementStrategy"`
	SplitID     string        `json:"splitSettlementId"`
}

// plusField is a string parameter and its limits.
type plusField struct {
	name, value string
	max         int // characters
	required    bool
}

// checkFields says which field is missing or too long, or nil.
func checkFields(fields ...plusField) *wireResult {
	for _, field := range fields {
		if field.required && field.value == "" {
			return new(plusIllegal(field.name, "required"))
		}
		if utf8.RuneCountInString(field.value) > field.max {
			return new(plusIllegal(field.name, "want at most "+strconv.Itoa(field.max)+" characters"))
		}
	}
	return nil
}

const (
	plusWallet      = "CONNECT_WALLET"
	plusPaymentCode = "PaymentCode"
	plusOrderCode   = "OrderCode"

	maxOrderCodeLife   = 3 * time.Minute // the vendor's default and limit
	maxPaymentCodeLife = time.Minute     // our reading: it asks to poll no longer
)

// check reads the request into what the model wants, or says why not.
func (request plusPayRequest) check(config Config, now time.Time) (spec orderSpec, refusal *wireResult) {
	for _, refusal := range []*wireResult{
		checkFields(plusField{"paymentRequestId", request.RequestID, 64, true}, plusField{"splitSettlementId", request.SplitID, 16, false}),
		request.Order.check(config), request.Amount.check("paymentAmount", config.Currency),
		request.checkURL("paymentNotifyUrl", request.NotifyURL), request.checkURL("paymentRedirectUrl", request.RedirectURL),
		request.Strategy.check(config.Currency),
	} {
		if refusal != nil {
			return orderSpec{}, refusal
		}
	}
	spec = orderSpec{Gateway: GatewayAlipayPlus, RequestID: request.RequestID, Amount: request.Amount.minorUnits(), Currency: request.Amount.Currency,
		Description: request.Order.Description, NotifyURL: request.NotifyURL}
	if refusal := request.checkScenario(&spec); refusal != nil {
		return orderSpec{}, refusal
	}
	if request.ExpiryTime != "" {
		expires := parsePlusTime(request.ExpiryTime)
		if expires.IsZero() {
			return orderSpec{}, plusBadExpiry()
		}
		spec.Life = min(spec.Life, expires.Sub(now)) // none is left when a request comes again late
	}
	spec.Life = min(config.scaled(spec.Life), config.OrderLife)
	settlement := ""
	if request.Strategy != nil {
		settlement = request.Strategy.Currency
	}
	spec.Same = []string{request.Amount.Value, request.Amount.Currency, request.Factor.InStore, request.Factor.Cashier, request.Factor.Scenario,
		settlement, request.Method.Type}
	return spec, nil
}

func plusBadExpiry() *wireResult {
	return new(plusIllegal("paymentExpiryTime", "want ISO 8601 with offset, in the future"))
}

// checkScenario checks what the scenarios need, and notes the instrument.
func (request plusPayRequest) checkScenario(spec *orderSpec) *wireResult {
	method, factor, env := request.Method, request.Factor, request.Order.Env
	switch {
	case factor == nil:
		return new(plusIllegal("paymentFactor", "required"))
	case method == nil:
		return new(plusIllegal("paymentMethod", "required"))
	case factor.InStore != "true":
		return new(plusIllegal("paymentFactor.isInStorePayment", `want "true"`))
	}
	if refusal := checkFields(plusField{"paymentMethod.paymentMethodType", method.Type, 64, true},
		plusField{"paymentMethod.customerId", method.CustomerID, 64, false}); refusal != nil {
		return refusal
	}
	if method.Type != plusWallet {
		return new(plusUnknown) // so the vendor's FAQ says
	}
	if env == nil {
		env = &plusEnv{}
	}
	switch factor.Scenario {
	case plusPaymentCode:
		if factor.Cashier != "" && factor.Cashier != "false" {
			return new(plusIllegal("paymentFactor.isCashierPayment", "not used with PaymentCode"))
		}
		spec.Instrument, spec.Code, spec.Life = InstrumentCode, method.ID, maxPaymentCodeLife
		if request.Order.Merchant.Store == nil {
			return new(plusIllegal("order.merchant.store", "required"))
		}
		if parsePlusTime(env.TerminalTime).IsZero() {
			return new(plusIllegal("order.env.storeTerminalRequestTime", "required, ISO 8601 with offset"))
		}
		return checkFields(plusField{"paymentMethod.paymentMethodId", method.ID, 128, true},
			plusField{"order.env.storeTerminalId", env.TerminalID, 64, true})
	case plusOrderCode:
		if factor.Cashier != "true" {
			return new(plusIllegal("paymentFactor.isCashierPayment", `want "true"`))
		}
		if method.ID != "" {
			return new(plusIllegal("paymentMethod.paymentMethodId", "not used with OrderCode"))
		}
		spec.Instrument, spec.Life = InstrumentQR, maxOrderCodeLife
		return checkFields(plusField{"order.env.userAgent", env.UserAgent, 2048, true}, plusField{"paymentNotifyUrl", request.NotifyURL, 2048, true})
	case "":
		return new(plusIllegal("paymentFactor.inStorePaymentScenario", "required"))
	}
	return new(plusBadScenario) // EntryCode and the like are not practised here
}

func (request plusPayRequest) checkURL(name, value string) *wireResult {
	if value == "" {
		return nil
	}
	if !isURL(value) {
		return new(plusIllegal(name, wantURL))
	}
	return nil
}

func (s *plusStrategy) check(currency string) *wireResult {
	switch {
	case s == nil:
		return nil
	case !plusCurrencyForm.MatchString(s.Currency):
		return new(plusIllegal("settlementStrategy.settlementCurrency", "required, three capital letters"))
	case s.Currency != currency: // nothing is converted here
		return new(plusBadCurrency)
	}
	return nil
}

func (o *plusOrder) check(config Config) *wireResult {
	if o == nil {
		return new(plusIllegal("order", "required"))
	}
	if refusal := checkFields(plusField{"order.referenceOrderId", o.ID, 64, true}, plusField{"order.orderDescription", o.Description, 256, true}); refusal != nil {
		return refusal
	}
	if refusal := o.Amount.check("order.orderAmount", config.Currency); refusal != nil {
		return refusal
	}
	if env := o.Env; env != nil {
		if env.TerminalTime != "" && parsePlusTime(env.TerminalTime).IsZero() {
			return new(plusIllegal("order.env.storeTerminalRequestTime", "want ISO 8601 with offset"))
		}
		if refusal := checkFields(plusField{"order.env.clientIp", env.ClientIP, 32, false}, plusField{"order.env.deviceTokenId", env.DeviceTokenID, 64, false},
			plusField{"order.env.userAgent", env.UserAgent, 2048, false}, plusField{"order.env.storeTerminalId", env.TerminalID, 64, false}); refusal != nil {
			return refusal
		}
	}
	return o.Merchant.check(config)
}

func (m *plusMerchant) check(config Config) *wireResult {
	if m == nil {
		return new(plusIllegal("order.merchant", "required"))
	}
	if refusal := checkFields(plusField{"order.merchant.referenceMerchantId", m.ID, 64, true},
		plusField{"order.merchant.merchantName", m.Name, 256, true}, plusField{"order.merchant.merchantMCC", m.MCC, 32, true},
		plusField{"order.merchant.merchantDisplayName", m.DisplayName, 256, false}); refusal != nil {
		return refusal
	}
	if m.Address == nil {
		return new(plusIllegal("order.merchant.merchantAddress", "required"))
	}
	if refusal := m.Address.check("order.merchant.merchantAddress"); refusal != nil {
		return refusal
	}
	if store := m.Store; store != nil {
		if refusal := checkFields(plusField{"order.merchant.store.referenceStoreId", store.ID, 64, true},
			plusField{"order.merchant.store.storeName", store.Name, 256, true}, plusField{"order.merchant.store.storeMCC", store.MCC, 32, true}); refusal != nil {
			return refusal
		}
		if refusal := store.Address.check("order.merchant.store.storeAddress"); refusal != nil {
			return refusal
		}
	}
	if config.MerchantID != "" && m.ID != config.MerchantID {
		return new(plusNoMerchant)
	}
	return nil
}

var regionForm = regexp.MustCompile(`^[A-Z]{2}$`)

func (a *plusAddress) check(name string) *wireResult {
	if a == nil {
		return nil
	}
	if !regionForm.MatchString(a.Region) {
		return new(plusIllegal(name+".region", "required, two capital letters"))
	}
	return checkFields(plusField{name + ".state", a.State, 8, false}, plusField{name + ".city", a.City, 32, false},
		plusField{name + ".address1", a.Address1, 256, false}, plusField{name + ".address2", a.Address2, 256, false}, plusField{name + ".zipCode", a.ZipCode, 32, false})
}
