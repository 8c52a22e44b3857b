package devices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payscand/device/usb"
)

// One of two adapters of a kind without serial numbers is named by where it is
// plugged in: its ids would mean both.
func TestAdaptersAlike(t *testing.T) {
	tree := usb.Tree{Sys: t.TempDir(), Dev: t.TempDir()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(path, content string) {
		t.Helper()
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		must(os.WriteFile(path, []byte(content), 0o600))
	}
	link := func(target, path string) {
		t.Helper()
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		must(os.Symlink(target, path))
	}
	for place, name := range map[string]string{"1": "ttyUSB0", "2": "ttyUSB1"} {
		folder := filepath.Join(tree.Sys, "devices/1-"+place)
		put(folder+"/idVendor", "1a86")
		put(folder+"/idProduct", "7523")
		put(folder+"/busnum", "1")
		put(folder+"/devnum", place)
		put(folder+"/1-"+place+":1.0/bInterfaceNumber", "00")
		put(folder+"/1-"+place+":1.0/"+name+"/type", "0")
		link(folder+"/1-"+place+":1.0/"+name, filepath.Join(tree.Sys, "class/tty", name, "device"))
		put(filepath.Join(tree.Dev, name), "")
		link("../../"+name, filepath.Join(tree.Dev, "serial/by-path", "usb-0:"+place))
	}
	found := List(tree, User{})
	if len(found) != 2 {
		t.Fatalf("%+v", found)
	}
	for i, want := range []string{"usb-0:1", "usb-0:2"} {
		if lines := Lines(found[i], Finding{Right: true}); !strings.Contains(lines, `port = "`+tree.Dev+`/serial/by-path/`+want+`"`) || strings.Contains(lines, "vendor_id") {
			t.Errorf("%s: %s", found[i].Port, lines)
		}
	}
	must(os.RemoveAll(filepath.Join(tree.Sys, "class/tty/ttyUSB1")))
	if lines := Lines(List(tree, User{})[0], Finding{Right: true}); !strings.Contains(lines, "vendor_id = 0x1a86") {
		t.Errorf("alone: %s", lines)
	}
}
