package test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"payscand/internal/counter"
)

// integrator is somebody who has the vendor's protocol in their own software, and the words of docs/practice-gateway.md.
type integrator struct {
	t    *testing.T
	dir  string
	base string
	http *http.Client
}

// key reads a key of the folder as the vendors' SDKs want it: base64 without armour.
func (i *integrator) key(name string) []byte {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, name))
	if err != nil {
		i.t.Fatal(err)
	}
	bare := regexp.MustCompile(`-----[^-]+-----|\s`).ReplaceAllString(string(text), "")
	der, err := base64.StdEncoding.DecodeString(bare)
	if err != nil {
		i.t.Fatal(err)
	}
	return der
}

// call sends a signed request and returns a verified answer. fields are those that the vendor signs besides method, path
// and body; headers are the vendor's.
func (i *integrator) call(path, body, private, public, algorithm string, headers map[string]string, sent, told []string) map[string]any {
	i.t.Helper()
	parsed, err := x509.ParsePKCS8PrivateKey(i.key(private))
	if err != nil {
		i.t.Fatal(err)
	}
	pick := func(get func(string) string, names []string) (fields string) {
		for _, name := range names {
			fields += get(name) + "."
		}
		return fields
	}
	digest := sha256.Sum256([]byte("POST " + path + "\n" + pick(func(n string) string { return headers[n] }, sent) + body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, parsed.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	if err != nil {
		i.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, i.base+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	request.Header.Set("Signature", "algorithm="+algorithm+", keyVersion=1, signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
	response, err := i.http.Do(request)
	if err != nil {
		i.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	_, escaped, _ := strings.Cut(response.Header.Get("Signature"), "signature=")
	encoded, _ := url.QueryUnescape(escaped)
	raw, _ := base64.StdEncoding.DecodeString(encoded)
	verifier, err := x509.ParsePKIXPublicKey(i.key(public))
	if err != nil {
		i.t.Fatal(err)
	}
	get := func(name string) string {
		if name == "Client-Id" || name == "Merchant-Code" {
			return headers[name]
		}
		return response.Header.Get(name)
	}
	digest = sha256.Sum256([]byte("POST " + path + "\n" + pick(get, told) + string(answer)))
	if err := rsa.VerifyPKCS1v15(verifier.(*rsa.PublicKey), crypto.SHA256, digest[:], raw); err != nil {
		i.t.Fatalf("%s: %v: %s", path, err, answer)
	}
	var fields map[string]any
	if err := json.Unmarshal(answer, &fields); err != nil {
		i.t.Fatal(err)
	}
	return fields
}

func (i *integrator) alphaPay(call, body string) map[string]any {
	i.t.Helper()
	nonce := strings.ReplaceAll(rand.Text()+rand.Text(), " ", "")[:32]
	return i.call("/api/v2.0/payments/"+call, body, "merchant_private.pem", "platform_public.pem", "RS256",
		map[string]string{"Merchant-Code": "PRACTICE1", "Request-Time": time.Now().Format(time.RFC3339), "Nonce": nonce},
		[]string{"Merchant-Code", "Request-Time", "Nonce"}, []string{"Merchant-Code", "Response-Time", "Nonce"})
}

func (i *integrator) alipayPlus(call, body string) map[string]any {
	i.t.Helper()
	return i.call("/aps/api/v1/payments/"+call, body, "alipayplus_client_private.pem", "alipayplus_platform_public.pem", "RSA256",
		map[string]string{"Client-Id": "PRACTICE_CLIENT1", "Request-Time": time.Now().Format(time.RFC3339)},
		[]string{"Client-Id", "Request-Time"}, []string{"Client-Id", "Response-Time"})
}

func (i *integrator) wants(answer map[string]any, status, code string) map[string]any {
	i.t.Helper()
	result, _ := answer["result"].(map[string]any)
	if result["resultStatus"] != status || result["resultCode"] != code {
		i.t.Fatalf("want %s %s: %v", status, code, answer)
	}
	return answer
}

const integratorsOrder = `{"paymentRequestId":"A-1","paymentAmount":{"currency":"CAD","value":"1250"},"order":{"referenceOrderId":"O-1",` +
	`"orderDescription":"Tea","orderAmount":{"currency":"CAD","value":"1250"},"merchant":{"referenceMerchantId":"M-1","merchantName":"Tea House",` +
	`"merchantMCC":"5499","merchantAddress":{"region":"CA"},"store":{"referenceStoreId":"S-1","storeName":"Tea House","storeMCC":"5499"}},` +
	`"env":{"storeTerminalId":"L1","storeTerminalRequestTime":"2026-03-14T12:59:59-07:00"}},` +
	`"paymentMethod":{"paymentMethodType":"CONNECT_WALLET","paymentMethodId":"2812345678901200"},` +
	`"paymentFactor":{"isInStorePayment":"true","inStorePaymentScenario":"PaymentCode"}}`

// The practice gateway alone, used as its page in docs says by somebody who knows nothing of payscand: started over https,
// keys taken from its folder without armour, a payment, an inquiry and a refund at each vendor, the truth seen through the
// control API, and all of it still there after a restart.
func TestPracticeGatewayAlone(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	keys, state := filepath.Join(dir, "keys"), filepath.Join(dir, "state")
	run := func() (*command, *integrator) {
		c := start(t, nil, "sandbox", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--dir", keys, "--state", state)
		c.awaitText("refunded once, answer lost") // the end of the table
		printed := c.printed.String()
		base := regexp.MustCompile(`base_url = "(https://[^"]+)"`).FindAllStringSubmatch(printed, -1)
		authority := regexp.MustCompile(`ca_file = "([^"]+)"`).FindStringSubmatch(printed)
		if len(base) != 2 || base[0][1] != base[1][1] || authority == nil ||
			!strings.Contains(printed, "[gateway.alphapay]") || !strings.Contains(printed, "[gateway.alipayplus]") {
			t.Fatalf("no configuration for both: %s", printed)
		}
		_, pasted, _ := strings.Cut(printed, "payscand.toml:\n")
		pasted, _, _ = strings.Cut(pasted, "The last two digits")
		config := filepath.Join(dir, "payscand.toml")
		if err := os.WriteFile(config, []byte(pasted), 0o600); err != nil {
			t.Fatal(err)
		}
		if checked, status := runProgram(t, "config", "check", config); status != 0 {
			t.Errorf("what it says to paste is no configuration: %s\n%s", checked, pasted)
		}
		text, err := os.ReadFile(authority[1])
		if err != nil {
			t.Fatal(err)
		}
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(text)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
		t.Cleanup(transport.CloseIdleConnections)
		return c, &integrator{t: t, dir: keys, base: base[0][1], http: &http.Client{Timeout: patience, Transport: transport}}
	}
	c, i := run()

	paid := i.wants(i.alphaPay("pay", `{"scenarioCode":"OFFLINE","paymentRequestId":"B-1","order":{"orderAmount":{"value":"990","currency":"CAD"},"description":"Tea"},`+
		`"paymentMethod":{"paymentCode":"134567890123456700"}}`), "S", "SUCCESS")
	id, _ := paid["paymentId"].(string)
	i.wants(i.alphaPay("refund", `{"paymentId":"`+id+`","refundRequestId":"BR-1","refund":{"refundAmount":{"value":"90","currency":"CAD"}}}`), "S", "SUCCESS")
	if got := i.alphaPay("inquiryPayment", `{"paymentId":"`+id+`"}`); got["paymentStatus"] != "PARTIAL_REFUND" {
		t.Errorf("%v", got)
	}
	i.wants(i.alipayPlus("pay", integratorsOrder), "S", "SUCCESS")
	i.wants(i.alipayPlus("refund", `{"paymentRequestId":"A-1","refundRequestId":"AR-1","refundAmount":{"currency":"CAD","value":"250"}}`), "S", "SUCCESS")
	i.wants(i.alipayPlus("inquiryPayment", `{"paymentRequestId":"A-2"}`), "F", "ORDER_NOT_EXIST")
	i.wants(i.alipayPlus("pay", strings.Replace(integratorsOrder, `"true"`, `true`, 1)), "F", "PARAM_ILLEGAL")

	c.interrupt()
	if status := c.exit(); status != 0 {
		t.Fatalf("exit status %d: %s", status, c.out.String())
	}
	_, again := run()
	again.wants(again.alipayPlus("pay", integratorsOrder), "S", "SUCCESS") // processed once
	response, err := again.http.Get(again.base + "/control/orders")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Orders []struct {
			Gateway   string `json:"gateway"`
			RequestID string `json:"request_id"`
			Captures  int    `json:"captures"`
			Refunded  int    `json:"refunded"`
		} `json:"orders"`
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&told); err != nil || len(told.Orders) != 2 ||
		told.Orders[0].Gateway != "alipayplus" || told.Orders[0].Captures != 1 || told.Orders[0].Refunded != 250 ||
		told.Orders[1].Gateway != "alphapay" || told.Orders[1].Captures != 1 || told.Orders[1].Refunded != 90 {
		t.Errorf("%v: %s", err, text)
	}
}

// The daemon at the practice gateway, as the page in docs says by somebody who installed nothing: the configuration of the page
// with what the gateway prints below it, paths relative to a folder that is not the one commands run in, and payments by
// payscand sale and over HTTP that reach the gateway of their wallet.
func TestPracticeGatewayWithPayscand(t *testing.T) {
	t.Parallel()
	dir, host := shortDir(t), ownHost()
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(working, dir)
	if err != nil {
		t.Fatal(err)
	}
	gateway := start(t, nil, "sandbox", "--listen", host+":8490", "--dir", filepath.Join(dir, "payscand-sandbox"), "--pending-delay", pendingDelay)
	gateway.awaitText("refunded once, answer lost") // the end of the table
	page, err := os.ReadFile(filepath.Join("..", "docs", "practice-gateway.md"))
	if err != nil {
		t.Fatal(err)
	}
	own := regexp.MustCompile("(?s)<!-- begin configuration: run by a test -->\n```toml\n(.*?)```\n<!-- end configuration -->").FindSubmatch(page)
	_, pasted, _ := strings.Cut(gateway.printed.String(), "Put this into payscand.toml:\n")
	pasted, _, found := strings.Cut(pasted, "The last two digits")
	if own == nil || !found {
		t.Fatalf("no configuration in docs, or none printed: %s", gateway.printed.String())
	}
	// Beside other tests the default ports are taken.
	text := strings.Replace(string(own[1])+pasted, "[api]\n", "[api]\nlisten = \""+host+":8480\"\n", 1)
	text = strings.ReplaceAll(text, "127.0.0.1:8482", host+":8482")
	config := filepath.Join(relative, "payscand.toml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if checked, status := runProgram(t, "config", "check", config); status != 0 {
		t.Fatalf("config check: %s", checked)
	}
	daemon := start(t, nil, "run", "--config", config)
	daemon.awaitText("msg=ready")
	heard := map[string][]byte{}
	var codes []string
	for n, code := range []string{"2812345678901200", "131234567890123401", "6212345678901234500"} {
		sale := start(t, nil, "sale", "--config", config, "--mode", "scan", "12.34")
		sale.awaitText("awaiting_code")
		sale.typeLine(code)
		if status := sale.exit(); status != 0 {
			t.Errorf("sale %d: exit status %d: %s", n+1, status, sale.out.String())
		}
		heard[sale.cmd.String()+code[:2]], codes = []byte(sale.out.String()), append(codes, code)
	}
	orders, err := counter.Ledger{URL: "http://" + host + ":8490"}.Orders()
	if err != nil {
		t.Fatal(err)
	}
	var at []string // the newest first
	for _, o := range orders {
		if o.Captures != 1 || o.Kept() != 1234 {
			t.Errorf("an order that is not paid: %+v", o)
		}
		at = append(at, o.Gateway)
	}
	if want := []string{alphaPay, alphaPay, alipayPlus}; !slices.Equal(at, want) {
		t.Errorf("the payments went to %v, want %v", at, want)
	}
	daemon.interrupt()
	if status := daemon.exit(); status != 0 {
		t.Errorf("the daemon ended with %d: %s", status, daemon.out.String())
	}
	heard["daemon"], heard["gateway"] = []byte(daemon.out.String()), []byte(gateway.out.String())
	for _, found := range leaks(codes, heard) {
		t.Error(found)
	}
}

// What it prints for a currency that is not the default makes a terminal of that currency: one of another is refused each sale.
func TestPracticeGatewayInAnotherCurrency(t *testing.T) {
	t.Parallel()
	for currency, arguments := range map[string][]string{"CAD": nil, "USD": nil, "JPY": {"--merchant", ""}} {
		dir := shortDir(t)
		gateway := start(t, nil, append([]string{"sandbox", "--listen", "127.0.0.1:0", "--dir", dir, "--currency", currency}, arguments...)...)
		gateway.awaitText("refunded once, answer lost") // the end of the table
		_, pasted, _ := strings.Cut(gateway.printed.String(), "Put this into payscand.toml:\n")
		pasted, _, _ = strings.Cut(pasted, "The last two digits")
		config := filepath.Join(dir, "payscand.toml")
		if err := os.WriteFile(config, []byte(pasted), 0o600); err != nil {
			t.Fatal(err)
		}
		checked, status := runProgram(t, "config", "check", config)
		if said := strings.Contains(pasted, "[terminal]\ncurrency = \""+currency+"\"\n"); status != 0 || said == (currency == "CAD") {
			t.Errorf("%s: %s\n%s", currency, checked, pasted)
		}
	}
}
