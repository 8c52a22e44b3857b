package terminal

import "time"

const (
	retentionFirst = time.Minute      // after a start
	retentionDaily = 24 * time.Hour   // after all that was old is gone
	retentionPause = time.Second      // between two commits
	retentionLater = 15 * time.Second // while a sale is live, or no clock is to be trusted
	// retentionPage is how many records one commit drops: some milliseconds.
	retentionPage = 64
)

// prune drops a page of what is older than the configuration says, and returns
// when to go on. It is called by the loop between two turns, so that no sale waits
// for more than one small commit, and none at all while it is live.
func (t *Terminal) prune() time.Duration {
	if t.config.Retention <= 0 {
		return retentionDaily
	}
	now, trusted := t.agreedTime()
	if t.engine.live.ID != "" || !trusted {
		return retentionLater
	}
	more, err := t.config.Store.Prune(now.Add(-t.config.Retention), retentionPage)
	switch {
	case err != nil: // where the store failed the next turn ends the process
		t.config.Log.Error("old sales not dropped", "error", err)
		return retentionDaily
	case more:
		return retentionPause
	}
	return retentionDaily
}

// agreedTime is this machine's time or a gateway's, whichever is earlier: a clock
// that is years ahead must not make the terminal forget. It is to be trusted once
// a gateway has answered.
func (t *Terminal) agreedTime() (now time.Time, trusted bool) {
	now = t.clock.now()
	agreed := now
	for _, g := range t.config.Gateways {
		known := t.engine.gateways[g.Name()]
		if known == nil || known.lastAnswer.IsZero() {
			continue
		}
		trusted = true
		if c, ok := g.(interface{ ClockOffset() time.Duration }); ok {
			if theirs := now.Add(c.ClockOffset()); theirs.Before(agreed) {
				agreed = theirs
			}
		}
	}
	return agreed, trusted
}
