package exchange

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxURL is the longest URL that vendors take, in characters.
const maxURL = 2048

// checkNotifyURL wants an address with a path, which the signature of what is sent
// there covers; "" is none. Its errors do not repeat the text, which may hold a
// password.
func checkNotifyURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.Contains(text, "#"):
		return errors.New("want https:// and a host, without user and fragment")
	case len(text) > maxURL:
		return fmt.Errorf("want at most %d characters", maxURL)
	case u.Path == "":
		return errors.New("want a path behind the host: the notification's signature covers it")
	}
	return nil
}

// notifyPath is the path that the vendor was told to send notifications to, which
// it signs; that of the request where it was told none.
func (c *Client) notifyPath(requested string) string {
	if u, err := url.Parse(c.config.NotifyURL); err == nil && u.Path != "" {
		return u.EscapedPath()
	}
	return requested
}

// acknowledged is the body by which a vendor knows that its notification was
// received, whatever it said.
var acknowledged = []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`)

// Acknowledge is the answer to a notification at path: headers and body. With
// signed the headers carry the account's signature.
func (c *Client) Acknowledge(path string, signed bool) (http.Header, []byte, error) {
	if !signed {
		return http.Header{"Content-Type": {contentType}}, acknowledged, nil
	}
	header, err := c.SignReply(c.notifyPath(path), acknowledged, c.MachineNow())
	return header, acknowledged, err
}

// AboutRequest is the request id that a notification names, whoever sent it; "" if
// it names none that could be one.
func AboutRequest(body []byte) string {
	about, err := Decode[struct {
		RequestID Text `json:"paymentRequestId"`
		RefundReq Text `json:"refundRequestId"`
	}](body)
	id := string(about.RefundReq)
	if id == "" {
		id = string(about.RequestID)
	}
	if err != nil || !IsID(id) {
		return ""
	}
	return id
}
