package main

const (
	engineFile    = "terminal/engine.go"
	engineDueFile = "terminal/engine_due.go"
	inputsFile    = "terminal/engine_inputs.go"
	twinsFile     = "terminal/engine_twins.go"
	scansFile     = "terminal/engine_scans.go"
	gatewaysFile  = "terminal/engine_gateways.go"
	refundsFile   = "terminal/engine_refunds.go"
	callsFile     = "terminal/calls.go"
	driverFile    = "terminal/driver.go"
)

func ofTerminal(run string) []Test { return in("./terminal", run) }

// engineMutants break the turn: commit, calls, idempotency, scans, gateways.
func engineMutants() []Mutant { //nolint:funlen // a table
	return []Mutant{
		{
			Name: "calls start before the commit", Rule: "M1",
			Edits: []Edit{
				{File: engineFile, Old: "\tif len(t.changes) > 0 {\n", New: "\tfor _, c := range append(calls, t.probes...) {\n\t\te.gateways[c.Gateway].started(c)\n\t\te.executor.Start(c)\n\t}\n\tif len(t.changes) > 0 {\n"},
				{File: engineFile, Old: "\t}\n\tfor _, c := range append(calls, t.probes...) {\n\t\te.gateways[c.Gateway].started(c)\n\t\te.executor.Start(c)\n\t}\n\treturn nil", New: "\t}\n\treturn nil"},
			},
			Tests: ofTerminal("TestStoreTrouble|TestScannedSale"),
		},
		replaced("calls start though the commit failed", "M1", engineFile,
			"return fmt.Errorf(\"commit %d changes: %w\", len(t.changes), err)", "_ = fmt.Sprint(err)", ofTerminal("TestStore")...),
		{
			Name: "the register is answered though the commit failed", Rule: "P6",
			Edits: []Edit{
				{File: engineFile, Old: "\tif err := e.commit(); err != nil {\n\t\treturn Result{}, err", New: "\tif err := e.commit(); err != nil {\n\t\treturn Result{Replies: replies}, err"},
				{
					File: driverFile, Old: "\tif err != nil {\n\t\treturn err\n\t}\n\tt.publish(result, now)\n",
					New: "\tif err != nil {\n\t\tfor i, r := range batch {\n\t\t\tif r.reply != nil && i < len(result.Replies) {\n\t\t\t\tr.reply <- result.Replies[i]\n\t\t\t}\n\t\t}\n\t\treturn err\n\t}\n\tt.publish(result, now)\n",
				},
			},
			Tests: ofTerminal("TestStoreErrorEndsTheLoop"),
		},
		{
			Name: "the customer sees what is not committed", Rule: "P6",
			Edits: []Edit{
				{File: engineFile, Old: "\tif err := e.commit(); err != nil {\n\t\treturn Result{}, err", New: "\tif err := e.commit(); err != nil {\n\t\treturn Result{Arming: e.live.ArmingToken(), Customer: e.customer, Changed: e.changed()}, err"},
				{File: driverFile, Old: "\tif err != nil {\n\t\treturn err\n\t}\n\tt.publish(result, now)\n", New: "\tt.publish(result, now)\n\tif err != nil {\n\t\treturn err\n\t}\n"},
			},
			Tests: ofTerminal("TestStoreErrorEndsTheLoop"),
		},
		replaced("a call that was overtaken in its turn is sent", "M1", engineFile,
			"s := t.sales[c.Sale]; underWay(s, c) {", "s := t.sales[c.Sale]; s.ID != \"\" {", ofTerminal("")...),
		replaced("a second send is composed anew", "M7", engineFile,
			"if c.Kind != payment.CallPay || a.Sends > 1 {", "if c.Kind != payment.CallPay {", ofTerminal("TestM7|TestComposeFails")...),
		replaced("what cannot be composed is sent", "M7", engineFile,
			"\tif unsendable != nil {", "\tif unsendable != nil && s.ID == \"none\" {", ofTerminal("TestComposeFails")...),
		replaced("a due sale starts all its questions at once", "P10", engineDueFile,
			"\tfor room > 0 {\n\t\tif at", "\tfor {\n\t\tif at", ofTerminal("TestSlots")...),
		replaced("one gateway's silence holds up what a sale asks another", "P5", "payment/step.go",
			"s.AlsoDue = s.alsoDue()", "s.AlsoDue = nil", ofTerminal("TestP5")...),
		replaced("what a turn has decided on takes no slot", "P10", engineDueFile,
			"\t\tif c.Gateway == g.name {\n\t\t\troom--", "\t\tif c.Gateway == \"\" {\n\t\t\troom--", ofTerminal("TestSlots")...),
		replaced("a second look after a notification takes no slot", "P10", inputsFile,
			"Wait: g == nil || e.room(g) <= 0}", "Wait: g == nil}", ofTerminal("TestSlotsBoundNotified")...),
		replaced("a refund takes no slot", "P10", refundsFile,
			"wait = e.room(g) <= 0", "wait = e.room(g) < -99", ofTerminal("TestSlots")...),
		replaced("a start leaves watches to a clock that was set back", "M12", inputsFile,
			"reply.More, err = e.recoverFar()", "reply.More = \"\"", ofTerminal("TestFarWatches")...),
		replaced("a start ends the watch at a gateway that is gone", "P5", "payment/step_watch.go",
			"if !t.configured(a) {", "if a == nil {", ofTerminal("TestWatchAtAGateway")...),
		replaced("a gateway that is gone with sales watched there is not told", "P5", "terminal/abandoned.go",
			"if name == \"\" || t.engine", "if name != \"\" || t.engine", ofTerminal("TestAbandoned")...),
		replaced("a start asks before all sales are taken up", "M13", engineFile,
			"if !e.turn.recovering {", "if e.turn.sales != nil {", ofTerminal("TestStartTakes")...),
		replaced("a start takes up one page of such watches", "M12", inputsFile,
			"more = afterOpen", "more = \"\"", ofTerminal("TestFarWatches")...),
		replaced("a second live sale", "P7", inputsFile,
			"if e.live.ID != \"\" {\n\t\treturn Reply{}, &Error{Code: CodeTerminalBusy", "if e.live.ID == in.ID {\n\t\treturn Reply{}, &Error{Code: CodeTerminalBusy", ofTerminal("TestOneLiveSale")...),
		replaced("a reused key is not noticed", "P2", inputsFile,
			"if s.Key != n.Key || s.Digest != n.Digest {", "if s.Key != n.Key {", ofTerminal("TestIdempotency")...),
		replaced("a repeated request makes a second sale", "P2", inputsFile,
			"if s, known, err := e.byKey(n); known || err != nil {", "if s, known, err := e.byKey(n); known && s.ID == in.ID || err != nil {", ofTerminal("TestIdempotency")...),
		removed("two requests with one key in one turn make two sales", "P2", inputsFile,
			"\te.turn.keys[n.Key] = s.ID\n", ofTerminal("TestIdempotency")...),
		replaced("twins are not noticed", "M11", twinsFile,
			"if newest != \"\" {", "if newest == n.Key {", ofTerminal("TestM11")...),
		replaced("twins without a reference are not noticed", "M11", twinsFile,
			"return t.amount == n.Amount &&", "return t.reference == n.Reference && t.reference != \"\" &&", ofTerminal("TestM11")...),
		replaced("what is over speaks for an open sale that looks like it", "M11", twinsFile,
			"open && twinOf(old).like(", "twinOf(old).like(", ofTerminal("TestM11")...),
		replaced("a sale of long ago speaks for one made since that nobody was asked about", "M11", twinsFile,
			"like(asNew, t.createdAt,", "like(asNew, old.CreatedAt,", ofTerminal("TestM11")...),
		replaced("the replaced sale is not cancelled", "M11", inputsFile,
			"if replaced.ID != \"\" {", "if replaced.ID == n.Key {", ofTerminal("TestM11")...),
		replaced("a sale that was paid is replaced", "M11", twinsFile,
			"if s.Status != payment.SalePaid || s.Refundable() == 0 {", "if s.Status != payment.SalePaid || s.ID != \"\" {", ofTerminal("TestReplacesPaid")...),
		replaced("a sale whose late capture is kept is replaced", "M11", twinsFile,
			"return keptLate(s, a)", "return keptLate(s, a) && s.ID == \"\"", ofTerminal("TestM11ReplacesWhatWas")...),
		replaced("a sale whose late capture could not be given back is replaced", "M11", twinsFile,
			"a.Capture.Kept != \"\" || failed", "a.Capture.Kept != \"\" || failed && a.N == 0", ofTerminal("TestM11ReplacesWhatWas")...),
		replaced("who asks too early is told that a payment stays which is given back", "M11", twinsFile,
			"if toBeReversed(s) {", "if toBeReversed(s) && s.ID == \"\" {", ofTerminal("TestM11Replaces")...),
		replaced("a late payment whose reversal waits is told to stay", "M11", twinsFile,
			"a.Capture != nil && a.Watch != nil", "a.Capture != nil && a.Capture.Kept == \"\"", ofTerminal("TestM11Replaces")...),
		replaced("a sale is begun on a full disk", "P6", inputsFile,
			"if err := e.store.CheckRoom(); err != nil {", "if err := e.store.CheckRoom(); err != nil && n.Key == \"\" {", ofTerminal("TestStoreTrouble")...),
		replaced("a stale scan is called something else", "P7", scansFile,
			"case scan.Arming != token:", "case scan.Arming == token+1:", ofTerminal("TestScansThatDoNotCount")...),
		replaced("a code of another sale is accepted", "M10", scansFile,
			"used && sale != s.ID {", "used && sale == \"\" {", ofTerminal("TestScansThatDoNotCount")...),
		replaced("submitted codes are forgotten at once", "M10", scansFile,
			"e.turn.now.Add(e.policy.CodeMemory)", "e.turn.now", ofTerminal("TestScansThatDoNotCount")...),
		replaced("a cancel does not hold back a pay of its own turn", "M6", inputsFile,
			"if c.Sale == s.ID && c.Attempt == a.N && c.Seq == a.Call.Seq {", "if c.Sale == s.Key {", ofTerminal("")...),

		replaced("recovery reads one page only", "P6", inputsFile,
			"if len(sales) < recoverPage {", "if len(sales) <= recoverPage {", ofTerminal("TestRecovery")...),
		replaced("recovery asks nothing", "P6", inputsFile,
			"if _, err := e.step(s, payment.Recovered{}); err != nil {", "if _, err := e.step(s, payment.CheckRequested{}); err != nil {", ofTerminal("TestRecovery")...),
		replaced("a gateway with open sales is dropped", "M7", inputsFile,
			"if e.gateways[a.Gateway] == nil && openAt(s, a) {", "if e.gateways[a.Gateway] == nil && s.Status == \"\" {", ofTerminal("TestM7DroppedGateway")...),

		replaced("a silent fast phase leaves the gateway up", "M14", gatewaysFile,
			"a != nil && a.Silent {", "a != nil && a.Silent && a.N > 9 {", ofTerminal("TestM14")...),
		replaced("any fast phase takes the gateway down", "M14", gatewaysFile,
			"a != nil && a.Silent {", "a != nil {", ofTerminal("TestM14")...),
		replaced("a probe without an answer is ignored", "M14", gatewaysFile,
			"case v.Class == payment.ClassNotSent, v.Class == payment.ClassNoAnswer && probe:", "case v.Class == payment.ClassNotSent:", ofTerminal("TestM14|TestM6")...),
		replaced("a refused probe is ignored", "M14", gatewaysFile,
			"v.Class == payment.ClassRefused && misconfiguration(c.Kind, v.Reason):", "v.Class == payment.ClassRefused && v.Reason == \"\":", ofTerminal("TestM14")...),
		replaced("a gateway that is down takes new sales", "M14", gatewaysFile,
			"\tcase GatewayUp:\n\t\treturn nil", "\tcase GatewayUp, GatewayDown:\n\t\treturn nil", ofTerminal("TestM14")...),
		replaced("a code is sent to a gateway that is down", "M14", engineFile,
			"if e.gateways[c.Gateway].state == GatewayDown {", "if e.gateways[c.Gateway].state == \"\" {", ofTerminal("TestM14")...),
		replaced("a misconfigured gateway takes new sales", "M14", gatewaysFile,
			"\tcase GatewayUp:\n\t\treturn nil\n\tcase GatewayMisconfigured:", "\tcase GatewayUp, GatewayMisconfigured:\n\t\treturn nil\n\tcase \"\":", ofTerminal("TestM14")...),
		replaced("an outage's end brings nothing forward", "M14", gatewaysFile,
			"g.sweeping, g.sweepAfter = g.state != GatewayUnproven, \"\"", "g.sweeping, g.sweepAfter = false, \"\"", ofTerminal("TestM14")...),
		replaced("an armed terminal proves no connection", "M6", gatewaysFile,
			"\tcase armed:\n", "\tcase armed && g.slots == 0:\n", ofTerminal("TestM6")...),
		replaced("the resolver takes the live sale's slot", "M15", gatewaysFile,
			"min(g.slots-1-g.inFlight,", "min(g.slots-g.inFlight,", ofTerminal("TestOneSlot")...),
		replaced("the rate is not limited", "M14", gatewaysFile,
			"\tg.tokens -= float64(calls)\n", "\tg.tokens -= 0 * float64(calls)\n", ofTerminal("")...),

		replaced("a refund's key is not remembered in its turn", "P2", refundsFile,
			"\te.turn.keys[n.Key] = s.ID\n", "", ofTerminal("TestM13")...),
		replaced("a refund's reused key is not noticed", "P2", refundsFile,
			"if r.Key == n.Key && r.Digest == n.Digest {", "if r.Key == n.Key {", ofTerminal("TestM13")...),
		replaced("reversals are not counted", "M12", refundsFile,
			"\t\t\tr.begun = append(r.begun, now)\n", "\t\t\tr.begun = append(r.begun, now.Add(-2*reversalDay))\n", ofTerminal("TestM12")...),
		replaced("a restart forgets the day's reversals", "M12", refundsFile,
			"\tif !r.loaded {\n", "\tif !r.loaded && e.policy.Slots == 0 {\n", ofTerminal("TestM12")...),
		replaced("the day's reversals are never over", "M12", refundsFile,
			"return len(recent) < e.policy.MaxReversalsPerDay, nil", "return len(recent) < 1000*e.policy.MaxReversalsPerDay, nil", ofTerminal("TestM12")...),
		replaced("an override needs no name", "P3", refundsFile,
			"case r.Operator == \"\" || !plainText(r.Operator, 64):", "case !plainText(r.Operator, 64):", ofTerminal("TestResolve")...),
	}
}

