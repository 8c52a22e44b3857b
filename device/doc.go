// Package device turns what a bar code scanner sends into scans.
//
// A [Scanner] drives one configured scanner for as long as the program runs:
// it opens the device, survives unplugging and replugging, and tells a [Sink]
// of every [Scan], every [Problem] (bytes that came but are not a scan) and
// every change of [Status]. Drivers live in packages of their own, named by
// what they stand on, such as device/serialscan.
//
// # Arming
//
// A scan counts only for the sale that was armed when the scan's first byte
// arrived. All scanners of a terminal share one [Arming]; the token found there
// at the first byte of a frame travels with the scan as [Scan.Arming]. The
// receiver compares it with the token that it armed last: a scan begun earlier
// carries an older token (or 0, nobody armed) and so cannot be taken for the
// new sale. That comparison is how arming flushes what came before; nothing is
// thrown away behind the receiver's back, so early scans can be counted.
//
// # Framing
//
// A [Framer] cuts a byte stream into frames. It has no clock, no goroutine and
// no lock: the caller gives the time and the token with the bytes, so every
// behaviour can be tested without waiting. Whatever is not certainly one whole
// scan becomes a Problem, never a shorter code.
//
// # Secrets
//
// The text of a scan may be a payment code, a secret that moves money for about
// a minute. [Scan] therefore prints masked under every verb of fmt, in JSON and
// in slog; only reading the field [Scan.Text] reveals it. Problems and statuses
// never hold any part of a scan.
package device
