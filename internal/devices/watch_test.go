package devices

import (
	"slices"
	"testing"
)

// One device is told once when it comes, as what it is, and once when it goes,
// whatever programs take it or let it go meanwhile.
func TestSightings(t *testing.T) {
	zero, one := 0, 1
	free := Device{Type: "hid", Mode: "pos", Interface: &zero, usbNode: "/dev/bus/usb/001/004", Node: "/dev/bus/usb/001/004", What: "free"}
	second, held, bare, unread, again := free, free, free, free, free
	second.Interface, second.Mode, second.What = &one, "keyboard", "second"
	held.Mode, held.Holder, held.What = "", anotherProgram, "held"
	bare.Mode, bare.What = "", "vague"
	unread.Type, unread.Mode, unread.Interface, unread.What = "", "", nil, "unread"
	again.usbNode, again.Node, again.What = "/dev/bus/usb/001/005", "/dev/bus/usb/001/005", "again"
	port := Device{Type: "serial", Node: "/dev/ttyS0", What: "port"}

	var seen sightings
	for i, step := range []struct {
		present           []Device
		came, freed, went []string
	}{
		{[]Device{port}, []string{"port"}, nil, nil},
		{[]Device{port, unread}, nil, nil, nil}, // its interfaces are not there yet
		{[]Device{port, bare}, nil, nil, nil},   // its driver is not bound yet
		{[]Device{port, free, second}, []string{"free", "second"}, nil, nil},
		{[]Device{port, held, second}, nil, nil, nil},
		{[]Device{port, free, second}, nil, []string{"free"}, nil},
		{[]Device{port, again}, []string{"again"}, nil, []string{"free", "second"}},
		{[]Device{port}, nil, nil, []string{"again"}},
		{[]Device{port, bare}, nil, nil, nil},
		{[]Device{port, bare}, []string{"vague"}, nil, nil}, // it stays so
		{[]Device{port, free}, []string{"free"}, nil, nil},
	} {
		came, freed, went := seen.look(step.present)
		for _, got := range []struct {
			how   string
			found []Device
			want  []string
		}{{"came", came, step.came}, {"freed", freed, step.freed}, {"went", went, step.went}} {
			var names []string
			for _, d := range got.found {
				names = append(names, d.What)
			}
			slices.Sort(names)
			if !slices.Equal(names, got.want) {
				t.Errorf("look %d: %s %q, want %q", i, got.how, names, got.want)
			}
		}
	}
}
