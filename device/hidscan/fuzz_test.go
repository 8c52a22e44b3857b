package hidscan

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payscand/device"
)

// simulation is a scanner, the library's queue and a reader that is held up at
// will, on a clock of its own.
type simulation struct {
	clock    time.Time
	schedule []arrival // what the scanner is still to send
	queue    [][]byte
	overflow bool
	holdUps  []byte // how long the reader is held up at each step
	armedAt  []time.Time
	arming   *device.Arming
}

type arrival struct {
	at     time.Time
	report []byte
}

// holdUpTimes and gapTimes are what a fuzzed plan chooses from: mostly nothing,
// else around every limit.
var (
	holdUpTimes = []time.Duration{0, 0, 0, 0, 20 * time.Millisecond, 60 * time.Millisecond, inStep + 1, awayLimit + 1,
		device.StallTimeout + 1, 40 * time.Millisecond, 0, 0, time.Microsecond, time.Millisecond, 0, 0}
	gapTimes = []time.Duration{time.Millisecond, time.Millisecond, 0, device.DefaultIdleTimeout - 1,
		device.DefaultIdleTimeout, inStep, device.StallTimeout, 2*time.Second + 1}
)

func (s *simulation) now() time.Time { return s.clock }

// pass lets time go by: reports arrive in the queue, which drops the oldest.
func (s *simulation) pass(length time.Duration) {
	end := s.clock.Add(length)
	for len(s.schedule) > 0 && !s.schedule[0].at.After(end) {
		s.queue = append(s.queue, s.schedule[0].report)
		s.schedule = s.schedule[1:]
		if len(s.queue) > 32 {
			s.queue, s.overflow = s.queue[1:], true
		}
	}
	s.clock = end
}

func (s *simulation) holdUp() {
	if len(s.holdUps) == 0 {
		return
	}
	s.pass(holdUpTimes[s.holdUps[0]&15])
	if s.holdUps[0]&0x30 == 0x30 {
		s.arming.Arm(uint64(len(s.armedAt)))
		s.armedAt = append(s.armedAt, s.clock)
	}
	s.holdUps = s.holdUps[1:]
}

func (s *simulation) ReadTimeout(buffer []byte, milliseconds int) (int, error) {
	s.holdUp()
	defer s.holdUp()
	wait := time.Duration(milliseconds) * time.Millisecond
	if len(s.queue) == 0 && wait > 0 {
		if len(s.schedule) > 0 && s.schedule[0].at.Before(s.clock.Add(wait)) {
			wait = max(0, s.schedule[0].at.Sub(s.clock))
		}
		s.pass(wait)
	}
	if len(s.queue) == 0 {
		return 0, nil
	}
	n := copy(buffer, s.queue[0])
	s.queue = s.queue[1:]
	return n, nil
}

func (s *simulation) SendFeatureReport([]byte) (int, error) {
	return 0, errors.New("not greeted by a reader")
}

func (s *simulation) Close() error { return errors.New("not closed by a reader") }

// compose makes a stream of reports: each byte of data does something to the
// keys; two pauses stand before each report in plan.
func compose(data, plan []byte) []arrival {
	var sent []arrival
	at := epoch
	var held []byte
	var modifiers byte
	send := func(keys ...byte) {
		if len(plan) > 0 {
			at = at.Add(gapTimes[plan[0]&7])
			plan = plan[1:]
		} else {
			at = at.Add(time.Millisecond)
		}
		report := make([]byte, 8)
		report[0] = modifiers
		copy(report[2:], keys)
		sent = append(sent, arrival{at, report})
	}
	for _, b := range data {
		switch b >> 5 {
		case 0, 1, 2: // a whole stroke
			send(4 + b%0x64)
			send()
		case 3: // down
			if len(held) < 6 {
				held = append(held, 0x1e+b&0x1f)
			}
			send(held...)
		case 4: // the oldest up
			if len(held) > 0 {
				held = held[1:]
			}
			send(held...)
		case 5:
			modifiers ^= 1 << (b & 7)
			send(held...)
		case 6: // Enter, or something odd
			switch b & 0x1f {
			case 0:
				send(1, 1, 1, 1, 1, 1)
			case 1:
				send(held...)
			case 2:
				send(b, b)
			case 3:
				send(0, 0x1e, 0, 0x1f)
			default:
				send(0x28)
				send()
			}
		default: // a digit
			send(0x1e + b%10)
			send()
		}
	}
	return sent
}

// event is what an independent model says that a report typed.
type event struct {
	character byte // 0: something that is no character
	at        time.Time
}

