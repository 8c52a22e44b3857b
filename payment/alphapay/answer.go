package alphapay

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payscand/payment"
)

// question is what a call asks, as far as its answer must agree with it.
type question struct {
	kind      payment.CallKind
	requestID string        // of the order, or of the refund that the call is about; "" for a probe
	elsewhere bool          // another terminal's order, whose request id is not known yet
	paymentID string        // that the call names, or whose refund it is about; "" for pay
	refundID  string        // that an inquiry about a refund names
	amount    payment.Money // of the order or of the refund; zero where the pay request is not known
	qr        bool          // OFFLINE_QRCODE
	code      payment.Code  // pay: must not come back in anything that is shown
}

// answer is every call's answer, as far as it is looked at.
type answer struct {
	Result struct {
		Code   string `json:"resultCode"`
		Status string `json:"resultStatus"`
	} `json:"result"`
	RequestID text `json:"paymentRequestId"`
	PaymentID text `json:"paymentId"`
	Status    text `json:"paymentStatus"`
	Order     struct {
		Amount amountAnswer `json:"orderAmount"`
	} `json:"order"`
	Method struct {
		Type text `json:"paymentMethodType"`
	} `json:"paymentMethod"`
	Info struct {
		URL   text `json:"paymentUrl"`
		Image text `json:"paymentQRImage"`
	} `json:"paymentInfo"`
	PaidAt    text `json:"paymentTime"`
	ExpiresAt text `json:"paymentExpireTime"`

	RefundID        text `json:"refundId"`
	RefundRequestID text `json:"refundRequestId"`
	RefundStatus    text `json:"refundStatus"`
	Refund          struct {
		Amount amountAnswer `json:"refundAmount"`
	} `json:"refund"`

	Transactions []transaction `json:"transactions"`
	Pagination   struct {
		Total text `json:"total"`
	} `json:"pagination"`
}

// amountAnswer is an amount in minor units, where it can be read as one.
type amountAnswer struct {
	Value    text `json:"value"`
	Currency text `json:"currency"`
}

func (a amountAnswer) money() (payment.Money, bool) { return money(a.Value, a.Currency) }

// text is a JSON string, or the digits of a JSON number as they stand: the
// vendor's own SDK takes either for the other. Anything else reads as missing.
type text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	*t = ""
	switch value.Kind() {
	case '"':
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return err
		}
		*t = text(s)
	case '0':
		*t = text(value)
	}
	return nil
}

// decode reads an answer strictly: names exactly as documented, none given twice,
// valid UTF-8, nothing behind the object. Its error says where, never what: the
// answer may repeat the payment code.
func decode(body []byte) (answer, error) {
	var a answer
	err := json.Unmarshal(body, &a)
	if err == nil {
		return a, nil
	}
	what, offset := "not the documented JSON", int64(0)
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		what, offset = "not valid JSON", syntactic.ByteOffset
		if errors.Is(err, jsontext.ErrDuplicateName) {
			what = "a name is given twice"
		}
	case errors.As(err, &semantic):
		what, offset = "not the documented type", semantic.ByteOffset
	}
	return answer{}, fmt.Errorf("the answer is malformed at byte %d: %s", offset, what)
}

// judge says what a verified answer means. Where it means nothing the verdict is
// ClassNoAnswer, and the error says why without repeating the answer.
func judge(q question, body []byte) (payment.Verdict, error) {
	a, err := decode(body)
	if err != nil {
		return noVerdict(payment.ReasonAnswerMalformed, ""), err
	}
	v, err := a.judge(q)
	if err != nil {
		reason := payment.ReasonAnswerMalformed
		if errors.Is(err, errMismatch) {
			reason = payment.ReasonAnswerMismatch
		}
		return noVerdict(reason, printable(a.Result.Code, q.code)), err
	}
	return v, nil
}

func noVerdict(reason payment.Reason, code string) payment.Verdict {
	return payment.Verdict{Class: payment.ClassNoAnswer, Reason: reason, GatewayCode: code}
}

var errMismatch = errors.New("the answer is about something else")

func (a answer) judge(q question) (payment.Verdict, error) {
	how, m, listed := interpret(q.kind, a.Result.Status, a.Result.Code)
	if how == contradiction {
		return payment.Verdict{}, errors.New("resultStatus is missing, unknown, or contradicts resultCode")
	}
	v := payment.Verdict{
		Class: m.class, Reason: m.reason, GatewayCode: printable(a.Result.Code, q.code), Documented: listed,
	}
	if q.kind == payment.CallProbe {
		return v, nil
	}
	if isRefundCall(q.kind) {
		return a.judgeRefund(q, how, v)
	}
	if err := a.agrees(q); err != nil {
		return v, err
	}
	v.RequestID, v.PaymentID = string(a.RequestID), string(a.PaymentID)
	v.Amount, _ = a.Order.Amount.money()
	v.Wallet = walletOf(a.Method.Type)
	v.ExpiresAt = parseTime(string(a.ExpiresAt))
	if q.kind == payment.CallPay && (how == succeeded || v.Class == payment.ClassPending) {
		return v, a.placed(q, &v)
	}
	if how == told {
		return v, nil
	}
	v.Documented = true
	switch q.kind {
	case payment.CallInquire:
		return v, a.inquired(&v)
	case payment.CallCancel:
		v.Class = payment.ClassCancelAccepted
		if v.RequestID == "" && v.PaymentID == "" {
			return v, errors.New("the answer does not say which order was cancelled")
		}
	}
	return v, nil
}

