//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"payscand/test/lab/vhci"
	"payscand/test/lab/wire"
)

// ports holds the devices that are plugged into the virtual controller.
type ports struct {
	mu      sync.Mutex
	devices map[int]*vhci.Device
}

func serveUSB(mux *http.ServeMux) {
	p := &ports{devices: make(map[int]*vhci.Device)}
	handle(mux, wire.Plug, p.plug)
	handle(mux, wire.Send, p.send)
	handle(mux, wire.Unplug, p.unplug)
	handle(mux, wire.Interface, func(_ context.Context, i wire.Identity) (wire.InterfaceState, error) { return interfaceState(i) })
}

func (p *ports) plug(_ context.Context, in wire.PlugIn) (wire.Nothing, error) {
	device, err := vhci.Plug(in.Port, in.Device)
	if err != nil {
		return wire.Nothing{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.devices[in.Port] = device
	return wire.Nothing{}, nil
}

func (p *ports) at(port int) (*vhci.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if device := p.devices[port]; device != nil {
		return device, nil
	}
	return nil, fmt.Errorf("nothing is plugged into port %d", port)
}

func (p *ports) send(ctx context.Context, in wire.Packets) (wire.Nothing, error) {
	device, err := p.at(in.Port)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, device.Send(ctx, in.Packets...)
}

func (p *ports) unplug(_ context.Context, in wire.PortNumber) (wire.Nothing, error) {
	device, err := p.at(in.Port)
	if err != nil {
		return wire.Nothing{}, err
	}
	if err := device.Unplug(); err != nil {
		return wire.Nothing{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.devices, in.Port)
	return wire.Nothing{}, nil
}

// interfaceState looks in sysfs for how a device's first interface stands. A
// device that is not there yet has none, and neither a driver nor a node.
func interfaceState(id wire.Identity) (wire.InterfaceState, error) {
	var state wire.InterfaceState
	folders, err := filepath.Glob("/sys/bus/usb/devices/*")
	if err != nil {
		return state, err
	}
	for _, folder := range folders {
		if attribute(folder, "idVendor") != fmt.Sprintf("%04x", id.VendorID) || attribute(folder, "idProduct") != fmt.Sprintf("%04x", id.ProductID) {
			continue
		}
		if driver, err := os.Readlink(folder + ":1.0/driver"); err == nil {
			state.Driver = filepath.Base(driver)
		}
		state.Node = "/dev/" + nodeName(folder)
		var stat syscall.Stat_t
		if err := syscall.Stat(state.Node, &stat); err == nil {
			state.Mode, state.Group = stat.Mode&0o7777, stat.Gid
		}
	}
	return state, nil
}

// nodeName is the name of a device's node, as the kernel gives it to udev.
func nodeName(folder string) string {
	for line := range strings.Lines(attribute(folder, "uevent") + "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "DEVNAME="); ok {
			return name
		}
	}
	return ""
}

func attribute(folder, name string) string {
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}