// model derives what was typed from the edges of each key, by the tests' own table.
func model(sent []arrival) (typed []event, usesCaps bool) {
	down := map[byte]bool{}
	caps, number, wasAlt := false, "", false
	for _, a := range sent {
		keys := a.report[2:]
		if slices.ContainsFunc(keys, func(k byte) bool { return 1 <= k && k <= 3 }) {
			typed = append(typed, event{0, a.at})
			continue
		}
		isAlt := a.report[0]&0x04 != 0
		if wasAlt && !isAlt {
			typed = append(typed, event{modelNumber(number), a.at})
			number = ""
		}
		wasAlt = isAlt
		now := map[byte]bool{}
		for _, k := range keys {
			if k == 0 {
				continue
			}
			if now[k] {
				typed = append(typed, event{0, a.at})
			}
			isNew := !down[k] && !now[k]
			now[k] = true
			switch {
			case !isNew, k == 0x47, k == 0x53:
			case k == 0x39:
				caps, usesCaps = !caps, true
			case a.report[0] == 0x04 && k >= 0x59 && k <= 0x62:
				number += string("1234567890"[k-0x59])
			case isAlt:
				number += "?"
				typed = append(typed, event{0, a.at})
			default:
				typed = append(typed, event{modelCharacter(a.report[0], k, caps), a.at})
			}
		}
		down = now
	}
	return typed, usesCaps
}

// modelNumber is the character whose number was typed while Alt was down.
func modelNumber(number string) byte {
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || len(number) < 2 || len(number) > 4 || n == 0 || n > 0x7e:
		return 0
	case n < ' ' && (len(number) < 3 || number[0] != '0'):
		return 0
	}
	return byte(n)
}

func modelCharacter(modifiers, key byte, caps bool) byte {
	const keypad = "/*-+\r1234567890."
	var plain, shifted byte
	switch i := int(key) - 4; {
	case i < len(usPlain):
		plain, shifted = usPlain[i], usShifted[i]
	case key >= 0x54 && int(key)-0x54 < len(keypad):
		if plain = keypad[key-0x54]; plain == '\r' {
			shifted = '\r'
		}
	case key == 0x67:
		plain = '='
	}
	c := plain
	if shift := modifiers&0x22 != 0; shift != (caps && 'a' <= plain && plain <= 'z') {
		c = shifted
	}
	switch {
	case modifiers&0xcc != 0:
		return 0
	case modifiers&0x11 == 0:
		return c
	case 'a' <= c && c <= 'z':
		return c - 'a' + 1
	case 'A' <= c && c <= '_':
		return c - 'A' + 1
	}
	return 0
}

// wasTyped tells whether a scan is all that was typed between two ends, an end
// being a terminator or a pause of at least limit, and whether its token was
// armed by the time its first key arrived.
func (s *simulation) wasTyped(scan device.Scan, typed []event, terminators string, limit time.Duration) bool {
	ends := func(i int) bool { // between event i-1 and event i
		return i == 0 || i == len(typed) ||
			typed[i].character != 0 && strings.IndexByte(terminators, typed[i].character) >= 0 ||
			typed[i-1].character != 0 && strings.IndexByte(terminators, typed[i-1].character) >= 0 ||
			typed[i].at.Sub(typed[i-1].at) >= limit
	}
	for i := range typed {
		if !ends(i) || s.armedAt[scan.Arming].After(typed[i].at.Add(awayLimit)) {
			continue
		}
		var text []byte
		for j := i; j < len(typed); j++ {
			if j > i && ends(j) && stripped(text) == scan.Text {
				return true
			}
			c := typed[j].character
			if c == 0 || strings.IndexByte(terminators, c) >= 0 || len(text) > len(scan.Text)+5 {
				break
			}
			text = append(text, c)
			if j == len(typed)-1 && stripped(text) == scan.Text {
				return true
			}
		}
	}
	return false
}

// stripped takes STX, ETX and an AIM identifier off, as any framer does.
func stripped(text []byte) string {
	rest := string(text)
	if after, found := strings.CutPrefix(rest, "\x02"); found {
		rest = strings.TrimSuffix(after, "\x03")
	}
	isLetter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	if len(rest) >= 3 && rest[0] == ']' && isLetter(rest[1]) && (isLetter(rest[2]) || '0' <= rest[2] && rest[2] <= '9') {
		rest = rest[3:]
	}
	return rest
}

