package soak

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"payscand/internal/tracer"
)

// Helper runs the part of a campaign that needs a process of its own, if the
// arguments ask for one: the program that runs campaigns, and the tests' too, must
// call it first and exit with its status.
func Helper(arguments []string) (status int, asked bool) {
	if len(arguments) == 0 {
		return 0, false
	}
	var err error
	switch rest := arguments[1:]; arguments[0] {
	case "trace":
		status, err = runTrace(rest)
	case "till":
		var a tillArguments
		if a, err = parseTill(rest); err == nil {
			err = a.run(os.Stdout)
		}
	case "restore":
		err = restoreArguments{backup: rest[0], path: rest[1]}.run(context.Background(), os.Stdout)
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		status = max(status, 1)
	}
	return status, true
}

// trace is a program that is run by package tracer in a process of its own, which
// passes SIGTERM on, toggles the counting on SIGUSR1, and takes the program with it
// when it is killed.
type trace struct {
	dir    string
	record string   // file for the calls; empty: none
	told   string   // file for the calls that were made to fail; empty: none
	faults []string // see tracer.ParseFault
	// disarmed: nothing is counted until SIGUSR1.
	disarmed bool
}

// command is what the program's own command line is put behind.
func (t trace) command() []string {
	c := []string{"trace", "-dir", t.dir, "-record", t.record, "-told", t.told, "-fail", strings.Join(t.faults, ",")}
	if t.disarmed {
		c = append(c, "-disarmed")
	}
	return append([]string{self()}, append(c, "--")...)
}

// self is the program that is running.
func self() string {
	path, err := os.Executable()
	if err != nil {
		panic(err) // /proc is there, or nothing here works
	}
	return path
}

// run runs this program with other arguments, traced.
func (t trace) run(ctx context.Context, arguments []string) error {
	line := append(append(t.command(), self()), arguments...)
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, out.Bytes())
	}
	return nil
}

func (t trace) load() ([]tracer.Op, error) { return tracer.Load(t.record) }

func runTrace(arguments []string) (status int, err error) {
	var o tracer.Options
	flags := flag.NewFlagSet("trace", flag.ContinueOnError)
	flags.StringVar(&o.Dir, "dir", "", "folder to follow")
	flags.BoolVar(&o.Disarmed, "disarmed", false, "count from SIGUSR1 on")
	record := flags.String("record", "", "file for the calls")
	told := flags.String("told", "", "file for the calls that were made to fail")
	faults := flags.String("fail", "", "faults, with commas between")
	if err := flags.Parse(arguments); err != nil {
		return 2, err
	}
	for text := range strings.SplitSeq(*faults, ",") {
		if text == "" {
			continue
		}
		f, err := tracer.ParseFault(text)
		if err != nil {
			return 2, err
		}
		o.Faults = append(o.Faults, f)
	}
	if *record != "" {
		file, err := os.Create(*record)
		if err != nil {
			return 2, err
		}
		defer file.Close()
		o.Record = file
	}
	if *told != "" {
		file, err := os.Create(*told)
		if err != nil {
			return 2, err
		}
		defer file.Close()
		o.Told = file
	}
	t := tracer.New(o)
	pass(t)
	line := flags.Args()
	command := exec.CommandContext(context.Background(), line[0], line[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return t.Run(command)
}

// pass hands signals on.
func pass(t *tracer.Tracer) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	go func() {
		for s := range signals {
			if s == syscall.SIGUSR1 {
				t.Toggle()
				continue
			}
			t.Signal(s.(syscall.Signal)) //nolint:forcetypeassert // Linux has no other
		}
	}()
}
