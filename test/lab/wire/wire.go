// Package wire is what the lab's tests and its guest say to each other: JSON
// over HTTP/2 on a virtual serial port. A call is a POST to the path of its name
// and returns when its effect holds; an error is a status of 500 with its text.
// Below PathDaemon and PathGateway the guest passes requests on.
package wire

import (
	"net/http"

	"payscand/test/lab/vhci"
)

// Port is the device node of the virtual serial port in the guest.
const Port = "/dev/vport0p1"

// Protocols is HTTP/2 without TLS and without a beginning in HTTP/1.
func Protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// Where the guest passes requests on to: the daemon's API and the practice gateway's control API.
const (
	PathDaemon  = "/daemon/"
	PathGateway = "/gateway/"
)

// Places in the guest.
const (
	ModulesDir = "/modules" // with a file "order": one file name a line
	Program    = "/bin/payscand"
	ShopDir    = "/shop"
	Socket     = "/shop/api.sock"
	// GatewayAddress is the practice gateway's; RecorderAddress passes what comes on to it and
	// remembers the payment codes that were to be charged.
	GatewayAddress  = "127.0.0.1:8490"
	RecorderAddress = "127.0.0.1:8491"
)

// ShopUser is the user, and the group, of the daemon. DialoutGroup is that of serial ports.
const (
	ShopUser     = 1000
	DialoutGroup = 20
)

// Calls.
const (
	Plug       = "/usb/plug"       // PlugIn
	Send       = "/usb/send"       // Packets
	Unplug     = "/usb/unplug"     // PortNumber
	Interface  = "/usb/interface"  // Identity → InterfaceState
	GadgetPlug = "/gadget/plug"    // Gadget
	GadgetSend = "/gadget/send"    // Text
	GadgetPull = "/gadget/unplug"  // Nothing
	Start      = "/process/start"  // Command
	Signal     = "/process/signal" // SignalProcess
	Inspect    = "/process/inspect"
	Freeze     = "/process/freeze"
	Thaw       = "/process/thaw"
	WriteFile  = "/file/write" // File
	ReadFile   = "/file/read"  // Name → Text
	Typed      = "/console"    // Until → Text
	Charged    = "/charged"    // Nothing → Codes
)

type (
	// Nothing is no argument, or no answer.
	Nothing struct{}
	// Name is of a process or a file.
	Name struct{ Name string }
	// Text is what was or is to be written.
	Text struct{ Text string }

	// PlugIn plugs a device into a port of the virtual controller.
	PlugIn struct {
		Port   int
		Device vhci.Descriptor
	}
	// PortNumber is a port of the virtual controller.
	PortNumber struct{ Port int }
	// Packets are sent by the device in the port, one after the other.
	Packets struct {
		Port    int
		Packets []vhci.Packet
	}

	// Identity is of a USB device that is plugged in once only.
	Identity struct{ VendorID, ProductID uint16 }
	// InterfaceState is how the first interface of a device stands.
	InterfaceState struct {
		Driver string // "" when none is bound
		Node   string // under /dev/bus/usb
		Mode   uint32 // of the node: permission bits
		Group  uint32 // of the node
	}

	// Gadget is a USB serial scanner made by the kernel's gadget driver.
	Gadget struct {
		VendorID, ProductID uint16
		Serial              string
	}

	// Command starts the payscand program as a process with a name of its own.
	Command struct {
		Name        string
		Args        []string
		Env         []string
		User, Group uint32
		Groups      []uint32 // others of the user
	}
	// SignalProcess sends a signal and, where Ends, returns when the process has ended.
	SignalProcess struct {
		Name   string
		Signal int
		Ends   bool
	}
	// Process is how a process stands.
	Process struct {
		Running     bool
		Status      int // when it has ended; -1: by a signal
		Descriptors int
		Threads     int
		// Memory is resident, anonymous, in bytes.
		Memory int64
		Output string // stdout and stderr, the last 1 MiB
	}

	// File is written whole.
	File struct {
		Name    string
		Content []byte
		Mode    uint32
	}
	// Until waits for a text on the console.
	Until struct{ Text string }
	// Codes are payment codes in the order in which the gateway was asked to charge them.
	Codes struct{ Codes []string }
)
