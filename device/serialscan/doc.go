// Package serialscan reads bar code scanners on serial ports: USB scanners in
// serial mode (CDC-ACM, /dev/ttyACM*), USB adapters (/dev/ttyUSB*), RS-232
// (/dev/ttyS*) and pseudo-terminals. It stands on go.bug.st/serial and needs no
// cgo; Linux only.
//
// # One owner
//
// Run's goroutine alone opens, reads and closes the port. The library's Close
// frees the file descriptor before it wakes a reader, so a Close from another
// goroutine could make the reader read somebody else's file. That is why ctx is
// noticed by a read time-out, and why "Port has been closed" from a read always
// means that the scanner was unplugged: nobody else closes.
//
// # Unplug and replug
//
// The port is named by its path, or by the USB ids of the scanner or adapter
// behind it: then it is looked up in sysfs at each try, so a scanner that returns
// under another number is found. A path may be a symbolic link such as
// /dev/serial/by-id/usb-…, which is followed anew too. No port of another device
// is opened, and ports are never listed through the library: its listing opens
// and reprograms those that belong to others.
//
// What the kernel, or the scanner itself, kept from before the port was opened
// is discarded: half a scan from then must not become a code. Where that does not
// end, what is left of the scan under way is refused.
//
// # Held up
//
// Bytes lie in the kernel until they are read, so a program that was held up sees a
// pause where the scanner made none, and bytes that are older than the sale that was
// armed meanwhile. Only a read that waited and found nothing proves silence; a frame
// whose time-out was over without one is refused, and after half a second the token
// is the one from before.
//
// # Locking
//
// The library sets TIOCEXCL, which does not stop a second process of root;
// hence an advisory lock (flock) on the device node as well, held as long as the
// port is open. It also keeps two [[scanner]] entries off the same port.
package serialscan
