package lab

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// cacheDir keeps what is fetched and unpacked.
const cacheDir = "../../bin/lab"

// kernel is an unpacked kernel package.
type kernel struct {
	root    string // of its files
	version string // as in the names of its files, such as 6.1.0-1-amd64
}

// fetchKernel returns the kernel that Debian has for this machine now. One that was fetched before is not fetched again;
// where apt is out of reach, the last one that was is good enough.
func fetchKernel(ctx context.Context) (kernel, error) {
	name, err := currentKernel(ctx)
	if err != nil {
		kept, keptErr := keptKernel()
		return kept, errors.Join(keptErr, onlyIf(keptErr != nil, err))
	}
	k := kernel{root: filepath.Join(cacheDir, name), version: strings.TrimPrefix(name, "linux-image-")}
	if _, err := os.Stat(k.image()); err == nil {
		return k, nil
	}
	return k, unpackKernel(ctx, name, k.root)
}

func onlyIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

// image is the kernel to boot.
func (k kernel) image() string { return filepath.Join(k.root, "boot", "vmlinux") }

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
func keptKernel() (kernel, error) {
	kept, err := filepath.Glob(filepath.Join(cacheDir, "linux-image-*", "boot", "vmlinux"))
	if err != nil || len(kept) == 0 {
		return kernel{}, errors.New("no kernel was fetched before")
	}
	newest := slices.MaxFunc(kept, func(a, b string) int { return modified(a).Compare(modified(b)) })
	root := filepath.Dir(filepath.Dir(newest))
	return kernel{root: root, version: strings.TrimPrefix(filepath.Base(root), "linux-image-")}, nil
}

// unpackKernel fetches a package and unpacks it. The folder appears when it is whole.
func unpackKernel(ctx context.Context, name, root string) error {
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
	unpacked := filepath.Join(work, "unpacked")
	if err := command(ctx, "", "dpkg-deb", "-x", packages[0], unpacked); err != nil {
		return err
	}
	version := strings.TrimPrefix(name, "linux-image-")
	// In newer releases the modules are below usr; depmod looks for lib/modules.
	if _, err := os.Stat(filepath.Join(unpacked, "lib", "modules")); err != nil {
		if err := os.Rename(filepath.Join(unpacked, "usr", "lib"), filepath.Join(unpacked, "lib")); err != nil {
			return err
		}
	}
	if err := command(ctx, "", "depmod", "-b", unpacked, version); err != nil {
		return err
	}
	if err := unpackImage(ctx, filepath.Join(unpacked, "boot", "vmlinuz-"+version), filepath.Join(unpacked, "boot", "vmlinux")); err != nil {
		return err
	}
	return os.Rename(unpacked, root)
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

func modified(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
