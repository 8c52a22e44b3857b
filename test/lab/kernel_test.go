package lab

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// cacheDir keeps what is fetched, a folder for each kernel: the kernel itself, the modules that the guest needs, and the
// order in which they load.
const cacheDir = "../../bin/lab"

// modules are what the guest needs of its kernel; what they need themselves is found out.
var modules = []string{
	"virtio_pci", "virtio_console", "configfs",
	"xhci-pci", "usbhid", "hid-generic", "evdev",
	"cdc-acm", "ftdi_sio",
	"vhci-hcd", "dummy_hcd", "libcomposite", "usb_f_acm",
}

// kernel is the folder of a kernel.
type kernel string

func (k kernel) image() string { return filepath.Join(string(k), "vmlinux") }
func (k kernel) order() string { return filepath.Join(string(k), "order") }

func (k kernel) module(name string) string { return filepath.Join(string(k), "modules", name) }

// fetchKernel returns the kernel that Debian has for this machine now. One that was fetched before is not fetched again;
// where apt is out of reach, the last one that was is good enough.
func fetchKernel(ctx context.Context) (kernel, error) {
	// What other modules were chosen for is another folder.
	chosen := crc32.ChecksumIEEE([]byte(strings.Join(modules, " ")))
	name, err := currentKernel(ctx)
	if err != nil {
		kept, keptErr := keptKernel(chosen)
		if keptErr != nil {
			return "", errors.Join(err, keptErr)
		}
		return kept, nil
	}
	k := kernel(filepath.Join(cacheDir, fmt.Sprintf("%s-%08x", name, chosen)))
	if _, err := os.Stat(k.image()); err == nil {
		return k, nil
	}
	return k, unpackKernel(ctx, name, k)
}

var kernelDependency = regexp.MustCompile(`(?m)^Depends:.*\b(linux-image-[0-9][^ ,]*-amd64)\b`)

// currentKernel asks apt for the package behind linux-image-amd64. The cloud kernel has no USB.
func currentKernel(ctx context.Context) (string, error) {
	described, err := exec.CommandContext(ctx, "apt-cache", "show", "--no-all-versions", "linux-image-amd64").Output()
	if err != nil {
		return "", fmt.Errorf("apt does not know linux-image-amd64 (apt-get update?): %w", err)
	}
	found := kernelDependency.FindSubmatch(described)
	if found == nil {
		return "", errors.New("apt's linux-image-amd64 depends on no kernel")
	}
	return string(found[1]), nil
}

// keptKernel is the newest of those that were fetched before.
func keptKernel(chosen uint32) (kernel, error) {
	kept, err := filepath.Glob(filepath.Join(cacheDir, fmt.Sprintf("linux-image-*-%08x", chosen)))
	if err != nil || len(kept) == 0 {
		return "", errors.New("no kernel was fetched before")
	}
	return kernel(slices.MaxFunc(kept, func(a, b string) int { return modified(a).Compare(modified(b)) })), nil
}

func modified(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// unpackKernel fetches a package and takes out what is needed. The folder appears when it is whole.
func unpackKernel(ctx context.Context, name string, to kernel) error {
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(cacheDir, "fetch")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := download(ctx, name, work); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("apt fetched %d packages for %s", len(packages), name)
	}
	root, taken := filepath.Join(work, "root"), kernel(filepath.Join(work, "taken"))
	if err := command(ctx, "", "dpkg-deb", "-x", packages[0], root); err != nil {
		return err
	}
	if err := os.MkdirAll(taken.module(""), 0o755); err != nil {
		return err
	}
	version := strings.TrimPrefix(name, "linux-image-")
	if err := takeModules(ctx, root, version, taken); err != nil {
		return err
	}
	if err := unpackImage(ctx, filepath.Join(root, "boot", "vmlinuz-"+version), taken.image()); err != nil {
		return err
	}
	return os.Rename(string(taken), string(to))
}

var insmod = regexp.MustCompile(`(?m)^insmod (\S+)`)

