package lab

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"payscand/test/lab/wire"
)

// build says how the programs under test are built.
type build struct {
	// addressSanitizer finds every use of memory after it was freed.
	addressSanitizer bool
}

// makeImage builds the guest's programs and packs its file system.
func makeImage(ctx context.Context, k kernel, b build, to string) error {
	dir := filepath.Dir(to)
	guest, payscand := filepath.Join(dir, "guest"), filepath.Join(dir, "payscand")
	if err := buildGuest(ctx, guest); err != nil {
		return err
	}
	if err := buildPayscand(ctx, b, payscand); err != nil {
		return err
	}
	image := newArchive()
	image.file("init", guest)
	image.file(strings.TrimPrefix(wire.Program, "/"), payscand)
	for _, dir := range []string{"proc", "sys", "dev", "tmp", "run", "etc"} {
		image.dir(dir)
	}
	if err := addModules(image, k); err != nil {
		return err
	}
	if err := addUdev(ctx, image); err != nil {
		return err
	}
	if b.addressSanitizer {
		if err := addLibraries(ctx, image, payscand); err != nil {
			return err
		}
	}
	return image.write(to)
}

func buildGuest(ctx context.Context, to string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", to, "./guest")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build the guest's program: %w\n%s", err, output)
	}
	return nil
}

// buildPayscand builds the real program, with HID support. It is linked statically, as the guest has no libraries; only
// AddressSanitizer needs some.
func buildPayscand(ctx context.Context, b build, to string) error {
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-o", to}
	if b.addressSanitizer {
		arguments = append(arguments, "-asan", "-ldflags=-s -w")
	} else {
		arguments = append(arguments, "-ldflags=-s -w -linkmode external -extldflags -static")
	}
	c := exec.CommandContext(ctx, "go", append(arguments, "./cmd/payscand")...)
	c.Dir = "../.."
	c.Env = append(os.Environ(), "CGO_ENABLED=1")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build payscand with cgo: %w\n%s", err, output)
	}
	return nil
}

// addModules adds the kernel's modules, and the order in which they load.
func addModules(image *archive, k kernel) error {
	order, err := os.ReadFile(k.order())
	if err != nil {
		return err
	}
	folder := strings.TrimPrefix(wire.ModulesDir, "/")
	for name := range strings.FieldsSeq(string(order)) {
		image.file(path.Join(folder, name), k.module(name))
	}
	image.content(path.Join(folder, "order"), 0o644, order)
	return nil
}

// addUdev adds this machine's udev with the distribution's basic rules, the project's rule as a shop's IT would install
// it, with the ids of the lab's scanners, and the users and groups that they name.
func addUdev(ctx context.Context, image *archive) error {
	udev, err := exec.LookPath("udevadm")
	if err != nil {
		return fmt.Errorf("udev is not installed: %w", err)
	}
	rule, err := installedRule()
	if err != nil {
		return err
	}
	image.file("bin/udevadm", udev)
	image.content("etc/udev/rules.d/70-payscand-scanner.rules", 0o644, rule)
	image.file("lib/udev/rules.d/50-udev-default.rules", "/lib/udev/rules.d/50-udev-default.rules")
	image.content("etc/group", 0o644, fmt.Appendf(nil, "root:x:0:\ntty:x:5:\ndialout:x:%d:payscand\npayscand:x:%d:\n", wire.DialoutGroup, wire.ShopUser))
	image.content("etc/passwd", 0o644, fmt.Appendf(nil, "root:x:0:0::/:/bin/false\npayscand:x:%d:%[1]d::/:/bin/false\n", wire.ShopUser))
	return addLibraries(ctx, image, udev)
}

var library = regexp.MustCompile(`(?m)(/\S+) \(0x`)

// addLibraries adds what a program is linked with, at the places where it looks for it.
func addLibraries(ctx context.Context, image *archive, program string) error {
	output, err := exec.CommandContext(ctx, "ldd", program).Output()
	if err != nil {
		return fmt.Errorf("ldd %s: %w", program, err)
	}
	for _, found := range library.FindAllSubmatch(output, -1) {
		image.file(strings.TrimPrefix(string(found[1]), "/"), string(found[1]))
	}
	return nil
}

// archive is an initramfs: files in the format of cpio called newc (the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	buffer bytes.Buffer
	has    map[string]bool
	err    error
}

func newArchive() *archive { return &archive{has: map[string]bool{".": true}} }

const typeDir, typeFile = 0o040000, 0o100000

func (a *archive) dir(name string) {
	if name = path.Clean(name); a.has[name] {
		return
	}
	a.dir(path.Dir(name))
	a.has[name] = true
	a.entry(name, typeDir|0o755, nil)
}

func (a *archive) content(name string, mode fs.FileMode, content []byte) {
	if a.has[name] {
		return
	}
	a.dir(path.Dir(name))
	a.has[name] = true
	a.entry(name, typeFile|uint32(mode.Perm()), content)
}

// file adds a file of this machine.
func (a *archive) file(name, from string) {
	content, err := os.ReadFile(from)
	if err != nil && a.err == nil {
		a.err = err
	}
	a.content(name, 0o755, content)
}

func (a *archive) entry(name string, mode uint32, content []byte) {
	fields := []uint32{
		uint32(len(a.has)), mode, 0, 0, 1, 0, uint32(len(content)), 0, 0, 0, 0, uint32(len(name) + 1), 0,
	}
	a.buffer.WriteString("070701")
	for _, field := range fields {
		fmt.Fprintf(&a.buffer, "%08x", field)
	}
	a.buffer.WriteString(name + "\x00")
	a.pad()
	a.buffer.Write(content)
	a.pad()
}

func (a *archive) pad() {
	for a.buffer.Len()%4 != 0 {
		a.buffer.WriteByte(0)
	}
}

func (a *archive) write(to string) error {
	if a.err != nil {
		return a.err
	}
	a.entry("TRAILER!!!", 0, nil)
	return os.WriteFile(to, a.buffer.Bytes(), 0o600)
}
