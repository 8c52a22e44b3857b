package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"payscand/device"
	"payscand/device/hidscan"
	"payscand/device/serialscan"
	"payscand/device/usb"
)

// Station listens to scanners while people scan test codes.
type Station struct {
	Tree usb.Tree
	User User
	// Only is the ID or the port of the device to listen to. Without it these are
	// listened to: scanners in HID POS and IBM mode, and whatever is plugged in
	// meanwhile, keyboards and serial ports included: who plugs it in now means it.
	Only string
	// Baud is the speed of a serial line; 0: the default.
	Baud int
	// Say tells people what happens, one at a time.
	Say func(format string, args ...any)

	saying sync.Mutex
}

func (s *Station) say(format string, args ...any) {
	s.saying.Lock()
	defer s.saying.Unlock()
	s.Say(format, args...)
}

// heard is a shot of one device.
type heard struct {
	device Device
	shot   device.Shot
}

// ErrNoSuchDevice: Only names nothing that is plugged in.
var ErrNoSuchDevice = errors.New("there is no such device: payscand devices list shows what there is")

// ErrNotListening: what Only names cannot be listened to.
var ErrNotListening = errors.New("nothing can be scanned with it: what to do is said above")

// listening is what a station listens to.
type listening struct {
	*Station
	out     chan heard
	seen    sightings
	all     sync.WaitGroup
	opening sync.WaitGroup // those of the start, until they are ready or were told not to be
	ready   atomic.Bool    // one is, or was
}

// listen begins to listen, until ctx ends and wait returns. What is there at the
// start is ready when it returns, or was told not to be.
func (s *Station) listen(ctx context.Context) (shots <-chan heard, wait func(), err error) {
	l := &listening{Station: s, out: make(chan heard)}
	news := device.ListenForPlugs()
	if err := l.begin(ctx); err != nil {
		news.Close()
		return nil, nil, err
	}
	l.opening.Wait()
	switch {
	case l.ready.Load():
	case s.Only == "":
		s.say("no scanner is listened to yet: plug it in now, or again")
	default:
		news.Close()
		return nil, nil, cmp.Or(context.Cause(ctx), fmt.Errorf("%s: %w", s.Only, ErrNotListening))
	}
	l.all.Go(func() {
		defer news.Close()
		for ctx.Err() == nil {
			news.Wait(ctx)
			l.welcome(ctx)
		}
	})
	return l.out, l.all.Wait, nil
}

func (l *listening) start(ctx context.Context, d Device) {
	l.opening.Add(1)
	opened := sync.OnceFunc(l.opening.Done)
	l.all.Go(func() {
		defer opened()
		l.listenTo(ctx, d, func() { l.ready.Store(true); opened() })
	})
}

// begin listens to what is there.
func (l *listening) begin(ctx context.Context) error {
	chosen := 0
	there, _, _ := l.seen.look(l.present())
	for _, d := range there {
		switch wanted := l.wants(d); {
		case wanted && d.Holder != "" && l.Only != "":
			return fmt.Errorf("%s is held by %s: %s", d.title(), d.Holder, d.Advice)
		case wanted && d.Holder != "":
			l.say("%s is held by %s: %s", d.title(), d.Holder, d.Advice)
		case wanted:
			l.start(ctx, d)
			chosen++
		case l.Only == "" && d.Type != "":
			l.say("not touched: %s (%s); name it with --device %s, or unplug it and plug it in again", d.title(), d.What, d.ID())
		}
	}
	if l.Only != "" && chosen == 0 {
		return ErrNoSuchDevice
	}
	return nil
}

// welcome listens to what was plugged in since, or let go by a program.
func (l *listening) welcome(ctx context.Context) {
	came, freed, _ := l.seen.look(l.present())
	for _, d := range came {
		if d.Type != "" && (l.Only == "" || l.wants(d)) {
			l.start(ctx, d)
		}
	}
	for _, d := range freed {
		if l.wants(d) {
			l.start(ctx, d)
		}
	}
}

// present lists what is there, and the port that Only names where it is none of
// them, such as one that another machine's scanner is on.
func (s *Station) present() []Device {
	found := List(s.Tree, s.User)
	if !filepath.IsAbs(s.Only) || slices.ContainsFunc(found, s.wants) {
		return found
	}
	node, err := filepath.EvalSymlinks(s.Only)
	if err != nil {
		return found
	}
	d := Device{Type: typeSerial, What: "a serial port", Port: s.Only, Node: node, Holder: findHolders()[node]}
	d.judge(s.User)
	return append(found, d)
}

// wants tells whether a device that is there at the start is listened to.
func (s *Station) wants(d Device) bool {
	switch {
	case s.Only == "":
		return d.Mode == string(hidscan.ModePOS) || d.Mode == string(hidscan.ModeIBM)
	case d.Type == "":
		return false
	case filepath.IsAbs(s.Only):
		target, err := filepath.EvalSymlinks(s.Only)
		return d.Port != "" && (d.Port == s.Only || err == nil && d.Port == target)
	}
	return s.Only == d.ID() || s.Only == d.VendorID+":"+d.ProductID
}

func (d Device) title() string {
	name := d.ID()
	if d.Name != "" {
		name = d.Name + ", " + name
	}
	if d.Port != "" && d.Port != d.ID() {
		name += " at " + d.Port
	}
	return name
}

// openPatience is how long a device that was just plugged in may be refused.
const openPatience = 2 * time.Second

