package sandbox

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Every request that is not as the vendor's page says is refused with the
// vendor's own code, in a signed answer, and leaves no trace in the model.
func TestRequestsRefused(t *testing.T) {
	good := codeBody("R-1", code("00"))
	body := func(old, replacement string) func(*practice) *http.Request {
		return func(p *practice) *http.Request {
			if !strings.Contains(good, old) {
				p.t.Fatalf("%q is not in the request", old)
			}
			return p.request(payPath, strings.Replace(good, old, replacement, 1))
		}
	}
	header := func(name string, values ...string) func(*practice) *http.Request {
		return func(p *practice) *http.Request {
			r := p.request(payPath, good)
			r.Header[name] = values
			return r
		}
	}
	at := func(format string, off time.Duration) func(*practice) *http.Request {
		return func(p *practice) *http.Request {
			return p.signedRequest(payPath, good, p.clock.Now().Add(off).Format(format), strings.Repeat("n", 32))
		}
	}
	nonce := func(text string) func(*practice) *http.Request {
		return func(p *practice) *http.Request {
			return p.signedRequest(payPath, good, p.clock.Now().Format(time.RFC3339), text)
		}
	}
	call := func(path, body string) func(*practice) *http.Request {
		return func(p *practice) *http.Request { return p.request(path, body) }
	}
	day := func(body string) func(*practice) *http.Request { return call(transactionsPath, body) }
	tests := map[string]struct {
		request func(*practice) *http.Request
		want    string
	}{
		"no merchant":         {header("Merchant-Code"), "INVALID_MERCHANT_CODE"},
		"other merchant":      {header("Merchant-Code", "M0002"), "INVALID_MERCHANT_CODE"},
		"merchant twice":      {header("Merchant-Code", merchantCode, merchantCode), "INVALID_MERCHANT_CODE"},
		"no content type":     {header("Content-Type"), "PARAM_INVALID"},
		"content type":        {header("Content-Type", "text/plain; charset=UTF-8"), "PARAM_INVALID"},
		"charset":             {header("Content-Type", "application/json; charset=latin1"), "PARAM_INVALID"},
		"no charset":          {header("Content-Type", "application/json"), "PARAM_INVALID"},
		"query":               {call(payPath+"?x=1", good), "PARAM_INVALID"},
		"no signature":        {header("Signature"), "INVALID_SIGN"},
		"signature malformed": {header("Signature", "algorithm=RS256,keyVersion=1"), "INVALID_SIGN"},
		"signature wrong":     {header("Signature", "algorithm=RS256,keyVersion=1,signature=AAAA"), "INVALID_SIGN"},
		"other algorithm": {func(p *practice) *http.Request {
			r := p.request(payPath, good)
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "RS256", "RSA256", 1))
			return r
		}, "INVALID_SIGN"},
		"unknown key version": {func(p *practice) *http.Request {
			r := p.request(payPath, good)
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "keyVersion=1", "keyVersion=2", 1))
			return r
		}, "INVALID_SIGN"},
		"body changed": {func(p *practice) *http.Request {
			r := p.request(payPath, strings.Replace(good, "1250", "1251", 1))
			r.Header.Set("Signature", p.request(payPath, good).Header.Get("Signature"))
			return r
		}, "INVALID_SIGN"},
		"signed for another call": {func(p *practice) *http.Request {
			r := p.request(cancelPath, good)
			r.URL.Path = payPath
			return r
		}, "INVALID_SIGN"},
		"nonce changed":     {header("Nonce", strings.Repeat("x", 32)), "INVALID_SIGN"},
		"no nonce":          {header("Nonce"), "PARAM_INVALID"},
		"nonce of 31":       {nonce(strings.Repeat("n", 31)), "PARAM_INVALID"},
		"nonce of 33":       {nonce(strings.Repeat("n", 33)), "PARAM_INVALID"},
		"no time":           {header("Request-Time"), "PARAM_INVALID"},
		"time in ms":        {at("2006-01-02T15:04:05.000Z07:00", 0), "PARAM_INVALID"},
		"time, no offset":   {at("2006-01-02T15:04:05", 0), "PARAM_INVALID"},
		"time, short zone":  {at("2006-01-02T15:04:05-0700", 0), "PARAM_INVALID"},
		"Unix time":         {at("20060102150405", 0), "PARAM_INVALID"},
		"clock slow":        {at(time.RFC3339, -5*time.Minute-time.Second), "SIGN_TIMEOUT"},
		"clock fast":        {at(time.RFC3339, 5*time.Minute+time.Second), "SIGN_TIMEOUT"},
		"scenario":          {body(`"OFFLINE"`, `"ONLINE_QRCODE"`), "PARAM_INVALID"},
		"no scenario":       {body(`"scenarioCode":"OFFLINE",`, ``), "PARAM_INVALID"},
		"not JSON":          {body(`{`, ``), "PARAM_INVALID"},
		"empty body":        {call(payPath, ""), "PARAM_INVALID"},
		"null":              {call(payPath, "null"), "PARAM_INVALID"},
		"array":             {call(payPath, "["+good+"]"), "PARAM_INVALID"},
		"two values":        {call(payPath, good+good), "PARAM_INVALID"},
		"not UTF-8":         {body("café", "caf\xe9"), "PARAM_INVALID"},
		"unknown name":      {body(`"order":`, `"currency":"CAD","order":`), "PARAM_INVALID"},
		"name's case":       {body(`"order":`, `"Order":`), "PARAM_INVALID"},
		"duplicate name":    {body(`"paymentRequestId":`, `"paymentRequestId":"R-0","paymentRequestId":`), "PARAM_INVALID"},
		"amount a number":   {body(`"1250"`, `1250`), "PARAM_INVALID"},
		"amount zero":       {body(`"1250"`, `"0"`), "PARAM_INVALID"},
		"amount zeros":      {body(`"1250"`, `"000"`), "PARAM_INVALID"},
		"amount negative":   {body(`"1250"`, `"-1"`), "PARAM_INVALID"},
		"amount fraction":   {body(`"1250"`, `"12.50"`), "PARAM_INVALID"},
		"amount too long":   {body(`"1250"`, `"10000000"`), "PARAM_INVALID"},
		"no amount":         {body(`"value":"1250",`, ``), "PARAM_INVALID"},
		"no order":          {call(payPath, `{"scenarioCode":"OFFLINE_QRCODE","paymentRequestId":"R-1"}`), "PARAM_INVALID"},
		"other currency":    {body(`"CAD"`, `"USD"`), "PARAM_INVALID"},
		"currency's case":   {body(`"CAD"`, `"cad"`), "PARAM_INVALID"},
		"CNY, too little":   {body(`"1250","currency":"CAD"`, `"10","currency":"CNY"`), "PARAM_INVALID"},
		"no description":    {body(`,"description":"L1 café"`, ``), "PARAM_INVALID"},
		"empty description": {body(`"L1 café"`, `""`), "PARAM_INVALID"},
		"description long":  {body(`"L1 café"`, `"`+strings.Repeat("é", 129)+`"`), "PARAM_INVALID"},
		"no request id":     {body(`"paymentRequestId":"R-1",`, ``), "PARAM_INVALID"},
		"request id long":   {body(`"R-1"`, `"`+strings.Repeat("R", 65)+`"`), "PARAM_INVALID"},
		"request id blank":  {body(`"R-1"`, `"R 1"`), "PARAM_INVALID"},
		"no method":         {body(`,"paymentMethod":{"paymentCode":"`+code("00")+`"}`, ``), "PARAM_INVALID"},
		"no code":           {body(`"`+code("00")+`"`, `""`), "PARAM_INVALID"},
		"code a number":     {body(`"`+code("00")+`"`, code("00")), "PARAM_INVALID"},
		"code too long":     {body(code("00"), strings.Repeat("2", 513)), "PARAM_INVALID"},
		"method type":       {body(`"paymentCode":`, `"paymentMethodType":"alipay","paymentCode":`), "INVALID_METHOD_TYPE"},
		"QR with a code":    {body(`"OFFLINE"`, `"OFFLINE_QRCODE"`), "PARAM_INVALID"},

		"inquiry of nothing":    {call(inquiryPath, `{}`), "PARAM_INVALID"},
		"inquiry by request id": {call(inquiryPath, `{"paymentRequestId":"R-1"}`), "PARAM_INVALID"},
		"inquiry of a number":   {call(inquiryPath, `{"paymentId":1}`), "PARAM_INVALID"},
		"inquiry of a long id":  {call(inquiryPath, idBody(strings.Repeat("1", 65))), "PARAM_INVALID"},
		"inquiry of no order":   {call(inquiryPath, idBody("2603141200000000123456789")), "ORDER_MISMATCH"},
		"cancel of no order":    {call(cancelPath, idBody("2603141200000000123456789")), "ORDER_MISMATCH"},
		"cancel of nothing":     {call(cancelPath, `{}`), "PARAM_INVALID"},
		"day's form":            {day(`{"date":"2026-03-14","page":1,"pageLimit":10,"transactionType":"All"}`), "PARAM_INVALID"},
		"no such day":           {day(`{"date":"20260230","page":1,"pageLimit":10,"transactionType":"All"}`), "PARAM_INVALID"},
		"page 0":                {day(`{"date":"20260314","page":0,"pageLimit":10,"transactionType":"All"}`), "PARAM_INVALID"},
		"page a string":         {day(`{"date":"20260314","page":"1","pageLimit":10,"transactionType":"All"}`), "PARAM_INVALID"},
		"9 a page":              {day(`{"date":"20260314","page":1,"pageLimit":9,"transactionType":"All"}`), "PARAM_INVALID"},
		"101 a page":            {day(`{"date":"20260314","page":1,"pageLimit":101,"transactionType":"All"}`), "PARAM_INVALID"},
		"type's case":           {day(`{"date":"20260314","page":1,"pageLimit":10,"transactionType":"ALL"}`), "PARAM_INVALID"},
		"no type":               {day(`{"date":"20260314","page":1,"pageLimit":10}`), "PARAM_INVALID"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newDirectPractice(t)
			answer, err := p.do(test.request(p))
			if err != nil {
				t.Fatal(err)
			}
			if answer.Result.ResultStatus != "F" || answer.Result.ResultCode != test.want || answer.Result.ResultMessage == "" {
				t.Errorf("answer %v %q", answer, answer.Result.ResultMessage)
			}
			if strings.Contains(answer.Result.ResultMessage, code("00")[:10]) {
				t.Errorf("the message repeats the payment code: %s", answer.Result.ResultMessage)
			}
			if orders := p.Orders(); len(orders) != 0 {
				t.Errorf("a refused request left %+v", orders)
			}
		})
	}
}

