package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxWait is the longest that WaitSale may ask for.
const MaxWait = 60 * time.Second

const (
	// answerTimeout bounds a call beyond the wait that it asks for.
	answerTimeout = 20 * time.Second
	// elsewhereTimeout bounds a call that waits for the gateway's answer.
	elsewhereTimeout = time.Minute
	// maxAnswer is in bytes; a page of MaxSales sales, each with many attempts
	// and refunds, has a few MiB.
	maxAnswer = 16 << 20
	// socketHost stands for the socket in URLs; the server ignores it there.
	socketHost = "payscand"
)

// Client calls one terminal. It is safe for concurrent use.
//
// Each method returns the terminal's refusal as a *Problem; any other error
// means that no answer came, or none that can be read.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New returns a client of the terminal at address: an absolute path or a
// unix:// URL of its socket, or an http:// URL such as http://127.0.0.1:8480.
// Over the socket the token may be empty; then the role is register. It does
// not connect yet.
func New(address, token string) (*Client, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
	base := "http://" + socketHost
	if path, isSocket := socketPath(address); isSocket {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	} else {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return nil, errors.New("address of the terminal: give an absolute path to its socket, or a URL such as http://127.0.0.1:8480")
		}
		base = "http://" + u.Host
	}
	return &Client{base: base, token: token, http: &http.Client{
		Transport: transport,
		// The API never redirects: what does is not the terminal.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func socketPath(address string) (path string, isSocket bool) {
	if path, found := strings.CutPrefix(address, "unix://"); found {
		return path, true
	}
	return address, strings.HasPrefix(address, "/")
}

// Close closes idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// CreateSale makes a sale. The idempotency key is 1 to 255 printable ASCII
// characters without spaces at the ends, and new for every sale. Whatever error
// comes that is not a *Problem, call again with the same key and content:
// replayed then says that the sale had been made already. The same key with
// other content is refused.
func (c *Client) CreateSale(ctx context.Context, key string, sale NewSale) (made Sale, replayed bool, err error) {
	answer, err := c.call(ctx, http.MethodPost, "/v1/sales", sale, &made, withKey(key))
	if err != nil {
		return Sale{}, false, err
	}
	return made, replayedAnswer(answer), nil
}

func withKey(key string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
}

func replayedAnswer(header http.Header) bool { return header.Get("Idempotency-Replayed") == "true" }

// GetSale returns the sale as it is now.
func (c *Client) GetSale(ctx context.Context, id string) (Sale, error) {
	return c.sale(ctx, http.MethodGet, id, "", nil)
}

// WaitSale returns the sale once its version is above after, or as it is when
// wait, at most MaxWait, is over.
func (c *Client) WaitSale(ctx context.Context, id string, after int64, wait time.Duration) (Sale, error) {
	ctx, query, cancel := waiting(ctx, after, wait)
	defer cancel()
	return c.sale(ctx, http.MethodGet, id, query, nil)
}

// waiting returns a long poll's query, and a context that outlasts the poll.
func waiting(ctx context.Context, after int64, wait time.Duration) (bounded context.Context, query string, cancel context.CancelFunc) {
	wait = min(max(wait, 0), MaxWait)
	query = "?after=" + strconv.FormatInt(after, 10) + "&wait=" + strconv.FormatInt(wait.Milliseconds(), 10) + "ms"
	bounded, cancel = context.WithTimeout(ctx, wait+answerTimeout)
	return bounded, query, cancel
}

// PostCode presents a payment code that the register scanned itself. The code
// is a secret: it is in no error that comes back.
func (c *Client) PostCode(ctx context.Context, id, code string) (Sale, error) {
	return c.sale(ctx, http.MethodPost, id, "/code", PresentedCode{Code: code})
}

// ShowQR stops waiting for a scan and has a QR shown.
func (c *Client) ShowQR(ctx context.Context, id string) (Sale, error) {
	return c.sale(ctx, http.MethodPost, id, "/qr", nil)
}

// Cancel asks for the sale to be cancelled. The answer need not be the end of
// it: wait until the sale is cancelled, or paid because the customer was faster.
func (c *Client) Cancel(ctx context.Context, id string) (Sale, error) {
	return c.sale(ctx, http.MethodPost, id, "/cancel", nil)
}

// Check has the gateway asked now instead of at the next due time. The answer
// is the sale before the gateway's: wait for the next version.
func (c *Client) Check(ctx context.Context, id string) (Sale, error) {
	return c.sale(ctx, http.MethodPost, id, "/check", nil)
}

// Refund begins a refund of a paid sale. The answer need not be the end of it:
// wait with WaitRefund until it is final. Key, replayed and errors are as with
// CreateSale; the key is new for every refund.
func (c *Client) Refund(ctx context.Context, id, key string, refund NewRefund) (begun SaleRefund, replayed bool, err error) {
	answer, err := c.call(ctx, http.MethodPost, salePath(id)+"/refunds", refund, &begun, withKey(key))
	if err != nil {
		return SaleRefund{}, false, err
	}
	return begun, replayedAnswer(answer), nil
}

// RefundElsewhere begins a refund of a payment that another terminal took. The
// gateway is asked about it first, so that the call may take half a minute. All
// else is as with Refund; the refund's sale stands for the payment.
func (c *Client) RefundElsewhere(ctx context.Context, key string, refund NewRefundElsewhere) (begun SaleRefund, replayed bool, err error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, elsewhereTimeout)
		defer cancel()
	}
	answer, err := c.call(ctx, http.MethodPost, "/v1/refunds", refund, &begun, withKey(key))
	if err != nil {
		return SaleRefund{}, false, err
	}
	return begun, replayedAnswer(answer), nil
}

