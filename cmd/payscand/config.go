package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"payscand/configs"
)

func newConfig() *cobra.Command {
	return group(&cobra.Command{Use: "config", Short: "Look after the configuration"}, newConfigCheck(), newConfigDefault())
}

func newConfigCheck() *cobra.Command {
	var withoutKeys bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say every mistake in a configuration, with its line",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := defaultConfig
			if len(args) > 0 {
				path = args[0]
			}
			config, err := loadConfig(path, withoutKeys)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is good: terminal %s, gateways %s, %d scanners\n",
				path, config.Terminal.Code, strings.Join(config.Gateways.Names(), ", "), len(config.Scanners))
			return nil
		},
	}
	cmd.Flags().BoolVar(&withoutKeys, "without-keys", false, "leave key files unread")
	return cmd
}

func newConfigDefault() *cobra.Command {
	return &cobra.Command{
		Use:   "default",
		Short: "Print the documented default configuration",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), configs.Documented)
			return err
		},
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  usage(cobra.NoArgs),
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "payscand", version) },
	}
}