// takeModules copies the modules and notes the order in which they load.
func takeModules(ctx context.Context, root, version string, to kernel) error {
	// In newer releases the modules are below usr; depmod looks for lib/modules.
	if _, err := os.Stat(filepath.Join(root, "lib", "modules")); err != nil {
		if err := os.Rename(filepath.Join(root, "usr", "lib"), filepath.Join(root, "lib")); err != nil {
			return err
		}
	}
	if err := command(ctx, "", "depmod", "-b", root, version); err != nil {
		return err
	}
	arguments := append([]string{"--set-version", version, "--dirname", root, "--show-depends", "--all"}, modules...)
	output, err := exec.CommandContext(ctx, "modprobe", arguments...).Output()
	if err != nil {
		return fmt.Errorf("modprobe finds not all modules of %s: %w\n%s", version, err, output)
	}
	var order []string
	for _, found := range insmod.FindAllSubmatch(output, -1) {
		file := string(found[1])
		name := strings.TrimSuffix(filepath.Base(file), ".xz")
		if slices.Contains(order, name) {
			continue
		}
		content, err := readModule(ctx, file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to.module(name), content, 0o600); err != nil {
			return err
		}
		order = append(order, name)
	}
	return os.WriteFile(to.order(), []byte(strings.Join(order, "\n")+"\n"), 0o600)
}

func readModule(ctx context.Context, file string) ([]byte, error) {
	if filepath.Ext(file) == ".xz" {
		return exec.CommandContext(ctx, "xz", "--decompress", "--stdout", file).Output()
	}
	return os.ReadFile(file)
}

// download fetches a package through apt. Lists that are older than the archive are brought up to date, where one may.
func download(ctx context.Context, name, dir string) error {
	err := command(ctx, dir, "apt-get", "--quiet", "--quiet", "download", name)
	if err != nil && os.Geteuid() == 0 {
		if err = command(ctx, dir, "apt-get", "--quiet", "--quiet", "update"); err == nil {
			err = command(ctx, dir, "apt-get", "--quiet", "--quiet", "download", name)
		}
	}
	if err != nil {
		return fmt.Errorf("apt cannot fetch %s: %w", name, err)
	}
	return nil
}

// unpackImage takes the kernel out of its self-extracting file: unpacking it under emulation takes longer than booting.
// A kernel that was packed another way than with xz boots as it is. The format: the kernel's
// Documentation/arch/x86/boot.rst.
func unpackImage(ctx context.Context, packed, to string) error {
	file, err := os.ReadFile(packed)
	if err != nil {
		return err
	}
	const setupSectors, payloadOffset, payloadLength, sector, sizeBytes = 0x1f1, 0x248, 0x24c, 512, 4
	if len(file) < payloadLength+4 {
		return fmt.Errorf("%s is no kernel", packed)
	}
	start := (int(file[setupSectors])+1)*sector + int(binary.LittleEndian.Uint32(file[payloadOffset:]))
	end := start + int(binary.LittleEndian.Uint32(file[payloadLength:])) - sizeBytes
	xz := []byte("\xfd7zXZ\x00")
	if start < 0 || end > len(file) || start > end || !bytes.HasPrefix(file[start:end], xz) {
		return os.WriteFile(to, file, 0o600)
	}
	unpack := exec.CommandContext(ctx, "xz", "--decompress", "--stdout")
	unpack.Stdin = bytes.NewReader(file[start:end])
	kernel, err := unpack.Output()
	if err != nil {
		return fmt.Errorf("unpack %s: %w", packed, err)
	}
	if _, err := elf.NewFile(bytes.NewReader(kernel)); err != nil {
		return fmt.Errorf("unpack %s: %w", packed, err)
	}
	return os.WriteFile(to, kernel, 0o600)
}

// command runs a program, and says what it said when it fails.
func command(ctx context.Context, dir, program string, arguments ...string) error {
	c := exec.CommandContext(ctx, program, arguments...)
	c.Dir = dir
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}
