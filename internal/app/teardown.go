package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// teardown stops what was started, the last first, all within one bound.
type teardown struct {
	steps []step
}

type step struct {
	name string
	stop func(context.Context) error
}

func (d *teardown) add(name string, stop func(context.Context) error) {
	d.steps = append(d.steps, step{name, stop})
}

func (d *teardown) run(log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopBound)
	defer cancel()
	var errs []error
	for _, s := range slices.Backward(d.steps) {
		if err := s.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
		log.Debug("stopped", "part", s.name)
	}
	return errors.Join(errs...)
}
