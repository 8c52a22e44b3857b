package devices

import (
	"context"
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
	known := map[string]Device{}
	for what := "present"; ctx.Err() == nil; what = "plugged" {
		present := map[string]Device{}
		for _, d := range List(tree, user) {
			present[d.key()] = d
			if _, ok := known[d.key()]; !ok {
				tell(Event{time.Now(), what, d})
			}
		}
		for key, d := range known {
			if _, ok := present[key]; !ok {
				tell(Event{time.Now(), "unplugged", d})
			}
		}
		known = present
		news.Wait(ctx)
	}
}
