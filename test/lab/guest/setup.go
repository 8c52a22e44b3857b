//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"payscand/test/lab/wire"
)

// setUp makes a running system of a kernel and an initramfs.
func setUp() error {
	for _, step := range []func() error{mount, loadModules, bringUpLoopback, startUdev} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func mount() error {
	shop := fmt.Sprintf("uid=%d,gid=%[1]d,mode=0750", wire.ShopUser)
	for _, m := range []struct{ kind, at, options string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"devtmpfs", "/dev", ""}, {"devpts", "/dev/pts", ""},
		{"tmpfs", "/tmp", "mode=1777"}, {"tmpfs", "/run", "mode=0755"}, {"tmpfs", wire.ShopDir, shop},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil { //nolint:gosec // folders of a root file system
			return err
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return nil
}

func loadModules() error {
	order, err := os.ReadFile(filepath.Join(wire.ModulesDir, "order"))
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(order)) {
		if err := loadModule(name); err != nil {
			return fmt.Errorf("load module %s: %w", name, err)
		}
	}
	return unix.Mount("configfs", "/sys/kernel/config", "configfs", 0, "")
}

func loadModule(name string) error {
	file, err := os.Open(filepath.Join(wire.ModulesDir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	err = unix.FinitModule(int(file.Fd()), "", 0)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// bringUpLoopback is all the network there is.
func bringUpLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket) //nolint:errcheck // nobody is left to be told
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// startUdev starts udev, the real one, with the project's rule, as the image has them. It is ready when it has gone into
// the background.
func startUdev() error {
	udev := exec.Command("/bin/udevadm", "--daemon") //nolint:noctx // of a machine of its own
	udev.Args[0] = "systemd-udevd"                   // the same program under another name
	if output, err := udev.CombinedOutput(); err != nil {
		return fmt.Errorf("start udev: %w: %s", err, output)
	}
	return nil
}
