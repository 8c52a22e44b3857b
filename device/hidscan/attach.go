package hidscan

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"payscand/device/usb"
)

// usbfsIoctl is struct usbdevfs_ioctl of linux/usbdevice_fs.h: a request for the
// driver of one interface.
type usbfsIoctl struct {
	interfaceNumber int32
	code            int32
	data            unsafe.Pointer
}

const (
	// usbfsIoctlCode is USBDEVFS_IOCTL, _IOWR('U', 18, struct usbdevfs_ioctl).
	usbfsIoctlCode = 3<<30 | unsafe.Sizeof(usbfsIoctl{})<<16 | 'U'<<8 | 18
	// usbfsConnect is USBDEVFS_CONNECT, _IO('U', 23).
	usbfsConnect = 'U'<<8 | 23
)

// bindFile takes names of interfaces and is for root alone.
const bindFile = "/sys/bus/usb/drivers/usbhid/bind"

// attachDriver asks the kernel to bind its driver to an interface. Whoever may
// open the device's node may do so; the file in sysfs, which only root may
// write, is the second way.
func attachDriver(node string, i usb.Interface) error {
	byNode := connectDriver(node, i.Number)
	if byNode == nil {
		return nil
	}
	if err := os.WriteFile(bindFile, []byte(i.Path), 0); err != nil {
		return fmt.Errorf("give %s back to the kernel's driver: %w", i.Path, errors.Join(byNode, err))
	}
	return nil
}

func connectDriver(node string, interfaceNumber int) error {
	file, err := os.OpenFile(node, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	request := usbfsIoctl{interfaceNumber: int32(interfaceNumber), code: usbfsConnect}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, file.Fd(), usbfsIoctlCode, uintptr(unsafe.Pointer(&request))) //nolint:gosec // the kernel reads the struct during the call
	if errno != 0 && errno != unix.EBUSY {                                                                    // busy: a driver is bound already
		return errno
	}
	return nil
}
