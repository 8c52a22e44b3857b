// Command payscand is the payment-code terminal of a shop counter.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "dev"

// Exit codes, as docs/commands.md lists them. None is 2: a Go program that crashes,
// or that systemd's watchdog ends, ends with that, and must be started again. Those
// that systemd does not start the daemon again after are sysexits', which it knows.
const (
	exitOK       = 0
	exitFailed   = 1  // the command could not do its work
	exitUnpaid   = 3  // sale: it ended without payment; refund: it failed
	exitNotKnown = 4  // sale, refund: its outcome is still being found out
	exitDamaged  = 5  // check, journal verify: the database is not as it was written
	exitUsage    = 64 // its words are wrong
	exitConfig   = 78 // the configuration is wrong
)

// exitError gives an error an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := newRoot().ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(os.Stderr, "payscand:", err)
	if exit := new(exitError); errors.As(err, &exit) {
		return exit.code
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "payscand",
		Short: "Take wallet payments at a shop counter",
		Long: "payscand reads a customer's payment code from a barcode scanner, submits it to the payment\n" +
			"gateway and answers the register with the truth.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	group(root, newRun(), newDemo(), newSandbox(), newSale(), newSales(), newRefund(), newDevices(), newBackup(), newRestore(),
		newAdopt(), newCheck(), newJournal(), newConfig(), newVersion())
	refuseOtherWords(root)
	return root
}

// refuseOtherWords has cobra's own commands, help and completion, refuse words as ours do.
func refuseOtherWords(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = usage(func(_ *cobra.Command, topic []string) error {
				if holder, rest, err := root.Find(topic); err != nil || len(rest) > 0 {
					return errors.Join(err, noOtherCommand(holder, rest))
				}
				return nil
			})
		case "completion":
			group(cmd)
			for _, shell := range cmd.Commands() {
				shell.Args = usage(shell.Args)
			}
		}
	}
}

// group makes cmd the holder of commands. Alone it shows its help; a word that is
// none of them is refused, where cobra would show the help and end with status 0.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = usage(noOtherCommand)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.DisableFlagsInUseLine = true
	cmd.SuggestionsMinimumDistance = 2 // letters that may differ
	cmd.AddCommand(commands...)
	return cmd
}

func noOtherCommand(cmd *cobra.Command, args []string) error {
	err := cobra.NoArgs(cmd, args)
	if err == nil {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return err
}

func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &exitError{exitUsage, err}
		}
		return nil
	}
}
