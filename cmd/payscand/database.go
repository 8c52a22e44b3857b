package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"payscand/api/client"
	"payscand/internal/app"
)

func newBackup() *cobra.Command {
	var c connection
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Back the database up, while the daemon runs or not",
		Long: "Write all sales and the journal as they are at one moment, without payment codes, to a new file in the\n" +
			"folder that the configuration names ([store] backup_dir). A running daemon makes the backup itself, while\n" +
			"sales go on; it is asked with the token of an operator. The file is checked before it gets its name.\n\n" +
			"Exit status: 0 done, 1 not done: no file was left, 64 wrong words, 78 wrong configuration.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBackup(cmd.Context(), c, asJSON, cmd.OutOrStdout())
		},
	}
	c.addFlags(cmd)
	jsonFlag(cmd, &asJSON, "what was made as JSON")
	return cmd
}

func runBackup(ctx context.Context, c connection, asJSON bool, out io.Writer) error {
	made, err := askForBackup(ctx, c)
	if problem := new(client.Problem); err != nil && c.address == "" && !errors.As(err, &problem) && nobodyThere(err) {
		config, loadErr := loadConfig(c.config, true)
		if loadErr != nil {
			return loadErr
		}
		made, err = app.BackUp(ctx, config, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, made)
	}
	fmt.Fprintf(out, "%s: %d sales, %d journal records, %d bytes; checked, without payment codes\n", made.Path, made.Sales, made.Records, made.Bytes)
	return nil
}

// nobodyThere reports whether no daemon listens where it would. A token's file that
// is not there says nothing of that.
func nobodyThere(err error) bool {
	return nobodyAsked(err) && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist))
}

// askForBackup asks the running daemon.
func askForBackup(ctx context.Context, c connection) (client.Backup, error) {
	if c.address == "" && c.tokenFile == "" {
		config, err := loadConfig(c.config, true)
		if err != nil {
			return client.Backup{}, err
		}
		c.tokenFile = filepath.Join(config.API.TokenDir, "operator.token")
		if _, err := os.Stat(c.tokenFile); errors.Is(err, os.ErrNotExist) {
			c.tokenFile = "" // no daemon ever ran with this configuration, so there is none for connect either
			if config.API.Socket == "" {
				c.address = "http://" + config.API.Listen
			}
		}
	}
	terminal, err := c.connect()
	if err != nil {
		return client.Backup{}, err
	}
	defer terminal.Close()
	return terminal.BackUp(ctx)
}

func newRestore() *cobra.Command {
	var config string
	var replace, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Put a backup in the database's place, with the daemon stopped",
		Long: "Put a backup in the place of the configured database. The backup is checked first; an older one is brought to\n" +
			"the present schema. A database that is there is left alone and said to be newer or not; with --replace it is\n" +
			"kept under another name. One that is in use is never touched.\n\n" +
			"The restored database only asks about its old attempts, and takes no sales, until payscand adopt.\n\n" +
			"Exit status: 0 done, 1 not done: nothing was changed, 64 wrong words, 78 wrong configuration.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := loadConfig(config, true)
			if err != nil {
				return err
			}
			done, err := app.Restore(cmd.Context(), loaded, args[0], replace)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"path": done.Path, "sales": done.Sales, "records": done.Records, "kept": done.Kept})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d sales, %d journal records\n", done.Path, done.Sales, done.Records)
			if done.Kept != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "The database that was there is %s\n", done.Kept)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "Until \"payscand adopt\" it only asks about its old sales.")
			return nil
		},
	}
	configFlag(cmd, &config)
	cmd.Flags().BoolVar(&replace, "replace", false, "put it in the place of a database that is there, which is kept under another name")
	jsonFlag(cmd, &asJSON, "what was done as JSON")
	return cmd
}

func newAdopt() *cobra.Command {
	var config string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "adopt",
		Short: "Let this machine act on a database that was restored, or was another machine's",
		Long: "Let this machine act on the sales of the configured database: send what is open again, cancel, refund, and take\n" +
			"new sales, from the daemon's next start on. Do it only when no other machine works on a copy of it, or both\n" +
			"would. Sales made after the backup are not in it: look for them in the gateway's portal. The daemon must be\n" +
			"stopped. The journal notes it.\n\n" +
			"Exit status: 0 adopted, also before, 1 not done, 64 wrong words, 78 wrong configuration.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := loadConfig(config, true)
			if err != nil {
				return err
			}
			done, err := app.Adopt(loaded)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"adopted": true, "before": done.Already, "open_sales": done.Open})
			}
			if done.Already {
				fmt.Fprintln(cmd.OutOrStdout(), "It is this machine's already.")
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Adopted. %d sales are not over; the daemon takes them up when it starts.\n", done.Open)
			return nil
		},
	}
	configFlag(cmd, &config)
	jsonFlag(cmd, &asJSON, "what was done as JSON")
	return cmd
}