// What is at the edge of the rules is taken.
func TestRequestsTaken(t *testing.T) {
	p := newPractice(t)
	good := codeBody("R", code("00"))
	for n, change := range [][2]string{
		{`"1250"`, `"1"`},
		{`"1250"`, `"9999999"`},
		{`"1250","currency":"CAD"`, `"11","currency":"CNY"`},
		{`"L1 café"`, `"` + strings.Repeat("é", 128) + `"`},
		{`"paymentCode":`, `"paymentMethodType":"Alipay","paymentCode":`},
		{`"description":`, `"notifyUrl":"https://shop.example/","redirectUrl":"https://shop.example/","description":`},
		{`{"scen`, " {\n\t\"scen"},
	} {
		body := strings.Replace(good, change[0], change[1], 1)
		body = strings.Replace(body, `"R"`, fmt.Sprintf(`%q`, strings.Repeat("R", 63)+fmt.Sprint(n)), 1)
		if got := p.call(payPath, body); got.String() != "S SUCCESS" || got.PaymentID == "" || got.ScenarioCode != "OFFLINE" ||
			got.Method.Type != "Alipay" || got.Method.Code != code("00") {
			t.Errorf("%v: %+v", change, got)
		}
	}
	for _, off := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		r := p.signedRequest(inquiryPath, idBody("1"), p.clock.Now().Add(off).Format(time.RFC3339), fmt.Sprintf("%032d", int64(off)))
		if got, err := p.do(r); err != nil || got.String() != "F ORDER_MISMATCH" {
			t.Errorf("clock off by %v: %v, %v", off, got, err)
		}
	}
}

