// Package hidscan reads USB scanners in HID POS mode (usage 0x8C/0x02), in IBM
// mode, hand-held or table-top (usages 0xFF45/0x4B00 and 0x4A00), and those that
// present themselves as a keyboard (keyboard wedge, usage 0x01/0x06). It stands on
// github.com/karalabe/hid, which needs cgo; without cgo the package compiles, and
// its scanners say that HID support is missing.
//
// # Only what was named
//
// A keyboard is claimed by its USB vendor and product id, and serial number where
// there are several. Whatever else is a keyboard is never opened. A scanner in HID
// POS or IBM mode, which nothing else can be, may be claimed by its mode alone, if
// it is the only one. What a device is, sysfs says (vendor, product, serial
// number, report descriptor), before it is opened: opening detaches the kernel's
// driver, and the descriptor with it. From then on scans reach this program alone,
// no focused window. Closing attaches the driver again; after a kill the next
// session asks the kernel to, which needs no more than access to the device node.
//
// # Whole reports
//
// A report that is longer than a packet of its endpoint arrives in pieces, which
// are put together by the lengths in the report descriptor. HID POS and IBM
// reports say how much of them is data; a HID POS report says whether the next one
// goes on with the same scan. Where the fields are, the descriptor's usages say.
//
// # One owner, and a reader that does not wait
//
// Run's goroutine alone opens, reads and closes: a Close beside a Read is a use
// after free in the library. It hands what it reads to a second goroutine,
// which decodes and calls the Sink, and never waits for it.
//
// # Lost reports
//
// A keyboard report is a state (which keys are down now), so a missing report
// makes no noise: two lost reports are one character fewer in a code that looks
// whole. Nor has a HID POS report a number that would be missed. The library keeps 32 reports and drops the oldest without a word. Hence:
//
//   - A queue that overflowed holds 32 reports (pieces, where reports come in
//     pieces). The reader takes reports until
//     it finds the queue empty; 31 or fewer in a row prove that nothing was
//     dropped, with 32 or more every scan that they touch is refused. This
//     recognises every loss in the library's queue.
//   - The same holds for the queue between reader and decoder.
//   - A pause ends a scan only where the library's queue is known to have been
//     empty all the time, so a reader that was held up does not cut a code.
//   - Key states that no scanner types are refused: too many keys
//     (ErrorRollOver), a key in two places, a key that stays down through two
//     reports although nothing else changed (its key-up was lost).
//
// What cannot be recognised: a scanner that loses characters itself, before it
// sends them, if what remains is a possible sequence of key states (a prefix and a
// suffix that are configured make that less likely); a device that sends empty
// packets on purpose, which the library tells as silence; a lone Caps
// Lock among lost reports (it is taken to be off between scans, as scanners that
// use it leave it); and, where a pause ends the scan, a machine so busy that the
// kernel does not hand over reports for the length of the idle time-out. A
// configured terminator rules the last one out.
package hidscan
