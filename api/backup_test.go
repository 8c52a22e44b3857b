package api_test

import (
	"context"
	"encoding/json"
	"testing"

	"payscand/api"
	"payscand/api/client"
	"payscand/terminal"
)

// BackUp is the fake's backup of one sale.
func (f *fakeTerminal) BackUp(context.Context) (client.Backup, error) {
	if _, err := f.enter("backup", ""); err != nil {
		return client.Backup{}, err
	}
	return client.Backup{Path: "/var/lib/payscand/backups/one.db", Bytes: 4096, Sales: 1, Records: 2, LastEventID: "epoch-2"}, nil
}

// A backup is an operator's affair, on the socket too; what was made is told, and
// so is what stands in its way.
func TestBackup(t *testing.T) {
	c := serve(t)
	for _, role := range []api.Role{api.RoleRegister, api.RoleMetrics} {
		if got := problemOf(t, c.send(t, "POST", "/v1/backups", "", c.as(role))); got.Code != client.CodeForbidden {
			t.Errorf("%s: %+v", role, got)
		}
	}
	if len(c.terminal.calls) != 0 {
		t.Errorf("a refused call reached the terminal: %v", c.terminal.calls)
	}
	a := c.send(t, "POST", "/v1/backups", "", c.as(api.RoleOperator))
	var made client.Backup
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.StatusCode != 201 || made.Sales != 1 || made.LastEventID != "epoch-2" {
		t.Errorf("%v: %s", err, a.raw())
	}
	c.terminal.err = &terminal.Error{Code: terminal.CodeBackupRunning, Message: "another one"}
	if got := problemOf(t, c.send(t, "POST", "/v1/backups", "", c.as(api.RoleOperator))); got.Code != client.CodeBackupRunning || got.Status != 409 {
		t.Errorf("%+v", got)
	}
}
