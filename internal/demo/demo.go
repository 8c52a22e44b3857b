// Package demo plays a counter's day with this program as the register. Each
// step says what it does and fails when anything goes another way.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"payscand/internal/browser"
	"payscand/internal/counter"
)

// Options say how the demo ends and where it prints.
type Options struct {
	// Once ends the demo after its steps; otherwise it stays up until the context ends.
	Once bool
	Out  io.Writer
}

// scanWindow is how long a sale waits for a scan before the QR comes. A shop's is longer.
const scanWindow = "5s"

// stepBound fails a step that hangs.
const stepBound = 90 * time.Second

// Run plays all steps. The error says which one went another way than described.
func Run(ctx context.Context, o Options) (err error) {
	chromium, missing := browser.Find()
	if missing != nil && o.Once {
		return missing
	}
	dir, err := os.MkdirTemp("", "payscand-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	opening, cancel := context.WithTimeout(ctx, stepBound)
	defer cancel()
	c, err := counter.Open(opening, counter.Options{
		Program: program, Dir: dir, Extra: "[policy]\nscan_window = \"" + scanWindow + "\"\n",
		SandboxArgs: []string{"--pending-delay", "2s"},
	})
	if ctx.Err() != nil {
		_ = c.Close() // Ctrl-C; what had only just been started knows no orderly end yet
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	p := player{Counter: c, out: o.Out, dir: dir, chromium: chromium}
	p.say("A virtual barcode scanner is plugged in: %s", c.Scanner.Path())
	p.say("The practice gateway is up:              %s", c.Gateway)
	p.say("The daemon is ready:                     %s", c.API)
	p.say("The customer's display is up:            %s", c.Kiosk)
	playable := steps
	if missing != nil {
		p.say("The last step is left out, since nobody can look at the display: %v.", missing)
		playable = steps[:len(steps)-1]
	}

	for _, step := range playable {
		p.say("\n%s", step.title)
		bounded, cancel := context.WithTimeout(ctx, stepBound)
		err := step.play(bounded, p)
		cancel()
		if ctx.Err() != nil {
			return nil // Ctrl-C
		}
		if err != nil {
			return fmt.Errorf("%s: %w\nthe daemon said:\n%s", step.title, err, counter.Tail(c.DaemonLog(), 20))
		}
	}
	p.say("\nAll went as described.")
	if o.Once {
		return nil
	}
	p.explain(program)
	<-ctx.Done()
	p.say("\nStopping.")
	return nil
}
