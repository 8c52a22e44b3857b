package exchange

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"payscand/payment"
)

// Hole is where a pay request takes the payment code: Open is what stands before
// it in place of the body's last brace, Close what stands behind it.
type Hole struct{ Open, Close string }

// Intent is what is kept of a pay request to path: the body, and the hole in it
// for the payment code; the zero Hole is none.
func (c *Client) Intent(path string, body any, hole Hole) (payment.Intent, error) {
	head, err := json.Marshal(body)
	if err != nil {
		return payment.Intent{}, err
	}
	intent := payment.Intent{Account: c.Account(), URL: c.BaseURL() + path, Head: string(head)}
	if hole != (Hole{}) {
		intent.Head = strings.TrimSuffix(intent.Head, "}") + hole.Open
		intent.Tail = hole.Close
	}
	return intent, nil
}

// BaseFor is the scheme and host that calls about an order go to: those that its
// pay request was sent to, at the vendor's path, even when the configuration names
// others by now (M7); the configured ones where none is stored.
func (c *Client) BaseFor(intent payment.Intent, path string) (string, error) {
	if intent.URL == "" {
		return c.BaseURL(), nil
	}
	base, ends := strings.CutSuffix(intent.URL, path)
	if !ends {
		return "", errors.New("the stored pay URL is not one of this gateway's")
	}
	if err := checkBase(base); err != nil {
		return "", fmt.Errorf("the stored pay URL: %w", err)
	}
	return base, nil
}

// PayBody is the attempt's stored pay request with its code where that belongs.
func PayBody(a payment.Attempt) ([]byte, error) {
	switch {
	case a.Intent.Head == "" || a.Intent.URL == "":
		return nil, errors.New("the attempt has no stored pay request")
	case !a.Intent.FillsCode(): // a QR order's, whatever the attempt holds
		return []byte(a.Intent.Head), nil
	case a.Code.IsZero():
		return nil, errors.New("the payment code is no longer kept, so the request cannot be sent again")
	case !fitsHole(a.Code):
		return nil, errors.New("the payment code has characters that no wallet's has")
	}
	return a.Intent.Body(a.Code), nil
}

// maxPaymentCode bounds a payment code, in characters: EMVCo's consumer-presented
// codes end at 512.
const maxPaymentCode = 512

// fitsHole reports whether the code can stand between the quotes of a JSON string
// as it is. Digits and base64, which is all that codes are made of, can.
func fitsHole(code payment.Code) bool {
	return IsVisible(code.Reveal(), maxPaymentCode) && !strings.ContainsAny(code.Reveal(), `"\`)
}

// SignJSON signs a message with a JSON body, as Sign does.
func (c *Client) SignJSON(base, path string, value any, at time.Time) (*Message, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return c.Sign(base, path, body, at)
}