// A request that is sent again unchanged, nonce and all, is refused; one that was
// not well signed does not use up its nonce.
func TestReplay(t *testing.T) {
	p := newPractice(t)
	body, nonce, at := codeBody("R-1", code("03")), strings.Repeat("n", 32), p.clock.Now().Format(time.RFC3339)
	forged := p.signedRequest(payPath, body, at, nonce)
	forged.Header.Set("Signature", "algorithm=RS256,keyVersion=1,signature=AAAA")
	for n, want := range []string{"F INVALID_SIGN", "U PAYMENT_IN_PROCESS", "F INVALID_SIGN"} {
		request := p.signedRequest(payPath, body, at, nonce)
		if n == 0 {
			request = forged
		}
		if got, err := p.do(request); err != nil || got.String() != want {
			t.Errorf("send %d: %v, %v, want %s", n+1, got, err, want)
		}
	}
	if got := p.truth("R-1").Sends; got != 1 {
		t.Errorf("%d sends", got)
	}
}

// One request id is one order: with other content it is refused and changes
// nothing.
func TestSameRequestIDOtherContent(t *testing.T) {
	for _, digits := range []string{"00", "03", "04", "11"} {
		p := newPractice(t)
		good := codeBody("R-1", code(digits))
		_, _ = p.do(p.request(payPath, good)) // 11 gets no answer
		before := p.truth("R-1")
		for _, change := range [][2]string{
			{"1250", "1251"}, {"CAD", "CNY"}, {"café", "cafe"}, {code(digits), "29123456789012345600"},
			{`"description"`, `"notifyUrl":"https://shop.example/","description"`},
		} {
			if got := p.call(payPath, strings.Replace(good, change[0], change[1], 1)); got.String() != "F PARAM_INVALID" {
				t.Errorf("%s, %v: %v", digits, change, got)
			}
		}
		if got := p.call(payPath, qrBody("R-1")); got.String() != "F PARAM_INVALID" {
			t.Errorf("%s, as a QR: %v", digits, got)
		}
		after := p.truth("R-1")
		after.Sends = before.Sends
		if !reflect.DeepEqual(after, before) {
			t.Errorf("%s: %+v became %+v", digits, before, after)
		}
	}
}