func (l *listening) listenTo(ctx context.Context, d Device, opened func()) {
	listener, err := l.listener(d)
	if err != nil {
		l.say("%s: %v", d.title(), err)
		return
	}
	if d.Type == typeSerial {
		d.baud = l.Baud
	}
	shot := func(got device.Shot) {
		select {
		case l.out <- heard{d, got}:
		case <-ctx.Done():
		}
	}
	ready := func() {
		l.say("listening to %s", d.title())
		opened()
	}
	for begun := time.Now(); ctx.Err() == nil; device.Pause(ctx, openPatience/10) {
		if err = listener.Listen(ctx, ready, shot); err == nil || time.Since(begun) > openPatience {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		l.say("%s: %v", d.title(), err)
	}
}

type listener interface {
	Listen(ctx context.Context, ready func(), shot func(device.Shot)) error
}

func (s *Station) listener(d Device) (listener, error) {
	if d.Type == typeSerial {
		return serialscan.New(serialscan.Config{Port: d.Port, Baud: s.Baud}, new(device.Arming))
	}
	return hidscan.New(hidscan.Config{
		Mode: hidscan.Mode(d.Mode), VendorID: hexadecimal(d.VendorID), ProductID: hexadecimal(d.ProductID), Serial: d.Serial, Interface: d.Interface,
	}, new(device.Arming))
}

func hexadecimal(text string) uint16 {
	n, err := strconv.ParseUint(text, 16, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// ErrNothingScanned: the time for a code is over.
var ErrNothingScanned = errors.New("nothing was scanned in time")

// Result is what came of one code of the sheet.
type Result struct {
	Code string `json:"code"`
	Finding
}

// Report is what a test found out about a scanner.
type Report struct {
	Device Device `json:"device"`
	// Right: every code came whole, and one configuration fits them all.
	Right   bool     `json:"right"`
	Results []Result `json:"results"`
	// Configuration is the [[scanner]] table to paste.
	Configuration string `json:"configuration,omitempty"`
}

// tries is how often a code is asked for before the next one is.
const tries = 3

// Test asks for each code, of the scanner that is heard first, and judges what
// comes. It waits for each so long; 0: for ever.
func (s *Station) Test(ctx context.Context, codes []Code, patience time.Duration) (Report, error) {
	listening, stop := context.WithCancel(ctx)
	shots, wait, err := s.listen(listening)
	if err != nil {
		stop()
		return Report{}, err
	}
	defer wait()
	defer stop()
	var report Report
	for _, code := range codes {
		if err := s.ask(ctx, code, &report, shots, patience); err != nil {
			return report, fmt.Errorf("code %s: %w", code.Name, err)
		}
	}
	report.conclude()
	return report, nil
}

// ask asks for a code, up to so many tries, and notes what came.
func (s *Station) ask(ctx context.Context, code Code, report *Report, shots <-chan heard, patience time.Duration) error {
	s.say("scan code %s of the sheet: %s", code.Name, code.Shows)
	for try := 1; ; {
		got, err := next(ctx, shots, patience)
		if err != nil {
			return err
		}
		if len(report.Results) > 0 && !got.device.isSame(report.Device) {
			s.say("that was another scanner, %s: scan with %s", got.device.title(), report.Device.title())
			continue
		}
		finding := Judge(got.shot, code.Text)
		s.say("%s: %s", code.Name, finding.Words())
		if finding.Right || try == tries {
			report.Device = got.device
			report.Results = append(report.Results, Result{code.Name, finding})
			if finding.Right && finding.Terminator == "none" && !got.device.tellsEnd() {
				s.say("%s: nothing ends it, so a pause does: better set the scanner to send Enter (CR) after each code", code.Name)
			}
			return nil
		}
		try++
	}
}

func next(ctx context.Context, shots <-chan heard, patience time.Duration) (heard, error) {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, patience, ErrNothingScanned)
		defer cancel()
	}
	select {
	case got := <-shots:
		return got, nil
	case <-ctx.Done():
		return heard{}, context.Cause(ctx)
	}
}

func (r *Report) conclude() {
	r.Right = true
	findings := make([]Finding, len(r.Results))
	for i, result := range r.Results {
		findings[i] = result.Finding
		r.Right = r.Right && result.Right
	}
	fits := common(findings)
	for i := range r.Results {
		f := &r.Results[i].Finding
		if f.Right && (f.Prefix != fits.Prefix || f.Suffix != fits.Suffix) {
			f.Right, r.Right = false, false
			f.Advice = "its prefix or suffix is not that of the other codes: set one for all codes in the scanner's settings, or none"
		}
	}
	if anyRight(findings) {
		r.Configuration = Lines(r.Device, findings...)
	}
}

func anyRight(findings []Finding) bool {
	for _, f := range findings {
		if f.Right {
			return true
		}
	}
	return false
}

// Words says what was found, for people.
func (f Finding) Words() string {
	if !f.Right {
		return "not right: " + f.Advice
	}
	said := []string{"right"}
	add := func(ok bool, format string, args ...any) {
		if ok {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	add(f.Layout != "", "layout %s", f.Layout)
	add(f.Prefix != "", "prefix %q", f.Prefix)
	add(f.Suffix != "", "suffix %q", f.Suffix)
	add(f.AIM != "", "AIM identifier %s", f.AIM)
	add(f.Symbology != "", "told as %s", f.Symbology)
	add(f.Terminator != "" && f.Terminator != "none", "ended by %s", strings.ToUpper(f.Terminator))
	return strings.Join(said, ", ")
}
