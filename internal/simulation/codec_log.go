package simulation

import (
	"context"
	"log/slog"
)

// errorLog is the log of a client: what it calls an error is a defect, such as a
// panic that it caught and made an answer that nobody could read.
type errorLog struct{ world *world }

func (w *world) errorLog() *slog.Logger { return slog.New(errorLog{w}) }

// Enabled implements slog.Handler.
func (errorLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle implements slog.Handler.
func (l errorLog) Handle(_ context.Context, r slog.Record) error {
	l.world.fail("the client logs an error: %s", r.Message)
	return nil
}

// WithAttrs implements slog.Handler.
func (l errorLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l errorLog) WithGroup(string) slog.Handler { return l }