// callMutants break the goroutines that ask the gateways, and the loop's stop.
func callMutants() []Mutant {
	return []Mutant{
		replaced("a pay under way is given up for a newer call", "M3", callsFile,
			"ok && !moves(before.call) {", "ok {", ofTerminal("")...),
		removed("an inquiry is not given up for a newer call", "M15", callsFile,
			"\t\tbefore.cancel()\n", ofTerminal("TestCancelGivesUp")...),
		replaced("a stop does not wait for money", "M1", callsFile,
			"return c.money == 0", "return c.money >= 0", ofTerminal("TestStopAwaitsMoney")...),
		replaced("a stop does not wait for refunds", "M1", callsFile,
			" || c.Kind == payment.CallRefund\n", "\n", ofTerminal("TestStop")...),
		replaced("a gateway's panic ends the day", "P6", callsFile,
			"if r := recover(); r != nil {", "if r := any(nil); r != nil {", ofTerminal("")...),
		replaced("a panic while sending is taken as not sent", "M3", callsFile,
			"v = payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}",
			"v = payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonNoAnswer}", ofTerminal("")...),
		replaced("what could not be prepared is sent", "M1", callsFile,
			"\tif p.err != nil {\n", "\tif p.err != nil && call.Seq < 0 {\n", ofTerminal("")...),
		replaced("a register is answered while the daemon stops", "P6", driverFile,
			"\tif stopping {\n", "\tif stopping && timer == nil {\n", ofTerminal("TestStop")...),
	}
}

