package api

import (
	"context"
	"net/http"
	"time"

	"payscand/api/client"
)

// Backups makes backups where the configuration says. A refusal is a
// *terminal.Error.
type Backups interface {
	// BackUp returns once a whole backup is on the disk. Giving up the context
	// leaves none.
	BackUp(ctx context.Context) (client.Backup, error)
}

type backupOutput struct {
	Status int
	Body   client.Backup
}

func (s *Server) addBackup() {
	register(s, operation{
		method: http.MethodPost, path: "/v1/backups", id: "makeBackup", roles: operators,
		summary: "Back the database up",
		description: "Only for an operator, whose token is needed on the socket too. Writes all sales and the journal as they are at one moment, without " +
			"payment codes, to a new file in the configured folder of the terminal's machine, while sales go on. The answer comes when the file is " +
			"whole and on the disk, which takes seconds, of many years of sales minutes.",
		status: http.StatusCreated, errors: []int{409, 503},
	}, s.makeBackup)
}

func (s *Server) makeBackup(ctx context.Context, in *request, _ *struct{}) (*backupOutput, *problem) {
	if s.backups == nil {
		return nil, newProblem(client.CodeNotFound, "This terminal makes no backups.")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	_ = in.control.SetWriteDeadline(time.Time{}) // it takes as long as it takes
	made, err := s.backups.BackUp(ctx)
	if s.stopping.Err() != nil && err != nil {
		return nil, newProblem(client.CodeStopping, "No backup was made.")
	}
	if err != nil {
		return nil, s.refusal(ctx, "POST /v1/backups", err)
	}
	_ = in.control.SetWriteDeadline(time.Now().Add(streamBound))
	return &backupOutput{Status: http.StatusCreated, Body: made}, nil
}
