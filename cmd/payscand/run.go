package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"payscand/configs"
	"payscand/internal/app"
)

const defaultConfig = "/etc/payscand/payscand.toml"

func newRun() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long:  "Run the daemon until it is told to stop (SIGTERM, Ctrl-C). systemd is told when it is ready.",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd.Context(), path) },
	}
	configFlag(cmd, &path)
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", defaultConfig, "configuration file")
}

func loadConfig(path string, withoutKeys bool) (*configs.Config, error) {
	config, err := app.LoadConfig(path, withoutKeys)
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return config, nil
}

func runDaemon(ctx context.Context, path string) error {
	config, err := loadConfig(path, false)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: config.Log.Level}))
	options := app.Options{
		Version: version, Log: log,
		Ready: func(app.Addresses) { notify(log, daemon.SdNotifyReady) },
	}
	if every, err := daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("watchdog settings not understood", "error", err)
	} else if every > 0 {
		options.HeartbeatEvery = every / 3
		options.Heartbeat = func() { notify(log, daemon.SdNotifyWatchdog) }
	}
	context.AfterFunc(ctx, func() { notify(log, daemon.SdNotifyStopping) })
	started := time.Now()
	err = app.Run(ctx, config, options)
	log.Info("stopped", "after", time.Since(started).Round(time.Second))
	if errors.Is(err, app.ErrConfiguration) {
		return &exitError{exitConfig, err}
	}
	return err
}

// notify tells systemd; without systemd it does nothing.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd not told", "state", state, "error", err)
	}
}
