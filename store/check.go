package store

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"payscand/payment"
)

// Longest texts that indexes are kept by, in bytes. bbolt would take more; the
// bounds keep pages from holding one record each.
const (
	maxID      = 64
	maxGateway = 64
	maxKey     = 255
)

// CheckChange says whether a change fits the sale as it is stored; stored is nil
// for an unknown sale. It wraps ErrRefused. What spans sales (a key or request
// id that another sale has) each store checks by its indexes.
func CheckChange(stored *payment.Sale, c payment.Change) error {
	if c.After.ID == "" {
		return checkLooseRecord(c)
	}
	if err := checkFit(stored, c); err != nil {
		return fmt.Errorf("sale %.64q: %w: %w", c.After.ID, ErrRefused, err)
	}
	return nil
}

func checkLooseRecord(c payment.Change) error {
	switch {
	case c.Before.ID != "":
		return fmt.Errorf("sale %.64q: %w: a sale cannot be taken away", c.Before.ID, ErrRefused)
	case c.Record != nil && (c.Record.Sale != "" || c.Record.Version != 0):
		return fmt.Errorf("record %s: %w: it names a sale but comes without one", c.Record.Type, ErrRefused)
	}
	return nil
}

func checkFit(stored *payment.Sale, c payment.Change) error {
	switch {
	case c.Before.ID == "" && stored != nil:
		return fmt.Errorf("it is to be made, but exists at version %d", stored.Version)
	case c.Before.ID != "" && stored == nil:
		return fmt.Errorf("it is to be changed, but is unknown")
	case c.Before.ID != "" && c.Before.ID != c.After.ID:
		return fmt.Errorf("the change begins with another sale, %.64q", c.Before.ID)
	}
	before := payment.Sale{}
	if stored != nil {
		before = *stored
		if err := checkBefore(before, c.Before); err != nil {
			return err
		}
		if c.After.Key != before.Key || c.After.Digest != before.Digest {
			return fmt.Errorf("its idempotency key or digest changed")
		}
	} else if err := checkNew(c.After); err != nil {
		return err
	}
	if err := checkRecord(before, c); err != nil {
		return err
	}
	if len(c.After.Refunds) < len(before.Refunds) {
		return fmt.Errorf("it has lost refunds: %d of %d are left", len(c.After.Refunds), len(before.Refunds))
	}
	return checkAttempts(before.Attempts, c.After)
}

// checkBefore compares the little that decides; a difference anywhere else comes
// with one of these, as every step moves Due or Version.
func checkBefore(stored, before payment.Sale) error {
	switch {
	case before.Version != stored.Version:
		return fmt.Errorf("the change begins at version %d, stored is %d", before.Version, stored.Version)
	case before.Status != stored.Status:
		return fmt.Errorf("the change begins as %s, stored is %s", before.Status, stored.Status)
	case !slices.EqualFunc(before.Dues(), stored.Dues(), func(a, b payment.GatewayDue) bool { return a.Gateway == b.Gateway && a.At.Equal(b.At) }):
		return fmt.Errorf("the change begins with another due time than is stored")
	}
	return nil
}

func checkNew(s payment.Sale) error {
	switch {
	case !fits(s.ID, maxID):
		return fmt.Errorf("its id is not 1 to %d bytes of UTF-8", maxID)
	case !fits(s.Key, maxKey):
		return fmt.Errorf("its idempotency key is not 1 to %d bytes of UTF-8", maxKey)
	}
	return nil
}

// checkRecord holds that what the register can see raises the version by one and
// writes one record, and that anything else does neither.
func checkRecord(before payment.Sale, c payment.Change) error {
	if c.Record == nil {
		if c.After.Version != before.Version || c.Before.ID == "" {
			return fmt.Errorf("its version goes from %d to %d without a record", before.Version, c.After.Version)
		}
		return nil
	}
	switch {
	case c.After.Version != before.Version+1:
		return fmt.Errorf("its version goes from %d to %d with one record", before.Version, c.After.Version)
	case c.Record.Sale != c.After.ID || c.Record.Version != c.After.Version:
		return fmt.Errorf("its record is of sale %.64q version %d", c.Record.Sale, c.Record.Version)
	}
	return nil
}

func checkAttempts(before []payment.Attempt, after payment.Sale) error {
	if len(after.Attempts) < len(before) {
		return fmt.Errorf("it has lost attempts: %d of %d are left", len(after.Attempts), len(before))
	}
	for i, r := range after.Refunds {
		if !fits(r.RequestID, maxID) || r.Key != "" && !fits(r.Key, maxKey) {
			return fmt.Errorf("refund %d has a request id or an idempotency key that cannot be stored", i+1)
		}
	}
	for i, a := range after.Attempts {
		switch {
		case i < len(before) && a.RequestID != before[i].RequestID:
			return fmt.Errorf("attempt %d has another request id than is stored", i+1)
		case !fits(a.RequestID, maxID):
			return fmt.Errorf("attempt %d has a request id that is not 1 to %d bytes of UTF-8", i+1, maxID)
		case len(a.Gateway) > maxGateway:
			return fmt.Errorf("attempt %d has a gateway name above %d bytes", i+1, maxGateway)
		}
	}
	return nil
}

// fits also asks for UTF-8: JSON would give other text back.
func fits(text string, most int) bool {
	return text != "" && len(text) <= most && utf8.ValidString(text)
}
