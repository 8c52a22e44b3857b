package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"payscand/payment/signature"
)

// Whatever is sent, sent again, cancelled, paid, declined, refunded, left to
// expire, lost or broken, in whatever order: money is taken at most once for a
// request id and never more given back, what is final stays final, and every
// answer that can be trusted tells the truth.
func TestMoneyIsTakenAtMostOnce(t *testing.T) {
	ids := []string{"R-1", "R-2", "R-3"}
	digits := []string{"99"}
	for _, row := range Behaviours() {
		digits = append(digits, row.Digits)
	}
	paths := []string{payPath, inquiryPath, cancelPath, refundPath, "*"}
	rapid.Check(t, func(rt *rapid.T) {
		p := newDirectPractice(t, func(c *Config) { c.After = instantly })
		codes := map[string]string{}
		for _, id := range ids {
			codes[id] = code(rapid.SampledFrom(digits).Draw(rt, "digits of "+id))
		}
		before := map[string]Order{}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			id := rapid.SampledFrom(ids).Draw(rt, "order")
			known, _ := p.Order(id) // has no payment id while unknown
			var answer told
			err := errLost
			switch action := rapid.SampledFrom([]string{"pay", "pay", "inquire", "cancel", "wallet pays", "wallet declines", "refund", "refund", "portal refunds", "wait", "fault"}).Draw(rt, "action"); action {
			case "pay":
				body := codeBody(id, codes[id])
				if id == "R-3" {
					body = qrBody(id)
				}
				answer, err = p.do(p.request(payPath, body))
			case "inquire":
				answer, err = p.do(p.request(inquiryPath, idBody(known.PaymentID)))
			case "cancel":
				answer, err = p.do(p.request(cancelPath, idBody(known.PaymentID)))
			case "refund":
				answer, err = p.do(p.request(refundPath, refundBody(known.PaymentID, "F-1", rapid.SampledFrom([]string{"1", "500", "1250"}).Draw(rt, "refund"))))
			case "portal refunds":
				_, _ = p.Refund(id, int64(rapid.SampledFrom([]int{0, 1, 500}).Draw(rt, "refund"))) // refused if so much is not left
			case "wallet pays":
				_, _ = p.Pay(id) // refused if the order does not wait
			case "wallet declines":
				_, _ = p.Decline(id)
			case "wait":
				p.clock.advance(time.Duration(rapid.SampledFrom([]int{1, 3, 60, 300}).Draw(rt, "seconds")) * time.Second)
			case "fault":
				fault := Fault{Path: rapid.SampledFrom(paths).Draw(rt, "path"), Kind: rapid.SampledFrom([]FaultKind{FaultDrop, FaultCut}).Draw(rt, "kind"), Times: 1}
				if err := p.AddFaults(fault); err != nil {
					rt.Fatal(err)
				}
			}
			if truth, unknown := p.Order(id); err == nil && unknown == nil {
				checkAnswer(rt, answer, truth)
			}
			for _, order := range p.Orders() {
				checkStep(rt, before[order.RequestID], order)
				before[order.RequestID] = order
			}
		}
	})
}

// checkAnswer holds a trusted answer against the truth.
func checkAnswer(rt *rapid.T, answer told, truth Order) {
	wrongAmount := truth.Behaviour == "26" && answer.Order.OrderAmount.Value == "1251"
	switch {
	case answer.PaymentID != "" && answer.PaymentID != truth.PaymentID,
		answer.Order.OrderAmount.Value != "" && answer.Order.OrderAmount.Value != "1250" && !wrongAmount,
		answer.Status == "SUCCESS" && (truth.Status != StatusPaid || truth.Refunded != 0),
		answer.Status == "PARTIAL_REFUND" && (truth.Refunded == 0 || truth.Refunded == truth.Amount),
		answer.Status == "FULL_REFUND" && truth.Refunded != truth.Amount,
		(answer.Status == "PAYMENT_IN_PROCESS" || answer.Status == "FAILED" || answer.Status == "CLOSED") && truth.Status == StatusPaid,
		answer.Result.ResultCode == "FULL_REFUND_COMPLETED" && truth.Refunded != truth.Amount,
		answer.RefundID != "" && !slices.ContainsFunc(truth.Refunds, func(r Refund) bool {
			return r.RefundID == answer.RefundID && fmt.Sprint(r.Amount) == answer.Refund.RefundAmount.Value
		}),
		answer.Result.ResultCode == "ORDER_PAID" && truth.Status != StatusPaid:
		rt.Fatalf("answer %+v, truth %+v", answer, truth)
	}
}