const (
	commitFile  = "store/commit.go"
	journalFile = "store/journal.go"
)

func ofStore(run string) []Test { return in("./store", run) }

// storeMutants break what is on the disk.
func storeMutants() []Mutant {
	return []Mutant{
		replaced("the due index is not written", "P6", commitFile,
			"if err := w.due.Put([]byte(key), nil); err != nil {", "if err := error(nil); err != nil {", ofStore("TestStore")...),
		replaced("old entries of the due index stay", "P6", commitFile,
			"if err := w.due.Delete([]byte(key)); err != nil {", "if err := error(nil); err != nil {", ofStore("TestStore")...),
		replaced("the due index is kept by time alone", "P6", "store/keys.go",
			"dueTime(duePrefix(d.Gateway), d.At)", "dueTime(duePrefix(\"\"), d.At)", ofStore("TestStore")...),
		replaced("the open index is not written", "P6", commitFile,
			"return w.open.Put([]byte(after.ID), nil)", "return nil", ofStore("TestStore")...),
		replaced("sales that are over stay open", "P6", commitFile,
			"return w.open.Delete([]byte(after.ID))", "return nil", ofStore("TestStore|TestNoStray")...),
		replaced("a code that was wiped stays on the disk", "M7", commitFile,
			"return w.codes.Delete(requestID)", "return nil", ofStore("TestStore")...),
		replaced("the code is stored with the sale", "M7", "payment/attempt.go",
			"Code Code `json:\"-\"`", "Code Code `json:\"code\"`", ofStore("TestCodes")...), //nolint:dupword // source text
		replaced("the code is not stored", "M7", commitFile,
			"return put(w.codes, bucketCodes, requestID, []byte(after.Reveal()))", "return nil", ofStore("TestStore")...),
		replaced("an idempotency key is taken twice", "P2", commitFile,
			"if w.keys.Get([]byte(key)) != nil {", "if w.keys == nil {", ofStore("TestStore")...),
		replaced("a request id is taken twice", "P2", commitFile,
			"\t\t\tif w.requests.Get(id) != nil {", "\t\t\tif w.requests == nil {", ofStore("TestStore")...),
		replaced("a refund's key is not indexed", "P2", commitFile,
			"\t\tif r.Key != \"\" {", "\t\tif r.Key == \" \" {", ofStore("TestStore")...),
		replaced("a refund's request id is taken twice", "P2", commitFile,
			"if w.requests.Get([]byte(r.RequestID)) != nil {", "if w.requests == nil {", ofStore("TestStore")...),
		replaced("the store goes on after a failed commit", "P6", commitFile,
			"return db.fail(fmt.Errorf(\"%w: %w: %w\", ErrFailed, ErrFull, err))", "return fmt.Errorf(\"%w: %w: %w\", ErrFailed, ErrFull, err)", ofStore("TestDiskFull")...),
		replaced("a change that begins elsewhere is taken", "P6", "store/check.go",
			"case before.Version != stored.Version:", "case before.Version < 0:", ofStore("TestStore")...),
		replaced("a sale loses an attempt", "P6", "store/check.go",
			"if len(after.Attempts) < len(before) {", "if len(after.Attempts) < 0 {", ofStore("TestStore")...),
		replaced("a sale loses a refund", "P6", "store/check.go",
			"if len(c.After.Refunds) < len(before.Refunds) {", "if len(c.After.Refunds) < 0 {", ofStore("TestStore")...),
		replaced("what a register sees changes without a record", "journal", "store/check.go",
			"if c.After.Version != before.Version || c.Before.ID == \"\" {", "if c.Before.ID == \"\" {", ofStore("TestStore")...),
		replaced("records do not name the one before", "journal", journalFile,
			", Prev: prev,", ",", ofStore("TestStore")...),
		replaced("the chain is not checked", "journal", journalFile,
			"\tif r.Prev != prev {", "\tif r.Prev != prev && r.Seq != seq {", ofStore("TestStore")...),
		replaced("an altered record is believed", "journal", journalFile,
			"if sha256.Sum256(encoded) != r.Hash {", "if len(encoded) == 0 {", ofStore("TestFlippedBits")...),
		replaced("a record tells what the caller remembers", "journal", commitFile,
			"if stored != nil {\n\t\tc.Before", "if stored == nil {\n\t\tc.Before = c.After\n\t}\n\tif stored != nil {\n\t\tc.Before", ofStore("TestStore")...),
		replaced("readers see a commit before the disk has it", "P6", commitFile,
			"\tdb.durable.Lock()\n\tdefer db.durable.Unlock()\n", "", ofStore("")...),
	}
}
