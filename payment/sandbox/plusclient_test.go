package sandbox

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	stdjson "encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// This client of Alipay+ is written from the vendor's pages as the vendor's SDKs
// sign and send: keys as bare base64 of PKCS#8 and X.509, ISO 8601 times with
// milliseconds, and a Signature header with spaces after its commas.

const (
	clientID   = "SANDBOX_5Y00000000000001"
	plusPay    = "/aps/api/v1/payments/pay"
	plusInq    = "/aps/api/v1/payments/inquiryPayment"
	plusCancel = "/aps/api/v1/payments/cancelPayment"
	plusRefund = "/aps/api/v1/payments/refund"
)

// plusClient calls the gateway under test as an Alipay+ client does.
type plusClient struct {
	*practice
	private, public string // base64 without armour
	lenient         bool   // takes answers that are signed for another client or method
	bareCalls       bool   // without HTTP and signatures, which take most of the time
}

func newPlus(t testing.TB, change ...func(*Config)) *plusClient {
	return plusOf(newPractice(t, change...))
}

func plusOf(p *practice) *plusClient {
	return &plusClient{practice: p, private: bare(testKeys().client.PEM()), public: bare(testKeys().alipayPlus.Public().PEM())}
}

// bare is a key without PEM's armour, on one line, as SDKs want it.
func bare(text []byte) string {
	block, _ := pem.Decode(text)
	return base64.StdEncoding.EncodeToString(block.Bytes)
}

// obj is a JSON object.
type obj = map[string]any

// codeOrder is a complete user-presented pay request of 12.50.
func codeOrder(requestID, code string) obj {
	return obj{
		"paymentRequestId": requestID,
		"paymentAmount":    obj{"currency": "CAD", "value": "1250"},
		"order": obj{
			"referenceOrderId": "O-" + requestID, "orderDescription": "Tea & café", "orderAmount": obj{"currency": "CAD", "value": "1250"},
			"merchant": obj{
				"referenceMerchantId": "M-1", "merchantName": "Tea House", "merchantMCC": "5499", "merchantAddress": obj{"region": "CA", "city": "Vancouver"},
				"store": obj{"referenceStoreId": "S-1", "storeName": "Tea House 1", "storeMCC": "5499"},
			},
			"env": obj{"storeTerminalId": "L1", "storeTerminalRequestTime": "2026-03-14T12:59:59-07:00"},
		},
		"paymentMethod": obj{"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": code},
		"paymentFactor": obj{"isInStorePayment": "true", "inStorePaymentScenario": "PaymentCode"},
	}
}

// orderCode is a complete order-code pay request of 12.50.
func orderCode(requestID string) obj {
	request := codeOrder(requestID, "")
	request["paymentMethod"] = obj{"paymentMethodType": "CONNECT_WALLET"}
	request["paymentFactor"] = obj{"isInStorePayment": "true", "isCashierPayment": "true", "inStorePaymentScenario": "OrderCode"}
	request["paymentNotifyUrl"] = "https://shop.example/notify"
	request["order"].(obj)["env"].(obj)["userAgent"] = "Practice/1.0"
	return request
}

// plusTold is an answer, of whatever call.
type plusTold struct {
	Result, PaymentResult struct{ ResultCode, ResultStatus, ResultMessage string }
	AcquirerId            string
	PspId                 string
	CustomerId            string
	WalletBrandName       string
	PaymentRequestId      string
	PaymentId             string
	MppPaymentId          string
	PaymentTime           string
	PaymentAmount         struct{ Value, Currency string }
	SettlementAmount      struct{ Value, Currency string }
	OrderCodeForm         struct {
		PaymentMethodType, ExpireTime string
		CodeDetails                   []struct{ CodeValueType, CodeValue, DisplayType string }
	}
	RefundId     string
	RefundTime   string
	RefundAmount struct{ Value, Currency string }
	Transactions []struct {
		TransactionResult                                                                        struct{ ResultCode, ResultStatus, ResultMessage string }
		TransactionId, TransactionType, TransactionStatus, TransactionRequestId, TransactionTime string
		TransactionAmount                                                                        struct{ Value, Currency string }
	}
}

func (a plusTold) String() string { return a.Result.ResultStatus + " " + a.Result.ResultCode }

func (a plusTold) payment() string {
	return a.PaymentResult.ResultStatus + " " + a.PaymentResult.ResultCode
}