// checkStep holds one step of an order: at most one capture, and only for a paid
// order; no more given back than that, and nothing of it taken back again; final is final, except that a cancelled order of behaviour 32 is paid.
func checkStep(rt *rapid.T, before, after Order) {
	paid := after.Status == StatusPaid
	if after.Captures > 1 || paid != (after.Captures == 1) {
		rt.Fatalf("%d captures: %+v", after.Captures, after)
	}
	if after.Refunded < before.Refunded || after.Refundable() < 0 {
		rt.Fatalf("%d refunded, before it %d: %+v", after.Refunded, before.Refunded, after)
	}
	over := before.Status == StatusPaid || before.Status == StatusFailed || before.Status == StatusClosed
	if over && after.Status != before.Status && (before.Status != StatusClosed || before.Behaviour != "32" || !paid) {
		rt.Fatalf("%s became %s", before.Status, after.Status)
	}
	if before.PaymentID != "" && after.PaymentID != before.PaymentID {
		rt.Fatalf("payment id %s became %s", before.PaymentID, after.PaymentID)
	}
}

// Memory is bounded: the oldest order that is over makes room for a new one, one
// that waits never does, and when all wait a new one is refused.
func TestOrdersAreBounded(t *testing.T) {
	p := newPractice(t, func(c *Config) { c.MaxOrders = 3 })
	p.pay("R-1", "03")
	paid := p.pay("R-2", "00")
	p.pay("R-3", "27")
	p.pay("R-4", "03")
	if _, err := p.Order("R-2"); err == nil || len(p.Orders()) != 3 {
		t.Errorf("kept %+v", p.Orders())
	}
	if got := p.call(inquiryPath, idBody(paid.PaymentID)); got.String() != "F ORDER_MISMATCH" {
		t.Errorf("inquiry of a dropped order: %v", got)
	}
	if got := p.pay("R-5", "00"); got.String() != "U SYSTEMERROR" || len(p.Orders()) != 3 {
		t.Errorf("full: %v, %+v", got, p.Orders())
	}
	p.clock.advance(5 * time.Minute)
	if got := p.pay("R-5", "00"); got.String() != "S SUCCESS" {
		t.Errorf("after an expiry: %v", got)
	}
	if _, err := p.Order("R-1"); err == nil {
		t.Error("the oldest is still there")
	}
}

// An order that will yet be paid, as behaviour 32 is, does not make room.
func TestCancelledOrderToBePaidIsKept(t *testing.T) {
	p := newPractice(t, func(c *Config) { c.MaxOrders = 1 })
	p.call(cancelPath, idBody(p.pay("R-1", "32").PaymentID))
	if got := p.pay("R-2", "00"); got.String() != "U SYSTEMERROR" {
		t.Errorf("%v", got)
	}
	p.clock.advance(3 * time.Second)
	if got := p.truth("R-1"); got.Status != StatusPaid {
		t.Errorf("%+v", got)
	}
}

// The memory for nonces is bounded by number and by time, and within both no
// nonce passes twice.
func TestNoncesAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	cache := nonceCache{limit: 3, seen: map[string]bool{}}
	for n := range 1000 {
		nonce := fmt.Sprint(n)
		if !cache.use(nonce, now) || cache.use(nonce, now) {
			t.Fatalf("nonce %d: a new one is refused, or an old one taken", n)
		}
		if len(cache.seen) > 3 || len(cache.queue) > 3 {
			t.Fatalf("%d, %d are kept", len(cache.seen), len(cache.queue))
		}
	}
	cache = nonceCache{limit: 1000, seen: map[string]bool{}}
	cache.use("a", now)
	if cache.use("a", now.Add(10*time.Minute)) {
		t.Error("a nonce passes twice while its request's time could still pass")
	}
	if !cache.use("b", now.Add(10*time.Minute+1)) || len(cache.seen) != 1 {
		t.Errorf("kept for too long: %v", cache.seen)
	}
}

// Requests that are held up end when the gateway closes.
func TestClose(t *testing.T) {
	p := newPractice(t)
	for _, digits := range []string{"30", "31"} {
		request, answered := p.request(payPath, codeBody("R-"+digits, code(digits))), make(chan error, 1)
		go func() {
			_, err := p.do(request)
			answered <- err
		}()
		if digits == "30" {
			<-p.clock.waiting
			p.Close()
		}
		if err := <-answered; !errors.Is(err, errLost) {
			t.Errorf("%s: %v", digits, err)
		}
	}
}

