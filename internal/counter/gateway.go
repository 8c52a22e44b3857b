package counter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Order is the practice gateway's truth about a request id.
type Order struct {
	RequestID string `json:"request_id"`
	PaymentID string `json:"payment_id"`
	Status    string `json:"status"`
	PayPath   string `json:"pay_path"` // of the customer's wallet page
	Captures  int    `json:"captures"` // how often money was taken
	Sends     int    `json:"sends"`    // how many pay requests came
	Refunded  int64  `json:"refunded"` // minor units
}

// Order returns the gateway's truth about one request id.
func (c *Counter) Order(requestID string) (o Order, err error) {
	return o, c.control(http.MethodGet, c.Gateway+"/control/orders/"+requestID, nil, &o)
}

// Orders returns every order that the gateway knows of, the newest first.
func (c *Counter) Orders() ([]Order, error) {
	var all struct {
		Orders []Order `json:"orders"`
	}
	return all.Orders, c.control(http.MethodGet, c.Gateway+"/control/orders", nil, &all)
}

// PayPage returns the address of the page that stands in for the customer's wallet: what the QR of a request leads to.
func (c *Counter) PayPage(requestID string) (string, error) {
	order, err := c.Order(requestID)
	return c.Gateway + order.PayPath, err
}

// Pay presses Pay on a wallet page, and Decline the other button. The error says that there is no such page; whether the
// order was still open is for Order to tell.
func (c *Counter) Pay(payPage string) error {
	return c.control(http.MethodPost, payPage+"/pay", nil, nil)
}

// Decline presses Decline on a wallet page.
func (c *Counter) Decline(payPage string) error {
	return c.control(http.MethodPost, payPage+"/decline", nil, nil)
}

// RefundInPortal gives an amount of a paid order back, in minor units, as a person
// in the vendor's portal does.
func (c *Counter) RefundInPortal(requestID string, amount int64) error {
	body := fmt.Appendf(nil, `{"amount": %d}`, amount)
	return c.control(http.MethodPost, c.Gateway+"/control/orders/"+requestID+"/refund", body, nil)
}

// Faults sets the gateway's faults: a JSON body of its control API, such as
// {"down": true}. ClearFaults ends them all.
func (c *Counter) Faults(body string) error {
	return c.control(http.MethodPost, c.Gateway+"/control/faults", []byte(body), nil)
}

// ClearFaults ends all faults.
func (c *Counter) ClearFaults() error {
	return c.control(http.MethodDelete, c.Gateway+"/control/faults", nil, nil)
}

// controlBound ends a call of the control API that hangs.
const controlBound = 10 * time.Second

// control calls the control API or a wallet page. The answer is decoded unless into is nil.
func (c *Counter) control(method, url string, body []byte, into any) error {
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
