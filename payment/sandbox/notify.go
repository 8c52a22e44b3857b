package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// This file sends notifications and judges how they are taken. What they say is
// the vendors' affair (alphapay_notify.go, alipayplus_notify.go).

const (
	notifyTimeout   = 10 * time.Second
	notifyAtOnce    = 8 // deliveries side by side
	maxNotifyAnswer = 64 * 1024
)

var errNotAllowed = errors.New("notifications go to loopback addresses, and to hosts that the operator names, only")

// vendor makes a gateway's notifications and judges their answers.
type vendor interface {
	// notice is the signed request of a delivery.
	notice(ctx context.Context, tried delivery, damage answer) (*http.Request, error)
	// acknowledged is nil for an answer that the vendor takes for one.
	acknowledged(sent *http.Request, header http.Header, body []byte) error
}

// Run sends notifications as they come due, until ctx ends. Without it none is
// sent but by DeliverNotifications and the control API.
func (s *Server) Run(ctx context.Context) {
	for ctx.Err() == nil {
		s.DeliverNotifications(ctx)
		var due <-chan time.Time
		if next := s.ledger.nextDelivery(); !next.IsZero() {
			due = s.config.After(max(0, next.Sub(s.config.Clock())))
		}
		select {
		case <-due:
		case <-s.ledger.wake:
		case <-ctx.Done():
		}
	}
}

// DeliverNotifications makes one try of every notification that is due, waits for
// their ends, and returns how many there were.
func (s *Server) DeliverNotifications(ctx context.Context) int {
	due := s.ledger.dueDeliveries(s.config.Clock(), s.config.NotifySpeed)
	var all sync.WaitGroup
	slots := make(chan struct{}, notifyAtOnce)
	for _, tried := range due {
		slots <- struct{}{}
		all.Go(func() {
			_, _ = s.deliver(ctx, tried, answerRight) // an order that made room meanwhile
			<-slots
		})
	}
	all.Wait()
	return len(due)
}

// NotifyAgain sends the last notification of an order now, whether or not it is
// due or was acknowledged before, and returns the order. It fails if the order is
// unknown or has nothing to tell.
func (s *Server) NotifyAgain(ctx context.Context, requestID string) (Order, error) {
	return s.notifyAgain(ctx, requestID, answerRight)
}

func (s *Server) notifyAgain(ctx context.Context, requestID string, damage answer) (Order, error) {
	tried, err := s.ledger.again(s.config.Clock(), byAnyRequest(requestID), s.config.NotifySpeed)
	if err != nil {
		return Order{}, err
	}
	return s.deliver(ctx, tried, damage)
}

// deliver sends a notification and notes how it was taken.
func (s *Server) deliver(ctx context.Context, tried delivery, damage answer) (Order, error) {
	problem := s.post(ctx, tried, damage)
	if problem != nil {
		s.config.Logger.Warn("notification not acknowledged", "what", tried.String(), "url", tried.notification().URL, "why", problem.Error())
	} else {
		s.config.Logger.Info("notification acknowledged", "what", tried.String(), "url", tried.notification().URL)
	}
	return s.ledger.delivered(s.config.Clock(), tried, problem)
}

func (s *Server) post(ctx context.Context, tried delivery, damage answer) error {
	target, err := url.Parse(tried.notification().URL)
	if err != nil {
		return errors.New("the notification URL cannot be read")
	}
	if !s.mayNotify(target.Hostname()) {
		return fmt.Errorf("%w; not to %s", errNotAllowed, target.Hostname())
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	speaker := s.vendors[tried.order.Gateway]
	request, err := speaker.notice(ctx, tried, damage)
	if err != nil {
		return err
	}
	response, err := s.notifier.Do(request)
	if err != nil {
		return fmt.Errorf("no answer: %w", errors.Unwrap(err)) // without the URL, which stands beside it
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxNotifyAnswer))
	switch {
	case err != nil:
		return errors.New("the answer was cut")
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("HTTP status %d, want 200", response.StatusCode)
	}
	return speaker.acknowledged(request, response.Header, body)
}

// mayNotify says whether a host is on this machine, or named by the operator.
func (s *Server) mayNotify(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost") ||
		slices.ContainsFunc(s.config.NotifyHosts, func(named string) bool { return strings.EqualFold(named, host) })
}

// newNotifier uses no proxy and follows no redirect, so that it reaches no other
// host than the one that was checked.
func newNotifier() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: notifyAtOnce, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newNotice is a POST of JSON to the notification's URL.
func newNotice(ctx context.Context, tried delivery, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, tried.notification().URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	return request, nil
}

// noticePath is the path of a notification's URL, as it is signed.
func noticePath(request *http.Request) string {
	if path := request.URL.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// acknowledges reads an answer to a notification: both vendors want the same.
func acknowledges(body []byte) error {
	var answer wireRefusal
	if err := json.Unmarshal(body, &answer); err != nil {
		return errors.New("the answer is not the JSON that the vendor asks for")
	}
	if answer.Result.Status != "S" || answer.Result.Code != "SUCCESS" {
		return errors.New("the answer's result is not S and SUCCESS")
	}
	return nil
}
