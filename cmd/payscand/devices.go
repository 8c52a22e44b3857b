package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"payscand/configs"
	"payscand/internal/devices"
)

func newDevices() *cobra.Command {
	return group(&cobra.Command{
		Use:   "devices",
		Short: "Find, test and name scanners",
		Long: "Find, test and name scanners. These commands need no daemon; a scanner that the daemon holds\n" +
			"cannot be tested until it is stopped. Only scanners in HID POS or IBM mode, and what is named\n" +
			"or plugged in meanwhile, are opened: never a keyboard that happens to be there.",
	}, newDevicesList(), newDevicesWatch(), newDevicesTest(), newDevicesPair())
}

func newDevicesList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what a scanner can be, who holds it, and what to do",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			user, err := devices.DaemonUser()
			if err != nil {
				return err
			}
			return printDevices(cmd.OutOrStdout(), devices.List(devices.SystemTree(), user), user, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON, "each device as one line of JSON")
	return cmd
}

func printDevices(out io.Writer, found []devices.Device, user devices.User, asJSON bool) error {
	if asJSON {
		for _, d := range found {
			if err := printJSON(out, d); err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		fmt.Fprintln(out, "Nothing here can be a scanner: plug one in (payscand devices watch shows what comes).")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "DEVICE\tWHAT IT IS\tNODE\tHELD BY\tOPEN TO %s\n", user.Name)
	for _, d := range found {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.ID(), what(d), d.Node, orDash(d.Holder), yesNo(d.Allowed))
	}
	table.Flush()
	for _, d := range found {
		if d.Advice != "" {
			fmt.Fprintf(out, "%s: %s\n", d.ID(), d.Advice)
		}
	}
	return nil
}

func what(d devices.Device) string {
	switch {
	case d.Name != "":
		return d.What + " (" + d.Name + ")"
	case d.Maker != "":
		return d.What + " (" + d.Maker + ")"
	}
	return d.What
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func newDevicesWatch() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Tell what is plugged in and unplugged, until Ctrl-C",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			user, err := devices.DaemonUser()
			if err != nil {
				return err
			}
			devices.Watch(cmd.Context(), devices.SystemTree(), user, eventPrinter(cmd.OutOrStdout(), asJSON))
			return nil
		},
	}
	jsonFlag(cmd, &asJSON, "each event as one line of JSON")
	return cmd
}

// eventPrinter prints each event, also one in the same words as the last: that is
// another device with the same ids.
func eventPrinter(out io.Writer, asJSON bool) func(devices.Event) {
	return func(e devices.Event) {
		if asJSON {
			_ = printJSON(out, e)
			return
		}
		fmt.Fprintf(out, "%s  %-9s  %s  %s\n", e.At.Format(time.TimeOnly), e.Event, e.Device.ID(), what(e.Device))
	}
}

// stationFlags say which scanner is listened to.
type stationFlags struct {
	device   string
	baud     int
	patience time.Duration
	sheet    string
	json     bool
}

func (f *stationFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.device, "device", "", "the scanner: a port, or USB ids as devices list shows them")
	flags.IntVar(&f.baud, "baud", 0, "speed of a serial line (default 9600; USB scanners ignore it)")
	flags.DurationVar(&f.patience, "timeout", time.Minute, "how long to wait for each code; 0: for ever")
	flags.StringVar(&f.sheet, "sheet", "payscand-test-sheet.html", "where to write the sheet of test codes; \"\": nowhere")
	jsonFlag(cmd, &f.json, "the result as one line of JSON; what to do goes to the standard error output")
}

// station writes the sheet and returns who listens, with the words that go to people.
func (f *stationFlags) station(cmd *cobra.Command) (*devices.Station, error) {
	user, err := devices.DaemonUser()
	if err != nil {
		return nil, err
	}
	people := cmd.OutOrStdout()
	if f.json {
		people = cmd.ErrOrStderr()
	}
	say := func(format string, args ...any) { fmt.Fprintf(people, format+"\n", args...) }
	if f.sheet != "" {
		if err := writeSheet(f.sheet); err != nil {
			return nil, err
		}
		say("The test codes are in %s: print it, or show it on another screen.", f.sheet)
	}
	return &devices.Station{Tree: devices.SystemTree(), User: user, Only: f.device, Baud: f.baud, Say: say}, nil
}