// A wrong configuration is refused with all that is wrong; a right one needs only
// the merchant and the keys.
func TestConfig(t *testing.T) {
	_, err := New(Config{Currency: "EUR", BaseURL: "practice.example", OrderLife: -1})
	for _, mention := range []string{"merchant code", "merchant public key", "platform private key", "currency", "base URL", "negative"} {
		if err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%v does not mention %q", err, mention)
		}
	}
	if _, err := New(Config{MerchantCode: "M 1", MerchantKey: testKeys().merchant.Public(), PlatformKey: testKeys().platform}); err == nil {
		t.Error("a merchant code with a space is taken")
	}
	if _, err := New(Config{MerchantCode: "M1", MerchantKey: testKeys().merchant.Public(), PlatformKey: testKeys().platform}); err != nil {
		t.Error(err)
	}
}

// Keys are made once, private ones for their owner only, and read again
// unchanged; nothing is ever overwritten, and no damage passes unseen.
func TestLoadOrMakeKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	made, err := LoadOrMakeKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{
		"": 0o700, clientPrivateFile: 0o600, alipayPlusPrivateFile: 0o600, clientPublicFile: 0o644, merchantPrivateFile: 0o600, platformPrivateFile: 0o600, merchantPublicFile: 0o644, platformPublicFile: 0o644,
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	loaded, err := LoadOrMakeKeys(dir)
	if err != nil || !loaded.Merchant.Public().Equal(made.Merchant.Public()) || !loaded.Platform.Public().Equal(made.Platform.Public()) ||
		made.Merchant.Public().Equal(made.Platform.Public()) || !loaded.Client.Public().Equal(made.Client.Public()) ||
		!loaded.AlipayPlus.Public().Equal(made.AlipayPlus.Public()) || made.Client.Public().Equal(made.Merchant.Public()) {
		t.Fatalf("other keys were read: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", made, made, made); strings.Contains(text, "PRIVATE KEY") || !strings.Contains(text, "[private key]") {
		t.Errorf("printed as %s", text)
	}

	section := made.ConfigSection("http://127.0.0.1:8490", merchantCode, "")
	want := `[gateway.alphapay]
base_url = "http://127.0.0.1:8490"
merchant_code = "M0001"
private_key_file = "` + filepath.Join(dir, "merchant_private.pem") + `"
platform_key_file = { 1 = "` + filepath.Join(dir, "platform_public.pem") + `" }
`
	if section != want {
		t.Errorf("section\n%s", section)
	}

	section = made.AlipayPlusSection("https://127.0.0.1:8491", clientID, "/ca.pem", "http://127.0.0.1:8482/notify/alipayplus", "M-1")
	want = `[gateway.alipayplus]
base_url = "https://127.0.0.1:8491"
client_id = "` + clientID + `"
ca_file = "/ca.pem"
notify_url = "http://127.0.0.1:8482/notify/alipayplus"
private_key_file = "` + filepath.Join(dir, "alipayplus_client_private.pem") + `"
platform_key_file = { 1 = "` + filepath.Join(dir, "alipayplus_platform_public.pem") + `" }

[gateway.alipayplus.merchant]
reference_id = "M-1"
name = "Practice Shop"
mcc = "5411"
region = "CA"

[gateway.alipayplus.store]
reference_id = "S0001"
name = "Practice Shop"
mcc = "5411"
`
	if section != want {
		t.Errorf("section\n%s", section)
	}

	path := func(name string) string { return filepath.Join(dir, name) }
	original, err := os.ReadFile(path(platformPublicFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"others can read it":      func() error { return os.Chmod(path(merchantPrivateFile), 0o644) },
		"is not the public half":  func() error { return os.WriteFile(path(platformPublicFile), made.Merchant.Public().PEM(), 0o600) },
		signature.ErrKey.Error():  func() error { return os.WriteFile(path(platformPublicFile), []byte("x"), 0o600) },
		"but not platform_public": func() error { return os.Remove(path(platformPublicFile)) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrMakeKeys(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(os.Chmod(path(merchantPrivateFile), 0o600), os.WriteFile(path(platformPublicFile), original, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := LoadOrMakeKeys(dir); err != nil || !again.Platform.Public().Equal(made.Platform.Public()) {
		t.Errorf("something was overwritten: %v", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrMakeKeys(blocked); err == nil {
		t.Error("a folder that is a file is taken")
	}
}