func marshalled(t testing.TB, request any) string {
	t.Helper()
	if text, is := request.(string); is {
		return text
	}
	var body bytes.Buffer
	encoder := stdjson.NewEncoder(&body) // as SDKs do: members sorted or not is the same to a gateway
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(request); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(body.String())
}

// signedPlus builds the request that an SDK sends.
func (p *plusClient) signedPlus(path string, request any, at string) *http.Request {
	p.t.Helper()
	body := marshalled(p.t, request)
	if p.bareCalls {
		return httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	}
	der, err := base64.StdEncoding.DecodeString(p.private)
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		p.t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("POST " + path + "\n" + clientID + "." + at + "." + body))
	raw, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Client-Id", clientID)
	r.Header.Set("Request-Time", at)
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Signature", "algorithm=RSA256, keyVersion=1, signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(raw)))
	return r
}

func (p *plusClient) plusRequest(path string, request any) *http.Request {
	p.t.Helper()
	return p.signedPlus(path, request, p.clock.Now().Format("2006-01-02T15:04:05.000Z07:00"))
}

// ask sends a request and takes only an answer that is right in every respect.
func (p *plusClient) ask(r *http.Request) (plusTold, error) {
	if p.bareCalls {
		return p.askBare(r)
	}
	var answer plusTold
	body, err := p.exchange(r, func(r *http.Request, response *http.Response, body []byte) error {
		return p.verifyPlus(r, response.Header, "Response-Time", body)
	}, &answer)
	if err != nil {
		return plusTold{}, err
	}
	if where, what := onlyStrings(body); what != "" {
		return plusTold{}, fmt.Errorf("%w: %s: %s", errJSON, where, what)
	}
	return answer, nil
}

// askBare has the gateway deal with a request without its envelope.
func (p *plusClient) askBare(r *http.Request) (told plusTold, err error) {
	a := p.vendors[GatewayAlipayPlus].(*alipayPlus)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return told, err
	}
	call := &wireCall{request: r, body: body}
	content := map[string]func(*wireCall) any{plusPay: a.pay, plusInq: a.inquire, plusCancel: a.cancel, plusRefund: a.refund}[r.URL.Path](call)
	if call.raw != nil {
		return told, errLost
	}
	if body, err = json.Marshal(content); err != nil {
		return told, err
	}
	return told, json.Unmarshal(body, &told, json.RejectUnknownMembers(true), json.MatchCaseInsensitiveNames(true))
}

// verifyPlus checks the vendor's signature on an answer or a notification.
func (p *plusClient) verifyPlus(r *http.Request, header http.Header, timeName string, body []byte) error {
	text := header.Get("Signature")
	if text == "" {
		return errUnsigned
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	at := header.Get(timeName)
	if _, err := time.Parse(time.RFC3339, at); err != nil || fields["algorithm"] != "RSA256" || fields["keyVersion"] != "1" {
		return fmt.Errorf("%s %q, Signature %q", timeName, at, text)
	}
	encoded, err := url.QueryUnescape(fields["signature"])
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	der, err := base64.StdEncoding.DecodeString(p.public)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte("POST " + r.URL.Path + "\n" + clientID + "." + at + "." + string(body)))
	if rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest[:], raw) != nil && !p.lenient {
		return errMisSign
	}
	return nil
}

// tell sends a good request and must get a good answer.
func (p *plusClient) tell(path string, request any) plusTold {
	p.t.Helper()
	answer, err := p.ask(p.plusRequest(path, request))
	if err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	return answer
}

func (p *plusClient) scan(requestID, digits string) plusTold {
	p.t.Helper()
	return p.tell(plusPay, codeOrder(requestID, code(digits)))
}

func (p *plusClient) look(requestID string) plusTold {
	p.t.Helper()
	return p.tell(plusInq, obj{"paymentRequestId": requestID})
}

func (p *plusClient) undo(requestID string) plusTold {
	p.t.Helper()
	return p.tell(plusCancel, obj{"paymentRequestId": requestID})
}

func refundOrder(requestID, refundID, amount string) obj {
	return obj{"paymentRequestId": requestID, "refundRequestId": refundID, "refundAmount": obj{"currency": "CAD", "value": amount}, "refundReason": "broken cup"}
}

func (p *plusClient) giveBack(requestID, refundID, amount string) plusTold {
	p.t.Helper()
	return p.tell(plusRefund, refundOrder(requestID, refundID, amount))
}
