package simulation

import (
	"context"
	"os"
	"testing"
)

func TestTry(t *testing.T) {
	r := Campaign{From: 0, To: 20000, Workers: 1, Violations: 5}.Run(context.Background())
	r.Print(os.Stdout)
	t.Log(r.NeverFired())
	for _, v := range r.Violations {
		t.Error(v)
	}
}
