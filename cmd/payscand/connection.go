package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"payscand/api/client"
)

// connection says how a command reaches the terminal.
type connection struct{ config, address, tokenFile string }

func (c *connection) addFlags(cmd *cobra.Command) {
	configFlag(cmd, &c.config)
	cmd.Flags().StringVar(&c.address, "address", "", "the terminal's socket or URL, in place of the configuration's")
	cmd.Flags().StringVar(&c.tokenFile, "token-file", "", "file with a token, needed for a URL")
}

// nobodyAsked reports whether a client's first call got no connection, so that
// nothing was asked for. A later call may have been sent on the connection of the
// one before, and once more on a new one that nobody took.
func nobodyAsked(err error) bool {
	dial, is := errors.AsType[*net.OpError](err)
	return is && dial.Op == "dial"
}

// connect finds the terminal by flags or by its configuration, whose keys need
// not be readable. It does not call it yet.
func (c *connection) connect() (*client.Client, error) {
	address, tokenFile := c.address, c.tokenFile
	if address == "" {
		config, err := loadConfig(c.config, true)
		if err != nil {
			return nil, err
		}
		if config.API.Socket != "" {
			address = "unix://" + config.API.Socket // relative where the configuration's path is
		} else {
			address = "http://" + config.API.Listen
			if tokenFile == "" {
				tokenFile = filepath.Join(config.API.TokenDir, "register.token")
			}
		}
	}
	token := ""
	if tokenFile != "" {
		content, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, fmt.Errorf("token: %w", err)
		}
		token, _, _ = strings.Cut(strings.TrimSpace(string(content)), "\n")
	}
	terminal, err := client.New(address, token)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return terminal, nil
}
