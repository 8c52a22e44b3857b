package client

import (
	"context"
	"net/http"
	"time"
)

// backupTimeout bounds a call that takes as long as all sales take to be copied.
const backupTimeout = time.Hour

// Backup says what a backup holds.
type Backup struct {
	Path    string `json:"path" doc:"The file, on the terminal's machine."`
	Bytes   int64  `json:"bytes"`
	Sales   int    `json:"sales"`
	Records uint64 `json:"records" doc:"Of the journal."`
	// LastEventID is that of the last event that is in it.
	LastEventID string `json:"last_event_id" doc:"The last event that is in it."`
}

// BackUp has the terminal write a backup of its database, and returns when it is
// on the disk. It needs the token of an operator.
func (c *Client) BackUp(ctx context.Context) (Backup, error) {
	ctx, cancel := context.WithTimeout(ctx, backupTimeout)
	defer cancel()
	var made Backup
	_, err := c.call(ctx, http.MethodPost, "/v1/backups", nil, &made)
	return made, err
}
