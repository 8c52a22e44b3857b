package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Every request that is not as the vendor's pages say is refused with the vendor's
// own code, in a signed answer, and leaves no trace in the model.
func TestAlipayPlusRequestsRefused(t *testing.T) {
	scanned := func(t *testing.T) string { return marshalled(t, codeOrder("R-1", code("00"))) }
	shown := func(t *testing.T) string { return marshalled(t, orderCode("R-1")) }
	in := func(good func(*testing.T) string, old, replacement string) func(*plusClient) *http.Request {
		return func(p *plusClient) *http.Request {
			text := good(p.t.(*testing.T))
			if !strings.Contains(text, old) {
				p.t.Fatalf("%q is not in the request %s", old, text)
			}
			return p.plusRequest(plusPay, strings.Replace(text, old, replacement, 1))
		}
	}
	body := func(old, replacement string) func(*plusClient) *http.Request { return in(scanned, old, replacement) }
	header := func(name string, values ...string) func(*plusClient) *http.Request {
		return func(p *plusClient) *http.Request {
			r := p.plusRequest(plusPay, codeOrder("R-1", code("00")))
			r.Header[name] = values
			return r
		}
	}
	signature := func(old, replacement string) func(*plusClient) *http.Request {
		return func(p *plusClient) *http.Request {
			r := p.plusRequest(plusPay, codeOrder("R-1", code("00")))
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), old, replacement, 1))
			return r
		}
	}
	at := func(format string, off time.Duration) func(*plusClient) *http.Request {
		return func(p *plusClient) *http.Request {
			return p.signedPlus(plusPay, codeOrder("R-1", code("00")), p.clock.Now().Add(off).Format(format))
		}
	}
	call := func(path string, request any) func(*plusClient) *http.Request {
		return func(p *plusClient) *http.Request { return p.plusRequest(path, request) }
	}
	// without leaves an object's member out, whatever its value.
	without := func(good func(string) obj, names ...string) func(*plusClient) *http.Request {
		return func(p *plusClient) *http.Request {
			request := good("R-1")
			at := request
			for _, name := range names[:len(names)-1] {
				at = at[name].(obj)
			}
			delete(at, names[len(names)-1])
			return p.plusRequest(plusPay, request)
		}
	}
	scan := func(id string) obj { return codeOrder(id, code("00")) }
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct {
		request func(*plusClient) *http.Request
		want    string
	}{
		"no client":       {header("Client-Id"), "F INVALID_CLIENT"},
		"other client":    {header("Client-Id", "SANDBOX_5Y00000000000002"), "F INVALID_CLIENT"},
		"client twice":    {header("Client-Id", clientID, clientID), "F INVALID_CLIENT"},
		"no content type": {header("Content-Type"), "F MEDIA_TYPE_NOT_ACCEPTABLE"},
		"content type":    {header("Content-Type", "text/plain"), "F MEDIA_TYPE_NOT_ACCEPTABLE"},
		"charset":         {header("Content-Type", "application/json; charset=latin1"), "F MEDIA_TYPE_NOT_ACCEPTABLE"},
		"query":           {call(plusPay+"?x=1", scan("R-1")), "F PARAM_ILLEGAL"},
		"unknown call":    {call("/aps/api/v1/payments/payment", scan("R-1")), "F NO_INTERFACE_DEF"},
		"no signature":    {header("Signature"), "F INVALID_SIGNATURE"},
		"malformed":       {header("Signature", "algorithm=RSA256, keyVersion=1"), "F INVALID_SIGNATURE"},
		"wrong":           {header("Signature", "algorithm=RSA256, keyVersion=1, signature=AAAA"), "F INVALID_SIGNATURE"},
		"other algorithm": {signature("RSA256", "RS256"), "F INVALID_SIGNATURE"},
		"other key":       {signature("keyVersion=1", "keyVersion=2"), "F KEY_NOT_FOUND"},
		"body changed": {func(p *plusClient) *http.Request {
			r := body("Tea", "Ale")(p)
			r.Header.Set("Signature", header("X")(p).Header.Get("Signature"))
			return r
		}, "F INVALID_SIGNATURE"},
		"for another call": {func(p *plusClient) *http.Request {
			r := p.plusRequest(plusCancel, scan("R-1"))
			r.URL.Path = plusPay
			return r
		}, "F INVALID_SIGNATURE"},
		"no time":         {header("Request-Time"), "F PARAM_ILLEGAL"},
		"time, no offset": {at("2006-01-02T15:04:05", 0), "F PARAM_ILLEGAL"},
		"Unix time":       {at("20060102150405", 0), "F PARAM_ILLEGAL"},
		"clock slow":      {at(time.RFC3339, -5*time.Minute-time.Second), "F INVALID_SIGNATURE"},
		"clock fast":      {at(time.RFC3339, 5*time.Minute+time.Second), "F INVALID_SIGNATURE"},
		"GET": {func(p *plusClient) *http.Request {
			r := p.plusRequest(plusPay, "")
			r.Method = http.MethodGet
			return r
		}, "F METHOD_NOT_SUPPORTED"},
		"not JSON":          {body(`{`, ``), "F PARAM_ILLEGAL"},
		"empty body":        {call(plusPay, ""), "F PARAM_ILLEGAL"},
		"null":              {call(plusPay, "null"), "F PARAM_ILLEGAL"},
		"array":             {call(plusPay, "[]"), "F PARAM_ILLEGAL"},
		"not UTF-8":         {body("café", "caf\xe9"), "F PARAM_ILLEGAL"},
		"unknown name":      {body(`"order":`, `"currency":"CAD","order":`), "F PARAM_ILLEGAL"},
		"name's case":       {body(`"order":`, `"Order":`), "F PARAM_ILLEGAL"},
		"duplicate name":    {body(`"paymentRequestId":`, `"paymentRequestId":"R-0","paymentRequestId":`), "F PARAM_ILLEGAL"},
		"a number":          {body(`"1250"`, `1250`), "F PARAM_ILLEGAL"},
		"a boolean":         {body(`"true"`, `true`), "F PARAM_ILLEGAL"},
		"an empty string":   {body(`"city":"Vancouver"`, `"city":""`), "F PARAM_ILLEGAL"},
		"a number in goods": {body(`"orderDescription"`, `"goods":[{"goodsQuantity":2}],"orderDescription"`), "F PARAM_ILLEGAL"},
		"too long":          {body(`"orderDescription"`, `"extendInfo":"`+long(maxBodyBytes)+`","orderDescription"`), "F PARAM_ILLEGAL"},

		"amount zero":       {in(scanned, `"paymentAmount":{"currency":"CAD","value":"1250"}`, `"paymentAmount":{"currency":"CAD","value":"0"}`), "F PAYMENT_AMOUNT_INVALID"},
		"amount negative":   {body(`"1250"`, `"-1"`), "F PARAM_ILLEGAL"},
		"amount fraction":   {body(`"1250"`, `"12.50"`), "F PARAM_ILLEGAL"},
		"amount too high":   {body(`"1250"`, `"1000000000000"`), "F PAYMENT_AMOUNT_EXCEED_LIMIT"},
		"other currency":    {body(`"CAD"`, `"USD"`), "F CURRENCY_NOT_SUPPORT"},
		"no currency":       {body(`"currency":"CAD",`, ``), "F PARAM_ILLEGAL"},
		"currency's case":   {body(`"CAD"`, `"cad"`), "F PARAM_ILLEGAL"},
		"settled in euros":  {body(`"paymentMethod"`, `"settlementStrategy":{"settlementCurrency":"EUR"},"paymentMethod"`), "F CURRENCY_NOT_SUPPORT"},
		"settled in what":   {body(`"paymentMethod"`, `"settlementStrategy":{},"paymentMethod"`), "F PARAM_ILLEGAL"},
		"long request id":   {body(`"paymentRequestId":"R-1"`, `"paymentRequestId":"`+long(65)+`"`), "F PARAM_ILLEGAL"},
		"long description":  {body(`Tea & café`, long(257)), "F PARAM_ILLEGAL"},
		"long order id":     {body(`"O-R-1"`, `"`+long(65)+`"`), "F PARAM_ILLEGAL"},
		"long split id":     {body(`"paymentMethod"`, `"splitSettlementId":"`+long(17)+`","paymentMethod"`), "F PARAM_ILLEGAL"},
		"long URL":          {in(shown, "https://shop.example/notify", "https://shop.example/"+long(2048)), "F PARAM_ILLEGAL"},
		"URL of a file":     {in(shown, "https://shop.example/notify", "file:///etc"), "F PARAM_ILLEGAL"},
		"region":            {body(`"region":"CA"`, `"region":"CAN"`), "F PARAM_ILLEGAL"},
		"terminal's time":   {body(`2026-03-14T12:59:59-07:00`, `2026-03-14 12:59:59`), "F PARAM_ILLEGAL"},
		"expiry's form":     {in(shown, `"paymentNotifyUrl"`, `"paymentExpiryTime":"2026-03-14 21:00","paymentNotifyUrl"`), "F PARAM_ILLEGAL"},
		"expiry is over":    {in(shown, `"paymentNotifyUrl"`, `"paymentExpiryTime":"2026-03-14T20:00:00Z","paymentNotifyUrl"`), "F PARAM_ILLEGAL"},
		"method type":       {body(`CONNECT_WALLET`, `ALIPAY_CN`), "U UNKNOWN_EXCEPTION"},
		"not in store":      {body(`"isInStorePayment":"true"`, `"isInStorePayment":"false"`), "F PARAM_ILLEGAL"},
		"entry code":        {body(`"PaymentCode"`, `"EntryCode"`), "F BUSINESS_NOT_SUPPORT"},
		"cashier and code":  {body(`"isInStorePayment"`, `"isCashierPayment":"true","isInStorePayment"`), "F PARAM_ILLEGAL"},
		"no cashier":        {in(shown, `"isCashierPayment":"true",`, ``), "F PARAM_ILLEGAL"},
		"order code's code": {in(shown, `"CONNECT_WALLET"`, `"CONNECT_WALLET","paymentMethodId":"`+code("00")+`"`), "F PARAM_ILLEGAL"},
		"long code":         {body(code("00"), strings.Repeat("2", 129)), "F PARAM_ILLEGAL"},

		"no request id":       {without(scan, "paymentRequestId"), "F PARAM_ILLEGAL"},
		"no order":            {without(scan, "order"), "F PARAM_ILLEGAL"},
		"no order id":         {without(scan, "order", "referenceOrderId"), "F PARAM_ILLEGAL"},
		"no description":      {without(scan, "order", "orderDescription"), "F PARAM_ILLEGAL"},
		"no order amount":     {without(scan, "order", "orderAmount"), "F PARAM_ILLEGAL"},
		"no merchant":         {without(scan, "order", "merchant"), "F PARAM_ILLEGAL"},
		"no merchant id":      {without(scan, "order", "merchant", "referenceMerchantId"), "F PARAM_ILLEGAL"},
		"no merchant name":    {without(scan, "order", "merchant", "merchantName"), "F PARAM_ILLEGAL"},
		"no MCC":              {without(scan, "order", "merchant", "merchantMCC"), "F PARAM_ILLEGAL"},
		"no address":          {without(scan, "order", "merchant", "merchantAddress"), "F PARAM_ILLEGAL"},
		"no region":           {without(scan, "order", "merchant", "merchantAddress", "region"), "F PARAM_ILLEGAL"},
		"no store":            {without(scan, "order", "merchant", "store"), "F PARAM_ILLEGAL"},
		"no store id":         {without(scan, "order", "merchant", "store", "referenceStoreId"), "F PARAM_ILLEGAL"},
		"no store name":       {without(scan, "order", "merchant", "store", "storeName"), "F PARAM_ILLEGAL"},
		"no store MCC":        {without(scan, "order", "merchant", "store", "storeMCC"), "F PARAM_ILLEGAL"},
		"no environment":      {without(scan, "order", "env"), "F PARAM_ILLEGAL"},
		"no terminal":         {without(scan, "order", "env", "storeTerminalId"), "F PARAM_ILLEGAL"},
		"no terminal's time":  {without(scan, "order", "env", "storeTerminalRequestTime"), "F PARAM_ILLEGAL"},
		"no payment amount":   {without(scan, "paymentAmount"), "F PARAM_ILLEGAL"},
		"no method":           {without(scan, "paymentMethod"), "F PARAM_ILLEGAL"},
		"no method type":      {without(scan, "paymentMethod", "paymentMethodType"), "F PARAM_ILLEGAL"},
		"no code":             {without(scan, "paymentMethod", "paymentMethodId"), "F PARAM_ILLEGAL"},
		"no factor":           {without(scan, "paymentFactor"), "F PARAM_ILLEGAL"},
		"no scenario":         {without(scan, "paymentFactor", "inStorePaymentScenario"), "F PARAM_ILLEGAL"},
		"no user agent":       {without(orderCode, "order", "env", "userAgent"), "F PARAM_ILLEGAL"},
		"no notification URL": {without(orderCode, "paymentNotifyUrl"), "F PARAM_ILLEGAL"},

		"inquiry of nothing":    {call(plusInq, obj{}), "F PARAM_ILLEGAL"},
		"inquiry of a number":   {call(plusInq, obj{"paymentId": 1}), "F PARAM_ILLEGAL"},
		"inquiry of a long id":  {call(plusInq, obj{"paymentRequestId": long(65)}), "F PARAM_ILLEGAL"},
		"inquiry of much":       {call(plusInq, obj{"paymentRequestId": "R-1", "amount": "1"}), "F PARAM_ILLEGAL"},
		"cancel of nothing":     {call(plusCancel, obj{}), "F PARAM_ILLEGAL"},
		"refund of nothing":     {call(plusRefund, obj{"refundRequestId": "F-1", "refundAmount": obj{"currency": "CAD", "value": "1"}}), "F PARAM_ILLEGAL"},
		"refund without an id":  {call(plusRefund, obj{"paymentRequestId": "R-0", "refundAmount": obj{"currency": "CAD", "value": "1"}}), "F PARAM_ILLEGAL"},
		"refund without amount": {call(plusRefund, obj{"paymentRequestId": "R-0", "refundRequestId": "F-1"}), "F PARAM_ILLEGAL"},
		"refund of zero":        {call(plusRefund, refundOrder("R-0", "F-1", "0")), "F PAYMENT_AMOUNT_INVALID"},
		"refund in dollars":     {call(plusRefund, obj{"paymentRequestId": "R-0", "refundRequestId": "F-1", "refundAmount": obj{"currency": "USD", "value": "1"}}), "F CURRENCY_NOT_SUPPORT"},
		"long reason":           {call(plusRefund, obj{"paymentRequestId": "R-0", "refundRequestId": "F-1", "refundAmount": obj{"currency": "CAD", "value": "1"}, "refundReason": long(257)}), "F PARAM_ILLEGAL"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := plusOf(newDirectPractice(t))
			p.scan("R-0", "00")
			before := p.truth("R-0")
			request := test.request(p)
			answer, err := p.askAsAnyone(request, test.want)
			if err != nil || answer.String() != test.want {
				t.Fatalf("%v %s, %v", answer, answer.Result.ResultMessage, err)
			}
			if orders := p.Orders(); len(orders) != 1 || orders[0].Refunded != before.Refunded || orders[0].Status != before.Status {
				t.Errorf("it left a trace: %+v", orders)
			}
			if strings.Contains(p.log.String(), code("00")) {
				t.Error("the log holds a payment code")
			}
		})
	}
}

