package hidscan

import (
	"context"
	"time"

	"payscand/device"
	"payscand/device/usb"
)

// Found is a HID interface that a scanner can be.
type Found struct {
	usb.Device
	Interface usb.Interface
	// Mode is how it presents itself; "" where nothing says so, as of one that a
	// program holds.
	Mode Mode
	// Understood: its reports have a form that is read.
	Understood bool
}

// Inventory lists what scanners can be, keyboards included: whether one of those
// is a scanner, only people know. It opens nothing.
func Inventory(t usb.Tree) []Found {
	var found []Found
	candidates, _ := tree{Tree: t}.candidates(Config{})
	for _, c := range candidates {
		f := Found{Device: c.device, Interface: c.Interface, Mode: c.mode}
		switch {
		case c.mode != "":
			_, err := c.protocol(Config{})
			f.Understood = err == nil
		case c.described:
			continue // a mouse, a button
		}
		found = append(found, f)
	}
	return found
}

// Listen opens the scanner, says when it is ready, and tells each Shot until ctx
// ends, then nil, or until the scanner cannot be used, with what to do. It is used
// in place of Run.
func (s *Scanner) Listen(ctx context.Context, ready func(), shot func(device.Shot)) error {
	if s.open == nil {
		return refuse(device.StateFailed, noSupport)
	}
	opened, found, err := s.claim()
	if err != nil {
		_, detail := s.explain(err)
		return refuse(device.StateFailed, "%s", detail)
	}
	defer func() { _ = opened.Close() }()
	reader := newReader(opened, s.arming, time.Now)
	if _, err := reader.settle(ctx); err != nil {
		return err
	}
	ready()
	var reports [][]byte
	lost, quietSince := false, time.Now()
	for ctx.Err() == nil {
		b, err := reader.next(busyWait)
		if err != nil {
			_, detail := s.explain(err)
			return refuse(device.StateMissing, "%s", detail)
		}
		if lost = lost || b.lost || len(reports) > maxShot; len(reports) <= maxShot {
			reports = append(reports, b.reports...)
		}
		switch now := time.Now(); {
		case len(b.reports) > 0:
			quietSince = now
		case len(reports) > 0 && now.Sub(quietSince) >= device.ShotSilence:
			result := found.read(reports)
			result.Lost = result.Lost || lost
			shot(result)
			reports, lost = nil, false
		}
	}
	return nil
}

// maxShot bounds, in reports, what is kept of a scanner that never stops.
const maxShot = 4 * device.MaxScanBytes

// read makes a shot of reports under each layout that it can be read under.
func (t target) read(reports [][]byte) device.Shot {
	shot := device.Shot{Texts: map[string]string{}}
	names := []string{""}
	if t.protocol.mode == ModeKeyboard {
		names = Layouts()
	}
	for _, name := range names {
		pieces := pieces{lengths: t.protocol.lengths, packet: t.packet}
		decoder := t.protocol.newWith(layouts[name])
		var text []byte
		var bad *fault
		for _, read := range reports {
			report := pieces.add(read)
			if report == nil {
				continue
			}
			result, fault := decoder.decode(text, report)
			if text = result.text; fault != nil {
				bad = fault
			}
			if result.symbology != "" {
				shot.Symbology = result.symbology
			}
		}
		switch {
		case bad == nil:
			shot.Texts[name] = string(text)
		case t.protocol.mode != ModeKeyboard:
			shot.Fault = bad.detail
		}
	}
	return shot
}
