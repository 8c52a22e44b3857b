package vhci

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
)

// kernelEnd plays the kernel on the other end of a device's link.
type kernelEnd struct {
	t    *testing.T
	link net.Conn
}

func plugIntoTest(t *testing.T, descriptor Descriptor) (*Device, kernelEnd) {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close() })
	d := newDevice(descriptor, 0, there)
	go d.serve()
	go d.transmit()
	return d, kernelEnd{t, here}
}

// ask sends a request.
func (k kernelEnd) ask(command, sequence, direction, endpoint, word20, length uint32, setup [8]byte) {
	k.t.Helper()
	var r request
	for i, word := range []uint32{command, sequence, 0, direction, endpoint, word20, length} {
		binary.BigEndian.PutUint32(r[4*i:], word)
	}
	copy(r[40:], setup[:])
	if _, err := k.link.Write(r[:]); err != nil {
		k.t.Fatal(err)
	}
}

// expect reads an answer.
func (k kernelEnd) expect(command, sequence uint32, status int32, data []byte) {
	k.t.Helper()
	answer := make([]byte, headerBytes+len(data))
	if _, err := io.ReadFull(k.link, answer); err != nil {
		k.t.Fatal(err)
	}
	word := func(offset int) uint32 { return binary.BigEndian.Uint32(answer[offset:]) }
	if word(0) != command || word(4) != sequence || int32(word(20)) != status || int(word(24)) != len(data) || !bytes.Equal(answer[headerBytes:], data) {
		k.t.Fatalf("answer % x, want command %d, sequence %d, status %d, % x", answer, command, sequence, status, data)
	}
}

func (k kernelEnd) control(sequence uint32, setup [8]byte) {
	k.t.Helper()
	k.ask(commandSubmit, sequence, directionIn, 0, 0, 0xff, setup)
}

// TestControl: what the device says of itself is asked for in descriptors, and what it does not know it refuses.
func TestControl(t *testing.T) {
	report := []byte{0x05, 0x01}
	descriptor := Descriptor{VendorID: 0x05e0, ProductID: 0x1900, Product: "Ü", Speed: Full, Report: report, MaxPacket: 64}
	_, kernel := plugIntoTest(t, descriptor)
	kernel.control(1, [8]byte{fromDevice, getDescriptor, 0, typeDevice, 0, 0, 0xff})
	kernel.expect(answerSubmit, 1, 0, []byte{18, 1, 0, 2, 0, 0, 0, 64, 0xe0, 0x05, 0x00, 0x19, 0, 1, 0, 2, 0, 1})
	kernel.control(2, [8]byte{fromDevice, getDescriptor, 2, typeString, 0, 0, 0xff})
	kernel.expect(answerSubmit, 2, 0, []byte{4, 3, 0xdc, 0})
	kernel.control(3, [8]byte{fromInterface, getDescriptor, 0, typeReport, 0, 0, 0xff})
	kernel.expect(answerSubmit, 3, 0, report)
	kernel.control(4, [8]byte{fromDevice, getDescriptor, 0, 0x42})
	kernel.expect(answerSubmit, 4, stalled, nil)
}

// TestSend: a packet answers a poll, cut to its length; one that was taken back is answered no more; Send ends when all
// is taken, or with the link.
func TestSend(t *testing.T) {
	device, kernel := plugIntoTest(t, Descriptor{Speed: Full, MaxPacket: 8, Interval: 1})
	kernel.ask(commandSubmit, 1, directionIn, 1, 0, 8, [8]byte{})
	kernel.ask(commandUnlink, 2, 0, 0, 1, 0, [8]byte{})
	kernel.expect(answerUnlink, 2, unlinked, nil)
	kernel.ask(commandUnlink, 3, 0, 0, 1, 0, [8]byte{})
	kernel.expect(answerUnlink, 3, 0, nil)

	sent := make(chan error, 1)
	go func() {
		sent <- device.Send(context.Background(), Packet{Data: []byte("123")}, Packet{Stall: true}, Packet{Data: []byte("123456789")})
	}()
	kernel.ask(commandSubmit, 4, directionIn, 1, 0, 8, [8]byte{})
	kernel.expect(answerSubmit, 4, 0, []byte("123"))
	kernel.ask(commandSubmit, 5, directionIn, 1, 0, 8, [8]byte{})
	kernel.expect(answerSubmit, 5, stalled, nil)
	kernel.ask(commandSubmit, 6, directionIn, 1, 0, 8, [8]byte{})
	kernel.expect(answerSubmit, 6, 0, []byte("12345678"))
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	kernel.link.Close()
	if err := device.Send(context.Background(), Packet{}); !errors.Is(err, ErrUnplugged) {
		t.Errorf("sent by a device that is unplugged: %v", err)
	}
}

// TestSwitchedOn: a device that waits for a feature report sends nothing before it.
func TestSwitchedOn(t *testing.T) {
	device, kernel := plugIntoTest(t, Descriptor{Speed: Full, MaxPacket: 8, Interval: 1, SwitchedOnBy: 0xfe})
	go device.Send(context.Background(), Packet{Data: []byte("1")}) //nolint:errcheck // the answer tells
	kernel.ask(commandSubmit, 1, directionIn, 1, 0, 8, [8]byte{})
	kernel.ask(commandSubmit, 2, 0, 0, 0, 0, [8]byte{toInterface | class, setReport, 0xfe, featureReport})
	kernel.expect(answerSubmit, 2, 0, nil)
	kernel.expect(answerSubmit, 1, 0, []byte("1"))
}
