package devices

import (
	"context"
	"fmt"
	"time"

	"payscand/device"
	"payscand/device/usb"
)

// Event says that a device came or went.
type Event struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"` // "present" at the start, then "plugged" and "unplugged"
	Device Device    `json:"device"`
}

// Watch tells the devices that are there and all that come and go, until ctx ends.
func Watch(ctx context.Context, tree usb.Tree, user User, tell func(Event)) {
	news := device.ListenForPlugs()
	defer news.Close()
	var seen sightings
	for what := "present"; ctx.Err() == nil; what = "plugged" {
		came, _, went := seen.look(List(tree, user))
		for _, d := range came {
			tell(Event{time.Now(), what, d})
		}
		for _, d := range went {
			tell(Event{time.Now(), "unplugged", d})
		}
		news.Wait(ctx)
	}
}

// sightings tells devices that come and go from those that only change, as one does
// that a program takes or lets go.
type sightings struct {
	known map[string]Device // by place; nil before the first look
	vague map[string]bool
}

// look compares what is there now with what was. Freed are devices that a program
// held. What does not say yet what it is waits for another look: the kernel tells of
// a device before its drivers are bound.
func (s *sightings) look(present []Device) (came, freed, went []Device) {
	known, vague := map[string]Device{}, map[string]bool{}
	for _, d := range present {
		place := d.place()
		before, wasKnown := s.known[place]
		switch {
		case d.isVague() && !wasKnown && s.known != nil && !s.vague[place]:
			vague[place] = true
			continue
		case !wasKnown, before.isVague() && !d.isVague() && d.Holder == "":
			came = append(came, d)
		case before.Holder != "" && d.Holder == "":
			freed = append(freed, d)
		}
		known[place] = d
	}
	for place, d := range s.known {
		if _, ok := known[place]; !ok {
			went = append(went, d)
		}
	}
	s.known, s.vague = known, vague
	return came, freed, went
}

// place tells a device from all others, and from itself plugged in again.
func (d Device) place() string { return fmt.Sprintf("%s %s %d", d.usbNode, d.Node, d.number()) }

// isSame tells whether it is that device, perhaps plugged in again since.
func (d Device) isSame(other Device) bool {
	return d.ID() == other.ID() && d.Type == other.Type && d.Mode == other.Mode && d.number() == other.number()
}

// number is that of its USB interface; -1: it is all of its device.
func (d Device) number() int {
	if d.Interface == nil {
		return -1
	}
	return *d.Interface
}

// isVague tells whether it says nothing of what it is, though no program holds it.
func (d Device) isVague() bool { return d.Type != typeSerial && d.Mode == "" && d.Holder == "" }