// FuzzKeyboard: never a code that was not typed. Whatever keys go down and up,
// whatever pauses the scanner makes, and however long the reader is held up
// while the library's queue overflows, every scan is the whole of what was typed
// between two ends, with a token that was armed no later than its first key
// arrived (but for awayLimit).
func FuzzKeyboard(f *testing.F) {
	digits := []byte{0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9}
	enter := []byte{0xdf}
	scan := slices.Concat(digits, enter)
	f.Add(scan, []byte{}, []byte{}, uint8(0))
	f.Add(slices.Concat(scan, scan, scan), []byte{}, []byte{0, 0, 0, 0, 8}, uint8(1))
	f.Add(slices.Concat(scan, scan), []byte{}, []byte{5, 5, 5, 5, 5, 5, 5, 5, 5}, uint8(2))
	f.Add(slices.Concat(digits, digits, digits), []byte{0, 0, 0, 0, 3, 3, 4, 4}, []byte{0, 4, 4, 9, 9, 9, 9, 0x35, 6, 6, 7}, uint8(0))
	f.Add([]byte{0x61, 0x62, 0x63, 0x81, 0x82, 0xa1, 0x00, 0x01, 0xa1, 0x35, 0x02, 0x35, 0xc0, 0xc1, 0xc2, 0xc3, 0xdf}, []byte{}, []byte{}, uint8(1))
	// Alt, a digit of the keypad up and down, Alt again: 2 as Alt+50, then 065.
	f.Add([]byte{0xa2, 0x59, 0x5e, 0xa2, 0xa2, 0x5e, 0x5e, 0x5a, 0xa2, 0xdf, 0xa2, 0x5e, 0x55, 0x52, 0xa2, 0xdf}, []byte{}, []byte{}, uint8(1))
	f.Add(slices.Concat(digits, enter, []byte{0xc0}, enter, scan), slices.Concat(make([]byte, 38), []byte{5, 5, 6}), []byte{}, uint8(1))
	f.Fuzz(func(t *testing.T, data, plan, holdUps []byte, choice uint8) {
		if len(data) <= 300 {
			checkKeyboard(t, data, plan, holdUps, choice)
		}
	})
}

// The same property for streams that look like scans more than the fuzzer's do:
// codes and Enter, with now and then something else, and rare pauses.
func TestRandomStreams(t *testing.T) {
	scans := 0
	for seed := range uint64(600) {
		random := rand.New(rand.NewPCG(seed, 0))
		rarely := func(every int, b byte) byte {
			if random.IntN(every) == 0 {
				return b
			}
			return 0
		}
		var data []byte
		for range 1 + random.IntN(4) {
			for range 1 + random.IntN(30) {
				data = append(data, 0xe0|byte(random.IntN(10)))
				if odd := rarely(60, byte(random.IntN(256))); odd != 0 {
					data = append(data, odd)
				}
			}
			data = append(data, 0xdf)
		}
		plan, holdUps := make([]byte, 3*len(data)), make([]byte, 8*len(data))
		for i := range plan {
			plan[i] = rarely(40, byte(random.IntN(8)))
		}
		for i := range holdUps {
			holdUps[i] = rarely(30, byte(random.IntN(256)))
		}
		scans += checkKeyboard(t, data, plan, holdUps, uint8(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if scans < 200 {
		t.Errorf("only %d scans came through", scans)
	}
	t.Logf("%d scans", scans)
}

// checkKeyboard plays a stream and returns how many scans came of it.
func checkKeyboard(t *testing.T, data, plan, holdUps []byte, choice uint8) (scans int) {
	t.Helper()
	terminator := []device.Terminator{device.TerminatorAuto, device.TerminatorCR, device.TerminatorNone}[choice%3]
	ends := map[device.Terminator]string{device.TerminatorAuto: "\r\n\t", device.TerminatorCR: "\r"}[terminator]
	limit := device.DefaultIdleTimeout
	if terminator == device.TerminatorCR {
		limit = device.StallTimeout
	}
	sent := compose(data, plan)
	typed, usesCaps := model(sent)

	sim := &simulation{clock: epoch, schedule: sent, holdUps: holdUps, arming: new(device.Arming), armedAt: []time.Time{epoch}}
	reader := newReader(sim, sim.arming, sim.now)
	recorder := newRecorder(terminator, bootFormat)
	for silent := time.Duration(0); silent < 2*device.StallTimeout; silent += busyWait {
		b, err := reader.next(busyWait)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.reports) > 0 || len(sim.schedule) > 0 {
			silent = 0
		}
		recorder.take(b)
	}
	if sim.overflow && usesCaps {
		return 0 // a lost Caps Lock cannot be recognised
	}
	for _, frame := range recorder.frames {
		switch frame.Kind {
		case device.FrameScan:
			scans++
			if !sim.wasTyped(frame.Scan, typed, ends, limit) {
				t.Errorf("%s: %q was not typed (overflow: %v)", terminator, frame.Scan.Text, sim.overflow)
			}
		case device.FrameDamaged:
			if frame.Problem.Detail == "" {
				t.Errorf("a problem without a word: %+v", frame.Problem)
			}
		}
	}
	if sim.overflow && !slices.ContainsFunc(recorder.frames, func(f device.Frame) bool { return f.Kind == device.FrameDamaged }) {
		t.Error("reports were lost and nobody was told")
	}
	return scans
}
