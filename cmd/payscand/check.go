package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"payscand/internal/app"
)

func newCheck() *cobra.Command {
	return newLook("check [FILE]", "Look at all of a database, with the daemon stopped, or of a backup",
		"Look at all of the configured database, or of another file, such as a backup: its pages, the checksum of each entry,\n"+
			"that each index has what follows from the sales and nothing else, the journal's chain, and that the journal gives\n"+
			"each sale as it is stored. Nothing is written. The daemon must be stopped; of a running one, make a backup: it is\n"+
			"checked as it is made.", app.Check)
}

func newJournal() *cobra.Command {
	return group(&cobra.Command{Use: "journal", Short: "Look after the journal"}, newLook("verify [FILE]", "Prove the journal of a database, with the daemon stopped, or of a backup",
		"Prove that each record of the journal is as it was written and follows from the one before, from the first that\n"+
			"retention has kept to the last. Nothing is written.", app.VerifyJournal))
}

func newLook(use, short, long string, look func(context.Context, string) (app.Report, error)) *cobra.Command {
	var config string
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short,
		Long: long + "\n\nExit status: 0 all is as it was written, 1 it could not be looked at, 5 something is wrong: each thing is\n" +
			"named, on a line of its own, 64 wrong words, 78 wrong configuration.",
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := databasePath(config, args)
			if err != nil {
				return err
			}
			report, err := look(cmd.Context(), path)
			if err != nil {
				return err
			}
			return showReport(cmd.OutOrStdout(), report, asJSON)
		},
	}
	configFlag(cmd, &config)
	jsonFlag(cmd, &asJSON, "what was found as JSON")
	return cmd
}

func databasePath(config string, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	loaded, err := loadConfig(config, true)
	if err != nil {
		return "", err
	}
	return loaded.Store.Path, nil
}

func showReport(out io.Writer, r app.Report, asJSON bool) error {
	if asJSON {
		if err := printJSON(out, r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Findings {
			fmt.Fprintln(out, f)
		}
	}
	if found := len(r.Findings) + r.MoreOf; found > 0 {
		return &exitError{exitDamaged, fmt.Errorf("%s: %d things are wrong with it; keep the file, and restore a backup", r.Path, found)}
	}
	if !asJSON {
		fmt.Fprintf(out, "%s: all is as it was written: %s\n", r.Path, contents(r))
	}
	return nil
}

func contents(r app.Report) string {
	text := fmt.Sprintf("schema %d, journal records %d to %d", r.Schema, r.First, r.Last)
	if r.Sales > 0 {
		text += fmt.Sprintf(", %d sales, %d of them not over", r.Sales, r.Open)
	}
	if !r.Adopted {
		text += "; not adopted by this machine"
	}
	return text
}