func writeSheet(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("sheet of test codes: %w", err)
	}
	return errors.Join(devices.WriteSheet(file), file.Close())
}

func newDevicesTest() *cobra.Command {
	var f stationFlags
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Scan a sheet of test codes and be told whether the scanner is set up right",
		Long: "Write a sheet of test codes, ask for each to be scanned, say whether layout, prefix, suffix and\n" +
			"terminator are right and what to do if not, and print the lines for the configuration.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			station, err := f.station(cmd)
			if err != nil {
				return err
			}
			return testScanner(cmd.Context(), station, f, cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	return cmd
}

func testScanner(ctx context.Context, station *devices.Station, f stationFlags, out io.Writer) error {
	report, err := station.Test(ctx, devices.Codes(), f.patience)
	if err != nil {
		return explainTest(err)
	}
	switch {
	case f.json:
		if err := printJSON(out, report); err != nil {
			return err
		}
	case report.Configuration != "":
		fmt.Fprintf(out, "\nFor /etc/payscand/payscand.toml:\n\n%s\n", report.Configuration)
	}
	if !report.Right {
		return errors.New("the scanner is not set up right yet: what to do is said above")
	}
	return nil
}

// explainTest gives the end of a test by Ctrl-C its words.
func explainTest(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped before the end")
	}
	return err
}

func newDevicesPair() *cobra.Command {
	var f stationFlags
	var config string
	var write bool
	cmd := &cobra.Command{
		Use:   "pair",
		Short: "Scan one test code to name the scanner in the configuration",
		Long: "Ask for one test code, and name the scanner that sent it in a [[scanner]] table. The table is\n" +
			"printed; --write adds it to the configuration file, if the file stays good with it.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			station, err := f.station(cmd)
			if err != nil {
				return err
			}
			report, err := station.Test(cmd.Context(), devices.Codes()[:1], f.patience)
			if err != nil {
				return explainTest(err)
			}
			return pair(cmd.OutOrStdout(), report, f.json, config, write)
		},
	}
	f.add(cmd)
	configFlag(cmd, &config)
	cmd.Flags().BoolVar(&write, "write", false, "add the scanner to the configuration file")
	return cmd
}

func pair(out io.Writer, report devices.Report, asJSON bool, path string, write bool) error {
	if asJSON {
		if err := printJSON(out, report); err != nil {
			return err
		}
	}
	if !report.Right {
		return errors.New("no scanner was paired: what to do is said above")
	}
	if !asJSON {
		fmt.Fprintf(out, "\n%s\n", report.Configuration)
	}
	if !write {
		if !asJSON {
			fmt.Fprintf(out, "Nothing was written: add these lines to %s, or say --write. Then restart the daemon.\n", path)
		}
		return nil
	}
	if err := addToConfig(path, report.Configuration); err != nil {
		return err
	}
	if !asJSON {
		fmt.Fprintf(out, "Added to %s. Restart the daemon (systemctl restart payscand).\n", path)
	}
	return nil
}

// addToConfig appends a table to a configuration that stays good with it.
func addToConfig(path, table string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	addition := "\n# Added by payscand devices pair.\n" + table
	if len(before) > 0 && before[len(before)-1] != '\n' {
		addition = "\n" + addition
	}
	if _, err := configs.Parse(path, append(before, addition...)); err != nil {
		return &exitError{exitConfig, fmt.Errorf("nothing was written: with the scanner the configuration would have mistakes:\n%w", err)}
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if _, err = file.WriteString(addition); err != nil { // half a table is none: the daemon would not start with it
		return errors.Join(fmt.Errorf("nothing was written: %w", err), file.Truncate(int64(len(before))), file.Close())
	}
	return errors.Join(file.Sync(), file.Close())
}
