package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"payscand/api/client"
	"payscand/internal/browser"
)

// unscannedSale follows the customer's page in a Chromium of its own.
func unscannedSale(ctx context.Context, p player) (err error) {
	profile := filepath.Join(p.dir, "chromium")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return err
	}
	chromium, err := browser.Start(ctx, p.chromium, profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, chromium.Close()) }()
	page, err := chromium.Open(ctx, p.Kiosk, browser.DefaultSize)
	if err != nil {
		return err
	}
	if _, err := page.Await(ctx, func(s browser.Seen) bool { return s.Heard > 0 }); err != nil {
		return err
	}
	sale, err := p.newSale(ctx, rand.Text(), 1650, client.ModeAuto)
	if err != nil {
		return err
	}
	if err := p.watch(ctx, page, func(s browser.Seen) bool { return s.Drawn }); err != nil {
		return err
	}
	payPage, err := p.readQR(ctx, page, sale.ID)
	if err != nil {
		return err
	}
	if err := p.Pay(payPage); err != nil {
		return err
	}
	p.say("   The customer opens that page and presses Pay.")
	if err := p.watch(ctx, page, func(s browser.Seen) bool { return s.Screen == "approved" }); err != nil {
		return err
	}
	if problems := page.Problems(); len(problems) > 0 {
		return fmt.Errorf("the customer's page did what it should not: %+v", problems)
	}
	return p.expectPaid(ctx, sale)
}

// watch prints each screen until one is as wanted.
func (p player) watch(ctx context.Context, page *browser.Page, wanted func(browser.Seen) bool) error {
	var before browser.Seen
	_, err := page.Await(ctx, func(s browser.Seen) bool {
		if s.Screen != before.Screen || s.Amount != before.Amount || !slices.Equal(s.Titles, before.Titles) {
			p.say("   The customer's display: %s  %s", s.Titles[0], s.Amount)
		}
		before = s
		return wanted(s)
	})
	return err
}

// readQR reads the QR from a picture of the display, and compares it with what the gateway asked to be shown.
func (p player) readQR(ctx context.Context, page *browser.Page, saleID string) (string, error) {
	read, err := page.ReadQR(ctx)
	if err != nil {
		return "", err
	}
	p.say("   The QR, read from a picture of the display, leads to %s", read)
	sale, err := p.Register.GetSale(ctx, saleID)
	if err != nil {
		return "", err
	}
	attempt := sale.Attempts[0]
	truth, err := p.PayPage(attempt.RequestID)
	if err != nil {
		return "", err
	}
	if attempt.QR == nil || attempt.QR.Payload != read || truth != read {
		return "", fmt.Errorf("the gateway asked for %s, and the register was told %+v", truth, attempt.QR)
	}
	return read, nil
}
