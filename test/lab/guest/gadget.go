//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"payscand/test/lab/wire"
)

// A gadget is a device whose protocol is the kernel's own: a USB serial port
// (CDC-ACM), on the controller dummy_hcd, whose two ends are both in this guest.
// See the kernel's Documentation/usb/gadget_configfs.rst.
const (
	gadgetDir  = "/sys/kernel/config/usb_gadget/scanner"
	gadgetUDC  = "dummy_udc.0"
	gadgetNode = "/dev/ttyGS0" // what is written here, the scanner sends
)

type gadget struct {
	mu    sync.Mutex
	built bool
}

func serveGadget(mux *http.ServeMux) {
	g := new(gadget)
	handle(mux, wire.GadgetPlug, g.plug)
	handle(mux, wire.GadgetSend, g.send)
	handle(mux, wire.GadgetPull, func(context.Context, wire.Nothing) (wire.Nothing, error) {
		return wire.Nothing{}, bindGadget("")
	})
}

func (g *gadget) plug(_ context.Context, in wire.Gadget) (wire.Nothing, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.built {
		if err := buildGadget(in); err != nil {
			return wire.Nothing{}, err
		}
		g.built = true
	}
	return wire.Nothing{}, bindGadget(gadgetUDC)
}

func buildGadget(in wire.Gadget) error {
	for _, folder := range []string{"strings/0x409", "configs/c.1", "functions/acm.0"} {
		if err := os.MkdirAll(filepath.Join(gadgetDir, folder), 0o755); err != nil { //nolint:gosec // configfs
			return err
		}
	}
	for _, attribute := range []struct{ name, value string }{
		{"idVendor", fmt.Sprintf("0x%04x", in.VendorID)}, {"idProduct", fmt.Sprintf("0x%04x", in.ProductID)},
		{"strings/0x409/serialnumber", in.Serial}, {"strings/0x409/manufacturer", "Lab"}, {"strings/0x409/product", "Serial scanner"},
	} {
		if err := os.WriteFile(filepath.Join(gadgetDir, attribute.name), []byte(attribute.value), 0o600); err != nil {
			return err
		}
	}
	return os.Symlink(filepath.Join(gadgetDir, "functions/acm.0"), filepath.Join(gadgetDir, "configs/c.1/acm.0"))
}

// bindGadget plugs the gadget into a controller, or unplugs it from all.
func bindGadget(controller string) error {
	return os.WriteFile(filepath.Join(gadgetDir, "UDC"), []byte(controller+"\n"), 0o600)
}

// send writes to the scanner's end. A scanner speaks when somebody listens: until
// the host has opened its end the kernel would refuse or echo.
func (g *gadget) send(ctx context.Context, in wire.Text) (wire.Nothing, error) {
	node, err := openTerminal(gadgetNode)
	if err != nil {
		return wire.Nothing{}, err
	}
	defer node.Close()
	rest := []byte(in.Text)
	for len(rest) > 0 {
		if err := node.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			return wire.Nothing{}, err
		}
		n, err := node.Write(rest)
		rest = rest[n:]
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return wire.Nothing{}, err
		}
		if ctx.Err() != nil {
			return wire.Nothing{}, ctx.Err()
		}
	}
	return wire.Nothing{}, drain(node)
}