// Only POST is served, and only the calls that exist.
func TestMethodsAndPaths(t *testing.T) {
	p := newPractice(t)
	if response, _ := p.get(payPath); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
	if response, _ := p.post("/api/v1.0/payments/pay", "{}"); response.StatusCode != http.StatusNotFound {
		t.Errorf("unknown path: %d", response.StatusCode)
	}
	if got := p.call(payPath, codeBody("R-1", code("00"))+strings.Repeat(" ", maxBodyBytes)); got.String() != "F PARAM_INVALID" {
		t.Errorf("a body too long: %v", got)
	}
}

// A QR order waits with all that the shop needs to show it: the image holds
// exactly the payment URL. A repeat gets the same again.
func TestQROrder(t *testing.T) {
	for _, base := range []string{"", "https://practice.example:8443/"} {
		p := newPractice(t, func(c *Config) { c.BaseURL = base })
		got := p.call(payPath, qrBody("R-1"))
		if got.String() != "U PAYMENT_IN_PROCESS" || got.ScenarioCode != "OFFLINE_QRCODE" || got.RequestID != "R-1" ||
			got.PaymentID == "" || got.CreateTime != "2026-03-14T12:00:00-08:00" || got.ExpireTime != "2026-03-14T12:05:00-08:00" ||
			got.Order.OrderAmount.Value != "1250" || got.Order.PayAmount.Value != "" || got.Order.NotifyURL != "https://shop.example/notify" {
			t.Errorf("%+v", got)
		}
		want := strings.TrimSuffix(base, "/")
		if base == "" {
			want = p.url
		}
		if !strings.HasPrefix(got.Info.PaymentURL, want+"/pay/") || got.Info.PayURL != got.Info.PaymentURL {
			t.Errorf("URLs %+v, want under %s", got.Info, want)
		}
		if read := readQR(t, got.Info.PaymentQRImage); read != got.Info.PaymentURL {
			t.Errorf("the image holds %q, want %q", read, got.Info.PaymentURL)
		}
		if again := p.call(payPath, qrBody("R-1")); again.Info != got.Info || again.PaymentID != got.PaymentID {
			t.Errorf("sent again: %+v", again)
		}
		p.checkTruthIsTold(p.truth("R-1"))
		if inquired := p.inquire(got.PaymentID); inquired.ScenarioCode != "OFFLINE_QRCODE" {
			t.Errorf("inquiry: %+v", inquired)
		}
	}
}