// agrees holds what the answer names against what was asked, whatever its result.
func (a answer) agrees(q question) error {
	switch {
	case a.PaymentID != "" && (!isID(string(a.PaymentID)) || holdsCode(string(a.PaymentID), q.code)):
		return errors.New("paymentId is not usable as one")
	case a.RequestID != "" && string(a.RequestID) != q.requestID && !q.elsewhere:
		return fmt.Errorf("%w: another paymentRequestId", errMismatch)
	case a.PaymentID != "" && q.paymentID != "" && string(a.PaymentID) != q.paymentID:
		return fmt.Errorf("%w: another paymentId", errMismatch)
	}
	if amount, told := a.Order.Amount.money(); told && q.kind == payment.CallPay && amount != q.amount {
		return fmt.Errorf("%w: another amount", errMismatch)
	}
	return nil
}

// placed completes the verdict on a pay that made an order: S, or in process. S
// says that the call succeeded, not that money moved.
func (a answer) placed(q question, v *payment.Verdict) error {
	if v.RequestID == "" || v.PaymentID == "" {
		return errors.New("the order has no paymentRequestId or no paymentId")
	}
	v.Documented = true
	if !q.qr {
		if v.Class != payment.ClassPending {
			v.Class = payment.ClassAccepted
		}
		return nil
	}
	v.Class = payment.ClassPending
	url := string(a.Info.URL)
	if !isVisible(url, maxQRPayload) {
		return errors.New("the order has no usable paymentUrl")
	}
	v.QR = &payment.QR{Payload: url, Image: imageOf(string(a.Info.Image))}
	return nil
}

// returned says what a state tells of money given back, by whomever.
var returned = map[text]payment.Extent{"PARTIAL_REFUND": payment.ReturnedInPart, "FULL_REFUND": payment.ReturnedInFull}

// inquired completes the verdict of an inquiry that succeeded. The vendor's list
// of states once prints OFFLINE_QRCODE where waiting is meant, so an unknown state
// is still waiting, never failed.
func (a answer) inquired(v *payment.Verdict) error {
	if v.RequestID == "" || v.PaymentID == "" {
		return errors.New("the inquiry names no paymentRequestId or no paymentId")
	}
	switch a.Status {
	case "SUCCESS", "PARTIAL_REFUND", "FULL_REFUND":
		if v.Amount.Currency == "" {
			return errors.New("a paid order without a usable amount")
		}
		v.Class = payment.ClassPaid
		v.PaidAt = parseTime(string(a.PaidAt))
		v.Returned = returned[a.Status]
	case "CLOSED":
		v.Class, v.Reason = payment.ClassClosed, payment.ReasonNotPaidInTime
	case "FAILED":
		v.Class, v.Reason = payment.ClassFailed, payment.ReasonDeclined
	case "":
		return errors.New("the inquiry has no paymentStatus")
	default:
		v.Class = payment.ClassPending
		v.Documented = a.Status == codeInProcess
	}
	return nil
}

var (
	digitsForm   = regexp.MustCompile(`^\d{1,15}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	longDigits   = regexp.MustCompile(`\d{8,}`)
)

const (
	maxID        = 64
	maxQRPayload = 1024 // bytes; a QR code of level M holds 2,331
)

func isID(s string) bool { return isVisible(s, maxID) }

// isVisible reports whether s is 1 to limit characters of ASCII without spaces.
func isVisible(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// money reads an amount in minor units as AlphaPay writes it.
func money(value, currency text) (payment.Money, bool) {
	if !digitsForm.MatchString(string(value)) || !currencyForm.MatchString(string(currency)) {
		return payment.Money{}, false
	}
	amount, err := strconv.ParseInt(string(value), 10, 64)
	return payment.Money{Amount: amount, Currency: payment.Currency(currency)}, err == nil
}

// walletOf reads paymentMethodType (vendor page: Alipay, Wechat, UnionPay).
func walletOf(method text) payment.Wallet {
	switch strings.ToLower(string(method)) {
	case "alipay", "alipay+":
		return payment.WalletAlipayPlus
	case "wechat":
		return payment.WalletWeChat
	case "unionpay":
		return payment.WalletUnionPay
	}
	return ""
}

// maxImage bounds the ready-made QR image, which is stored with the sale.
const maxImage = 32 << 10

// imageOf returns the order's ready-made QR image as a data URI, or "" where it
// is not a PNG or JPEG in base64. The page shows src values; the SDK's examples
// do not tell whether the prefix is there.
func imageOf(image string) string {
	if !strings.HasPrefix(image, "data:") {
		image = "data:image/png;base64," + image
	}
	for _, prefix := range []string{"data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,"} {
		if data, found := strings.CutPrefix(image, prefix); found && len(image) <= maxImage && data != "" {
			if _, err := base64.StdEncoding.DecodeString(data); err == nil {
				return image
			}
		}
	}
	return ""
}

// maxCode bounds a result code that is passed on, in characters.
const maxCode = 64

// printable makes a result code fit for logs and answers: at most 64 characters
// of printable ASCII, without anything that could be a payment code.
func printable(code string, secret payment.Code) string {
	code = redact(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, code), secret)
	return code[:min(len(code), maxCode)]
}

// redact takes the payment code out of a text that others had a part in, and all
// that has as many digits as one.
func redact(text string, secret payment.Code) string {
	if holdsCode(text, secret) {
		text = strings.ReplaceAll(text, secret.Reveal(), "[payment code]")
	}
	return longDigits.ReplaceAllString(text, "[digits]")
}

func holdsCode(s string, secret payment.Code) bool {
	return !secret.IsZero() && strings.Contains(s, secret.Reveal())
}
