package exchange

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"payscand/payment"
)

// Message is one signed HTTP request.
type Message struct {
	Base, Path string
	Header     http.Header
	Body       []byte
}

// requestTimeForm is ISO 8601 to the second; the offset is written in digits, as
// in the vendors' examples.
const requestTimeForm = "2006-01-02T15:04:05-07:00"

const contentType = "application/json; charset=UTF-8"

// Sign makes a message with fresh time, nonce and signature. at is used as the
// time as long as the gateway's clock is unknown.
func (c *Client) Sign(base, path string, body []byte, at time.Time) (*Message, error) {
	header, err := c.signed(path, "Request-Time", body, at)
	if err != nil {
		return nil, err
	}
	header.Set("User-Agent", "payscand")
	return &Message{Base: base, Path: path, Header: header, Body: body}, nil
}

// SignReply makes the headers of an answer to a request of the vendor's at path,
// a notification's, as the vendor's own answers have them.
func (c *Client) SignReply(path string, body []byte, at time.Time) (http.Header, error) {
	return c.signed(path, "Response-Time", body, at)
}

func (c *Client) signed(path, timeHeader string, body []byte, at time.Time) (http.Header, error) {
	if now, known := c.clock.now(); known {
		at = now
	}
	header := http.Header{}
	nonce := ""
	if c.config.Scheme.Nonce {
		var random [16]byte
		_, _ = rand.Read(random[:])           // never fails
		nonce = hex.EncodeToString(random[:]) // 32 characters
		header.Set("Nonce", nonce)
	}
	sent := at.UTC().Format(requestTimeForm) // as the gateway's clock shows
	signed, err := c.signer.Sign(c.config.Scheme.Content(http.MethodPost, path, c.config.Account, sent, nonce, body))
	if err != nil {
		return nil, err
	}
	header.Set("Content-Type", contentType)
	header.Set(c.config.Scheme.AccountHeader, c.config.Account)
	header.Set(timeHeader, sent)
	header.Set("Signature", signed)
	return header, nil
}

// verify checks the answer's signature over its bytes as received, with method
// and path of the request, and then that it is not an old one. A vendor's SDK
// believes an answer that lacks one of the headers; here each is required,
// exactly once. It returns the answer's time, zero if that cannot be read.
func (c *Client) verify(m *Message, header http.Header, body []byte) (answered time.Time, _ *Fault) {
	sent, err := c.believe(m.Path, "Response-Time", header, body)
	if err != nil {
		return time.Time{}, noAnswer(payment.ReasonAnswerUnverified, "the answer is not verified: %w%s", err, c.hint(body))
	}
	// The form of Response-Time is inferred from Request-Time's. One that cannot be
	// read leaves the clock to the Date header; the answer is the vendor's all the same.
	answered = ParseTime(sent)
	if !answered.IsZero() && !c.clock.learnVerified(answered) {
		return time.Time{}, noAnswer(payment.ReasonAnswerUnverified, "the answer is an old one: its time is over %s behind", MaxClockSkew)
	}
	return answered, nil
}

// VerifyNotification checks that the vendor sent this request, which came to path,
// to this account: the signature over its bytes as received, with the path that the
// vendor was told to send it to. Its time is not held against any clock: the vendor repeats a
// notification for a day, and what it says stays true.
func (c *Client) VerifyNotification(path string, header http.Header, body []byte) error {
	if values := header.Values(c.config.Scheme.AccountHeader); len(values) != 1 || values[0] != c.config.Account {
		return fmt.Errorf("it is not for this %s", c.config.Scheme.AccountKey)
	}
	_, err := c.believe(c.notifyPath(path), "Request-Time", header, body)
	return err
}

// believe checks who signed the headers and the body, and returns the time that
// they were signed at, as it stands.
func (c *Client) believe(path, timeHeader string, header http.Header, body []byte) (sent string, err error) {
	names := []string{"Signature", timeHeader}
	if c.config.Scheme.Nonce {
		names = append(names, "Nonce")
	}
	for _, name := range names {
		if values := header.Values(name); len(values) != 1 || values[0] == "" {
			return "", fmt.Errorf("it has %d %s headers, want one", len(values), name)
		}
	}
	sent = header.Get(timeHeader)
	content := c.config.Scheme.Content(http.MethodPost, path, c.config.Account, sent, header.Get("Nonce"), body)
	if err := c.verifier.Verify(content, header.Get("Signature")); err != nil {
		return "", fmt.Errorf("its signature: %w", err)
	}
	return sent, nil
}

// hint is, for the log only, the documented result code of an answer that nobody
// has to believe: it may tell the shop's IT what to mend.
func (c *Client) hint(body []byte) string {
	a, err := Decode[struct {
		Result Result `json:"result"`
	}](body)
	if err != nil || !c.config.Scheme.Documented(a.Result.Code) {
		return ""
	}
	return " (it says " + a.Result.Code + ")"
}