func readQR(t *testing.T, dataURI string) string {
	t.Helper()
	encoded, found := strings.CutPrefix(dataURI, "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !found {
		t.Fatalf("not a data URI of a PNG: %v", err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	// The image is no photograph: looking for the symbol in it would only bring in the reader's own misses.
	pure := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, pure)
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

// The day of the list is that of the capture in UTC-8; pages together hold every
// row once, in order of capture.
func TestTransactions(t *testing.T) {
	p := newDirectPractice(t)
	page := func(day string, number, limit int, kind string) told {
		return p.call(transactionsPath, fmt.Sprintf(`{"date":%q,"page":%d,"pageLimit":%d,"transactionType":%q}`, day, number, limit, kind))
	}
	p.clock.advance(12*time.Hour - 12*time.Second) // 23:59:48 of March 14 in UTC-8
	for n := range 25 {
		p.pay(fmt.Sprintf("R-%02d", n), "00")
		p.clock.advance(time.Second)
	}
	p.pay("waiting", "03")
	p.pay("refused", "04")
	seen := []string{}
	for number := 1; number <= 3; number++ {
		got := page("20260315", number, 10, "All")
		if want := (struct{ Page, PageLimit, TotalPage, Total int }{number, 10, 2, 13}); got.Pagination != want {
			t.Errorf("pagination %+v, want %+v", got.Pagination, want)
		}
		for _, row := range got.Transactions {
			seen = append(seen, row["requestId"])
		}
	}
	if want := "R-12 R-13 R-14 R-15 R-16 R-17 R-18 R-19 R-20 R-21 R-22 R-23 R-24"; strings.Join(seen, " ") != want {
		t.Errorf("rows %v", seen)
	}
	if got := page("20260314", 1, 100, "Credit"); len(got.Transactions) != 12 || got.Transactions[0]["requestId"] != "R-00" {
		t.Errorf("the day before: %v", got.Transactions)
	}
	if got := page("20260316", 1, 100, "All"); len(got.Transactions) != 0 || got.Pagination.Total != 0 || got.String() != "S SUCCESS" {
		t.Errorf("the day after: %+v", got)
	}
	if got := page("20260315", 1, 100, "Debit"); len(got.Transactions) != 0 {
		t.Errorf("Debit rows without refunds: %v", got.Transactions)
	}
	if got := page("20260315", 1<<60, 100, "All"); len(got.Transactions) != 0 || got.Pagination.Total != 13 {
		t.Errorf("a page far out: %+v", got)
	}
	want := map[string]string{
		"requestId": "R-00", "transactionId": p.truth("R-00").PaymentID, "amount": "1250", "currency": "CAD", "transactionType": "Credit",
		"settleAmount": "1250", "settleCurrency": "CAD", "exchangeRate": "1", "paymentMethod": "Alipay",
		"createTime": "2026-03-14T23:59:48-08:00", "transactionTime": "2026-03-14T23:59:48-08:00",
	}
	if got := page("20260314", 1, 10, "Credit").Transactions[0]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("row %v, want %v", got, want)
	}
	p.call(payPath, strings.Replace(codeBody("cny", code("00")), `"CAD"`, `"CNY"`, 1))
	rows := page("20260315", 2, 10, "Credit").Transactions
	if got := rows[len(rows)-1]; got["currency"] != "CNY" || got["settleCurrency"] != "CAD" || got["settleAmount"] != "237" || got["exchangeRate"] != "0.19" {
		t.Errorf("CNY row %v", got)
	}
}

// With a seed, ids and page addresses are the same in every run; without one they
// differ.
func TestSeed(t *testing.T) {
	ids := func(seed string) string {
		p := newPractice(t, func(c *Config) { c.Seed, c.BaseURL = seed, "http://practice.example" })
		got := p.call(payPath, qrBody("R-1"))
		return got.PaymentID + got.Info.PaymentURL
	}
	first := map[string]string{"a": ids("a"), "": ids("")}
	if ids("a") != first["a"] {
		t.Error("one seed, different ids")
	}
	if ids("b") == first["a"] || ids("") == first[""] {
		t.Error("different seeds, same ids")
	}
}