// GetRefund returns a sale's refund or reversal by its number, as it is now.
func (c *Client) GetRefund(ctx context.Context, id string, n int) (SaleRefund, error) {
	return c.refund(ctx, id, n, "")
}

// WaitRefund returns a sale's refund or reversal once the sale's version is above
// after, or as it is when wait, at most MaxWait, is over.
func (c *Client) WaitRefund(ctx context.Context, id string, n int, after int64, wait time.Duration) (SaleRefund, error) {
	ctx, query, cancel := waiting(ctx, after, wait)
	defer cancel()
	return c.refund(ctx, id, n, query)
}

func (c *Client) refund(ctx context.Context, id string, n int, query string) (SaleRefund, error) {
	var refund SaleRefund
	_, err := c.call(ctx, http.MethodGet, salePath(id)+"/refunds/"+strconv.Itoa(n)+query, nil, &refund)
	return refund, err
}

// Resolve carries out a person's decision about an unresolved sale. It needs the
// token of an operator. The truth is still looked for, and told if it is another.
func (c *Client) Resolve(ctx context.Context, id string, r Resolution) (Sale, error) {
	return c.sale(ctx, http.MethodPost, id, "/resolve", r)
}

// Terminal returns the state of the terminal.
func (c *Client) Terminal(ctx context.Context) (Terminal, error) {
	var state Terminal
	_, err := c.call(ctx, http.MethodGet, "/v1/terminal", nil, &state)
	return state, err
}

func (c *Client) sale(ctx context.Context, method, id, rest string, body any) (Sale, error) {
	var sale Sale
	_, err := c.call(ctx, method, salePath(id)+rest, body, &sale)
	return sale, err
}

func salePath(id string) string { return "/v1/sales/" + url.PathEscape(id) }

func (c *Client) call(ctx context.Context, method, path string, body, into any, edits ...func(*http.Request)) (http.Header, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, answerTimeout)
		defer cancel()
	}
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	for _, edit := range edits {
		edit(request)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	defer response.Body.Close()
	return response.Header, read(response, into)
}

func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("terminal: %w", err)
		}
		content = bytes.NewReader(b)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	// An Idempotency-Key makes net/http send a POST again on its own when a kept
	// connection breaks, if it can rewind the body. When to repeat is the
	// caller's decision.
	request.GetBody = nil
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	return request, nil
}

func read(response *http.Response, into any) error {
	b, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("terminal: reading its answer: %w", err)
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("terminal: its answer is longer than %d bytes", maxAnswer)
	}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	success := response.StatusCode >= 200 && response.StatusCode < 300
	switch {
	case success && mediaType == "application/json":
		if err := json.Unmarshal(b, into); err != nil {
			return fmt.Errorf("terminal: its answer cannot be read: %w", err)
		}
		return nil
	case !success && mediaType == "application/problem+json":
		problem := new(Problem)
		if err := json.Unmarshal(b, problem); err != nil {
			return fmt.Errorf("terminal: its refusal (status %d) cannot be read: %w", response.StatusCode, err)
		}
		return problem
	default:
		return fmt.Errorf("terminal: unexpected answer, status %d: is this payscand's address?", response.StatusCode)
	}
}
