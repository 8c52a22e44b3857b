package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// jsonFlag is the flag that asks for JSON; what names that which is printed so.
func jsonFlag(cmd *cobra.Command, asJSON *bool, what string) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print "+what)
}

// printJSON prints a value as one line of JSON.
func printJSON(out io.Writer, value any) error { return json.NewEncoder(out).Encode(value) }

// printer prints the states of one thing, a line each, as JSON or in words; words
// that say nothing new are left out. What cannot be written is lost: nobody is left to be told.
func printer[T any](out io.Writer, asJSON bool, words func(T) string) func(T) {
	var last string
	return func(value T) {
		if asJSON {
			_ = printJSON(out, value)
			return
		}
		if line := words(value); line != last {
			last = line
			fmt.Fprintln(out, line)
		}
	}
}
