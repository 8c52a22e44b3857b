package counter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// Ledger is the truth that a practice gateway tells, and what makes it behave.
type Ledger struct{ URL string }

// Practice is a practice gateway in a process of its own.
type Practice struct {
	Ledger
	Dir string // of its keys

	program, address, log string
	args                  []string
	process               *process
}

// StartPractice starts a practice gateway on the host, on the port if it is free,
// and waits until it answers. Its keys and its log are in dir. args are added to
// its command line.
func StartPractice(ctx context.Context, program, host, port, dir string, args ...string) (*Practice, error) {
	address, err := freeAddress(host, port)
	if err != nil {
		return nil, err
	}
	p := &Practice{
		Ledger: Ledger{"http://" + address}, Dir: filepath.Join(dir, "keys"),
		program: program, address: address, log: filepath.Join(dir, "sandbox.log"), args: args,
	}
	return p, p.Start(ctx)
}

// Start starts a gateway that was stopped. It remembers nothing but its keys.
func (p *Practice) Start(ctx context.Context) (err error) {
	args := append([]string{"sandbox", "--listen", p.address, "--dir", p.Dir}, p.args...)
	if p.process, err = start([]string{p.program}, p.log, args...); err != nil {
		return err
	}
	return p.process.until(ctx, func() bool {
		return control(http.MethodGet, p.URL+"/control/faults", nil, nil) == nil
	})
}

// Stop ends the gateway: connections are refused then.
func (p *Practice) Stop() error {
	if p == nil {
		return nil
	}
	return p.process.stop()
}

// Order is the practice gateway's truth about a request id.
type Order struct {
	Gateway   string `json:"gateway"` // the vendor
	RequestID string `json:"request_id"`
	PaymentID string `json:"payment_id"`
	Status    string `json:"status"`
	PayPath   string `json:"pay_path"` // of the customer's wallet page
	Captures  int    `json:"captures"` // how often money was taken
	Sends     int    `json:"sends"`    // how many pay requests came
	Amount    int64  `json:"amount"`   // minor units
	Refunded  int64  `json:"refunded"` // minor units

	RefundSends   int            `json:"refund_sends"` // how many refund requests came
	Notifications []Notification `json:"notifications"`
}

// Notification is what the practice gateway sent of an order unasked.
type Notification struct {
	Tries          int       `json:"tries"`
	AcknowledgedAt time.Time `json:"acknowledged_at"` // zero: not yet
}

// Order returns the gateway's truth about one request id.
func (l Ledger) Order(requestID string) (o Order, err error) {
	return o, control(http.MethodGet, l.URL+"/control/orders/"+requestID, nil, &o)
}

// Orders returns every order that the gateway knows of, the newest first.
func (l Ledger) Orders() ([]Order, error) {
	var all struct {
		Orders []Order `json:"orders"`
	}
	return all.Orders, control(http.MethodGet, l.URL+"/control/orders", nil, &all)
}

// PayPage returns the address of the page that stands in for the customer's wallet: what the QR of a request leads to.
func (l Ledger) PayPage(requestID string) (string, error) {
	order, err := l.Order(requestID)
	return l.URL + order.PayPath, err
}

// Pay presses Pay on a wallet page, and Decline the other button. The error says that there is no such page; whether the
// order was still open is for Order to tell.
func (l Ledger) Pay(payPage string) error {
	return control(http.MethodPost, payPage+"/pay", nil, nil)
}

// Decline presses Decline on a wallet page.
func (l Ledger) Decline(payPage string) error {
	return control(http.MethodPost, payPage+"/decline", nil, nil)
}

// RefundInPortal gives an amount of a paid order back, in minor units, as a person
// in the vendor's portal does.
func (l Ledger) RefundInPortal(requestID string, amount int64) error {
	body := fmt.Appendf(nil, `{"amount": %d}`, amount)
	return control(http.MethodPost, l.URL+"/control/orders/"+requestID+"/refund", body, nil)
}

// Notify sends an order's last notification again, damaged as the control API lists
// it, or sound where damage is empty, and returns when it was answered.
func (l Ledger) Notify(requestID, damage string) error {
	body := fmt.Appendf(nil, `{"damage": %q}`, damage)
	return control(http.MethodPost, l.URL+"/control/orders/"+requestID+"/notify", body, nil)
}

// Faults sets the gateway's faults: a JSON body of its control API, such as
// {"down": true}. ClearFaults ends them all.
func (l Ledger) Faults(body string) error {
	return control(http.MethodPost, l.URL+"/control/faults", []byte(body), nil)
}

// ClearFaults ends all faults.
func (l Ledger) ClearFaults() error {
	return control(http.MethodDelete, l.URL+"/control/faults", nil, nil)
}

// controlBound ends a call of the control API that hangs.
const controlBound = 10 * time.Second

// control calls the control API or a wallet page. The answer is decoded unless into is nil.
func control(method, url string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), controlBound)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: HTTP %s", method, url, response.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
