package main

import (
	"github.com/spf13/cobra"

	"payscand/internal/demo"
)

func newDemo() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the main job, all on this machine",
		Long: "Start the practice gateway and the daemon, plug a virtual scanner and take some payments, with a\n" +
			"wrong code, a lost answer, a kill and no scan among them; then stay up to be tried by hand until Ctrl-C.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Once: once, Out: cmd.OutOrStdout()})
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end by itself; status 0 only if all went as described")
	return cmd
}