// askAsAnyone is ask for a request that may name another client or method, by which
// its answer is signed then.
func (p *plusClient) askAsAnyone(r *http.Request, want string) (plusTold, error) {
	if want == "F INVALID_CLIENT" || want == "F METHOD_NOT_SUPPORTED" {
		p.lenient = true
	}
	return p.ask(r)
}

// What a shop counter has no use for, and null for what is left out, is taken.
func TestAlipayPlusOptionalParameters(t *testing.T) {
	p := newPlus(t)
	request := codeOrder("R-1", code("00"))
	order := request["order"].(obj)
	order["goods"] = []any{obj{"referenceGoodsId": "G-1", "goodsName": "Tea", "goodsUnitAmount": obj{"currency": "CAD", "value": "1250"}, "goodsQuantity": "1"}}
	order["buyer"] = obj{"referenceBuyerId": "B-1"}
	order["shipping"] = nil
	order["extendInfo"] = nil
	request["paymentExpiryTime"] = nil
	request["paymentNotifyUrl"] = "http://127.0.0.1:1/notify"
	request["settlementStrategy"] = obj{"settlementCurrency": "CAD"}
	request["splitSettlementId"] = "batch-1"
	if got := p.tell(plusPay, request); got.String() != "S SUCCESS" {
		t.Errorf("%v %s", got, got.Result.ResultMessage)
	}
}

// Where the operator named the one registered merchant, no other is taken.
func TestAlipayPlusMerchant(t *testing.T) {
	p := newPlus(t, func(c *Config) { c.MerchantID = "M-2" })
	if got := p.scan("R-1", "00"); got.String() != "F MERCHANT_NOT_REGISTERED" || len(p.Orders()) != 0 {
		t.Errorf("%v", got)
	}
}
