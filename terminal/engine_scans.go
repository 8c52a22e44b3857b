package terminal

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"maps"
	"time"

	"payscand/device"
	"payscand/payment"
)

// Why a whole scan could not be used, besides payment.RefusalKind.
const (
	scanNotArmed = "not_armed" // no sale waits for a scan
	scanStale    = "stale"     // it began before the sale was armed (P7)
)

// scanned gives a scan to the sale that was armed when it began; any other
// changes nothing (P7, M10).
func (e *Engine) scanned(scan device.Scan) error {
	refused := RefusedScan{At: scan.At, Device: scan.Device, Mask: payment.NewCode(scan.Text).Mask()}
	wallet, code, err := payment.Recognise(e.rules, scan.Text)
	switch token := e.arming(); {
	case token == 0:
		refused.Kind = scanNotArmed
	case scan.Arming != token:
		refused.Kind = scanStale
	case err != nil:
		refused.Kind, refused.Mask = refusalKind(err)
	default:
		var why *Error
		switch err := e.present(e.live, code, wallet, scan.Arming); {
		case err == nil:
			return nil
		case errors.As(err, &why):
			refused.Kind = string(why.Code)
		default:
			return err
		}
	}
	e.refuseScan(refused)
	return nil
}

// post takes a code that the register scanned itself.
func (e *Engine) post(in Post) (payment.Sale, error) {
	s, err := e.sale(in.Sale)
	if err != nil {
		return s, err
	}
	if err := e.notAdopted(); err != nil {
		return s, err
	}
	wallet, code, err := payment.Recognise(e.rules, in.Text.Reveal())
	if err != nil {
		var refusal *payment.Refusal
		errors.As(err, &refusal)
		return s, &Error{Code: CodeCodeRefused, Message: err.Error(), Sale: s.ID, Refusal: refusal}
	}
	if err := e.present(s, code, wallet, 0); err != nil {
		return s, err
	}
	return e.sale(in.Sale)
}

// present submits a recognised code, unless it was submitted for another sale.
func (e *Engine) present(s payment.Sale, code payment.Code, wallet payment.Wallet, arming uint64) error {
	if sale, used := e.codes.usedFor(code, e.turn.now); used && sale != s.ID {
		return &Error{Code: CodeCodeUsed, Sale: sale,
			Message: "this code was submitted for another sale: ask the customer for a fresh one"}
	}
	s, err := e.step(s, payment.CodePresented{Code: code, Wallet: wallet, Arming: arming})
	if err != nil {
		return err
	}
	until := e.turn.now.Add(e.policy.CodeMemory)
	if s.Status == payment.SaleSwitching { // it is submitted once its QR is closed
		until = until.Add(e.policy.SwitchBound)
	}
	e.codes.remember(code, s.ID, e.turn.now, until)
	return nil
}

func refusalKind(err error) (kind, mask string) {
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok {
		return string(refusal.Kind), refusal.Mask
	}
	return "unknown", ""
}

// refuseScan counts a scan that could not be used, shows it in the status and
// journals it, at most ten a minute.
func (e *Engine) refuseScan(r RefusedScan) {
	r.Sale = e.live.ID
	if r.At.IsZero() {
		r.At = e.turn.now
	}
	if !e.refused.add(r, e.turn.now) {
		return
	}
	e.note(payment.RecordScanRefused, map[string]string{
		"device": r.Device, "kind": r.Kind, "mask": r.Mask, "sale": r.Sale,
	})
}

// refusedScans remembers how many scans were refused, and when the last ones
// were journalled.
type refusedScans struct {
	count     int64
	last      *RefusedScan
	journaled [10]time.Time // a ring: the oldest is next
	next      int
}

// add reports whether the scan is to be journalled too.
func (r *refusedScans) add(scan RefusedScan, now time.Time) bool {
	r.count++
	r.last = &scan
	if oldest := r.journaled[r.next]; !oldest.IsZero() && now.Sub(oldest) < time.Minute {
		return false
	}
	r.journaled[r.next] = now
	r.next = (r.next + 1) % len(r.journaled)
	return true
}

// codeMemory remembers keyed hashes of submitted codes for a few minutes (M10).
type codeMemory struct {
	key  [32]byte
	used map[[sha256.Size]byte]submitted
}

type submitted struct {
	sale  string
	until time.Time
}

func newCodeMemory(key [32]byte) codeMemory {
	return codeMemory{key: key, used: make(map[[sha256.Size]byte]submitted)}
}

func (m codeMemory) hash(c payment.Code) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, m.key[:])
	mac.Write([]byte(c.Reveal()))
	mac.Sum(sum[:0])
	return sum
}

func (m codeMemory) usedFor(c payment.Code, now time.Time) (sale string, used bool) {
	s, ok := m.used[m.hash(c)]
	return s.sale, ok && now.Before(s.until)
}

// remember also forgets what is over, so that the memory is bounded by the
// codes of a few minutes.
func (m codeMemory) remember(c payment.Code, sale string, now, until time.Time) {
	maps.DeleteFunc(m.used, func(_ [sha256.Size]byte, s submitted) bool { return !now.Before(s.until) })
	m.used[m.hash(c)] = submitted{sale: sale, until: until}
}
