package main

const (
	watchFile  = "payment/step_watch.go"
	refundFile = "payment/step_refund.go"
)

var ofRegressions = in("./internal/simulation", "TestRegressions")

// watchMutants break late money, the watch list and absence (M12, M3).
func watchMutants() []Mutant {
	return []Mutant{
		replaced("an end without proof is not watched", "M12", attemptFile,
			"if !proved {\n\t\tt.watch(a)", "if proved {\n\t\tt.watch(a)", ofStep("TestM12|TestWatch")...),
		replaced("the watch ends with its first question", "M12", watchFile,
			"if n >= len(steps) ||", "if n >= 1 ||", ofStep("TestWatch|TestM12")...),
		replaced("a crash forgets what is watched", "M12", watchFile,
			"if q := t.question(a); asked && q != \"\" && a.Watch != nil {", "if q := t.question(a); asked && q == \"none\" && a.Watch != nil {", ofStep("TestWatch|TestM12")...),
		replaced("a notified payment of an attempt that is over is dropped", "P4", outcomeFile,
			"\t\tif a.Status.Final() && tellsOfMoney(v) {", "\t\tif a.Status.Final() && a.N == 0 {", ofStep("TestM12Notified")...),
		replaced("a payment told by an answer that nobody waits for is dropped", "P4", outcomeFile,
			"a.Status.Final() && tellsOfMoney(e.Verdict)", "a.Status.Final() && a.N == 0", ofStep("TestM12Answered")...),
		replaced("money that nobody looks for any more is told as given back", "M12", watchFile,
			"if unconfirmed(t, a) { // nobody", "if a.N == 0 { // nobody", ofStep("TestM12CaptureThat")...),
		replaced("a capture seen once long ago is told although there was none", "M12", watchFile,
			"(c.Kept == \"\" || c.Kept == KeptUnconfirmed)", "c.Kept == \"\"", ofStep("TestM12CaptureThat")...),
		replaced("an unanswered watch question counts", "M12", watchFile,
			"\tcase !v.Class.Verified(), v.Class == ClassRetryLater, v.Class == ClassRefused:\n\t\tt.watchAgain(a)\n", "", ofStep("TestWatch|TestM12")...),
		replaced("late money is reversed though nobody wanted the cancel", "M12", attemptFile,
			"if s.Late && s.CancelWanted &&", "if s.Late &&", ofStep("TestM12")...),
		replaced("late money is kept though the cancel was wanted", "M12", attemptFile,
			"if s.Late && s.CancelWanted &&", "if s.Late && s.CancelWanted && s.Mode == \"\" &&", ofStep("TestM12")...),
		replaced("a watched capture is reversed after one look", "M12", watchFile,
			"\t\tt.firstSighting(a, v)\n\t\treturn\n\t}\n\tc := *a.Capture", "\t\ta.Capture = &Capture{FoundAt: t.now, Amount: v.Amount, PaymentID: a.PaymentID}\n\t}\n\tc := *a.Capture", ofStep("TestM12")...),
		replaced("late money is reversed after one look", "M12", attemptFile,
			"\t\ta.Watch = &Watch{From: t.now}\n\t\tt.firstSighting(a, v)\n", "\t\tt.startRefund(a, v.Amount, false).Automatic = true\n", ofStep("TestM12")...),
		replaced("a capture is reversed twice", "M12", watchFile,
			"if t.reversal(a) != nil {\n\t\tt.nextWatch(a)\n\t\treturn", "if t.reversal(a) != nil && a.Watch == nil {\n\t\tt.nextWatch(a)\n\t\treturn", ofStep("TestM12")...),
		replaced("a capture is forgotten when the gateway says otherwise once", "M12", watchFile,
			"case unconfirmed(t, a) && a.Polls < len(t.policy.Slow):", "case unconfirmed(t, a) && a.Polls < 0:", ofStep("TestM12|TestWatch")...),
		replaced("reversals beyond the day's limit", "M12", watchFile,
			"case !mayReverse:", "case !mayReverse && c.Sightings < 0:", ofStep("TestM12")...),
		replaced("reversals against the policy", "M12", watchFile,
			"case !t.policy.ReverseLateCaptures || ", "case ", ofStep("TestM12")...),
		replaced("a wrong amount is reversed", "M12", watchFile,
			"\t\ta.Capture = wrongCapture(a, v, t.now)\n\t\tt.nextWatch(a)\n",
			"\t\ta.Capture = wrongCapture(a, v, t.now)\n\t\tt.startRefund(a, v.Amount, false).Automatic = true\n\t\tt.nextWatch(a)\n", ofStep("TestM12")...),
		replaced("a reversal that found no balance is given up", "M12", refundFile,
			"if r.Automatic && v.Reason == ReasonNotEnoughBalance {", "if r.Automatic && v.Reason == \"\" {", ofStep("TestM12")...),

		replaced("a watch keeps the time of a clock that was set back", "M12", watchFile,
			"a.Watch = &Watch{Step: a.Watch.Step, From: t.now}\n\t\tt.planWatch(a)", "a.Watch = &Watch{Step: a.Watch.Step, From: a.Watch.From}", ofTerminal("TestFarWatches")...),
		removed("an absence keeps the time of a clock that was set back", "absence", recoveredFile,
			"\t\tclamp(&a.SentAt, 0)\n", ofRegressions...),

		replaced("absent after one search", "absence", outcomeFile,
			"return seen.Passes >= 2 &&", "return seen.Passes >= 1 &&", ofStep("TestAbsence")...),
		replaced("absent although the gateway said paid", "absence", outcomeFile,
			"if a.AlreadyPaid || a.PaymentID", "if a.PaymentID", ofStep("TestAbsence|TestAlreadyPaid")...),
		replaced("absent while the list may be behind", "absence", outcomeFile,
			"return seen.Passes >= 2 && (seen.Newest.After(over) || !seen.At.Before(over.Add(t.policy.AbsenceAfter)))", "return seen.Passes >= 2 && !over.IsZero()", ofStep("TestAbsence")...),
		replaced("absent though the order may still be paid", "absence", outcomeFile,
			"over := seen.Since.Add(t.traits(a).OrderLife)", "over := seen.Since", ofStep("TestAbsence")...),
		replaced("absent by a search that was not complete", "absence", outcomeFile,
			"if v.Search == nil {\n\t\treturn false\n\t}", "if v.Search == nil {\n\t\tv.Search = &Search{At: t.now, Newest: t.now}\n\t}", ofStep("TestAbsence")...),
		replaced("a search that found something is forgotten", "absence", outcomeFile,
			"\t\ta.Absence = nil\n", "\t\t_ = a.Absence\n", ofStep("TestAbsence")...),
		replaced("absent without the cancel saying so", "absence", outcomeFile,
			"return a.Absence != nil // the cancel", "return t.pastAbsence(a) // the cancel", ofStep("TestAbsence")...),
		replaced("absent at once by the cancel's word", "absence", outcomeFile,
			"if t.traits(a).InquireByRequestID && t.pastAbsence(a) {", "if t.traits(a).InquireByRequestID {", ofStep("TestAbsence")...),
	}
}

// returnedMutants break what is told of money that others gave back, and refunds
// of other terminals' payments (M13).
func returnedMutants() []Mutant {
	const file = "payment/step_returned.go"
	return []Mutant{
		removed("what the portal gave back is not told", "portal", file,
			"\tt.returned(a, v.Returned, v.Amount) // first: what was given back is not reversed\n", ofStep("TestReturned")...),
		replaced("our own refund counts as the portal's", "portal", file,
			"ours < paid.Amount && !a.returnedInFull()", "!a.returnedInFull()", ofStep("TestReturned")...),
		replaced("our own part counts as the portal's", "portal", file,
			"ours == 0 && a.Returned == nil", "a.Returned == nil", ofStep("TestReturned")...),
		replaced("a check of a paid sale asks nothing", "portal", file,
			"return a.Status == AttemptPaid || ", "return ", ofStep("TestReturned")...),
		replaced("what the portal gave back is refunded again", "M13", "payment/refund.go",
			"if a := s.Attempt(attempt); a != nil && a.returnedInFull() {", "if a := s.Attempt(attempt); a != nil && a.N < 0 {", ofStep("TestM1[23]Returned")...),
		replaced("a part that the portal gave back counts as all", "portal", "payment/refund.go",
			"a.Returned != nil && a.Returned.Extent == ReturnedInFull", "a.Returned != nil", ofStep("TestReturned")...),
		replaced("late money that the portal gave back is reversed", "M12", file,
			"\tt.returned(a, v.Returned, v.Amount) // first: what was given back is not reversed\n\tif a.Watch != nil {\n\t\tt.watchOutcome(a, v, mayReverse)\n\t}\n",
			"\tif a.Watch != nil {\n\t\tt.watchOutcome(a, v, mayReverse)\n\t}\n\tt.returned(a, v.Returned, v.Amount)\n", ofStep("TestM12Returned")...),
		replaced("a reversal that waits for a refund does not say so", "M12", watchFile,
			"\t\tc.Kept = KeptByRefund\n", "", ofStep("TestM12Reversal")...),
		replaced("a refund that is given up does not say so", "M13", refundFile,
			"\t\tr.Reason = ReasonRefundUnproved\n", "", ofStep("TestM13Unproved")...),
		replaced("AlphaPay's FULL_REFUND is a part", "portal", "payment/alphapay/answer.go",
			"\"FULL_REFUND\": payment.ReturnedInFull", "\"FULL_REFUND\": payment.ReturnedInPart", in("./payment/alphapay", "TestInquir|TestJudge|TestReturned")...),

		replaced("another terminal's payment without proof is refunded", "M13", "payment/step_elsewhere.go",
			"v.Class != ClassPaid || v.PaymentID != e.PaymentID", "v.PaymentID != e.PaymentID", ofStep("TestElsewhere")...),
		replaced("another payment's proof counts for another terminal's", "P4", "payment/step_elsewhere.go",
			"v.PaymentID != e.PaymentID || ", "", ofStep("TestElsewhere")...),
		replaced("another terminal's payment that was given back is refunded", "M13", "payment/step_elsewhere.go",
			"case v.Returned == ReturnedInFull:", "case v.Returned == \"\" && v.Class == \"\":", ofStep("TestElsewhere")...),
		replaced("another terminal's payment is told as paid here", "P4", "payment/event.go",
			"if before.ID == \"\" && after.Elsewhere() {", "if before.ID != \"\" && after.Elsewhere() {", ofStep("TestElsewhere")...),
		replaced("a refund elsewhere is recorded though it is too high", "M13", "terminal/engine_elsewhere.go",
			"if _, _, err := payment.Step(change.After, try, e.turn.now, e.policy); err != nil {", "if _, _, err := payment.Step(change.After, try, e.turn.now, e.policy); err != nil && in.ID == \"\" {", ofTerminal("TestRefundElsewhere")...),
		replaced("a payment gets a second record with its second refund", "M13", "terminal/engine_elsewhere.go",
			"if s, known, err := e.byRequest(v.RequestID); known || err != nil {", "if s, known, err := e.byRequest(v.RequestID); known && s.ID == \"\" || err != nil {", ofTerminal("TestM13RefundElsewhere|TestRefundElsewhere")...),
		replaced("a repeated refund elsewhere begins again", "M13", "terminal/engine_elsewhere.go",
			"\tif reply, known, err := e.replayedElsewhere(in.Request); known || err != nil { // asked twice at a time\n\t\treturn reply, err\n\t}\n", "", ofTerminal("TestRefundElsewhereRepeated")...),
		replaced("inquiries before refunds elsewhere take no slot", "P10", "terminal/engine_elsewhere.go",
			"case e.room(g) > 0:", "case e.room(g) > -99:", ofTerminal("TestRefundElsewhereIsBounded")...),
		replaced("a refund elsewhere of another currency", "M13", "terminal/engine_elsewhere.go",
			"case in.Currency != \"\" && v.Amount.Currency != in.Currency:", "case in.Currency != \"\" && v.Amount.Currency == \"\":", ofTerminal("TestRefundElsewhereRefused")...),
	}
}

// refundMutants break refunds (M13).
func refundMutants() []Mutant {
	return []Mutant{
		replaced("a refund above what was paid", "M13", refundFile,
			"if amount < 1 || amount > most {", "if amount < 1 {", ofStep("TestM13")...),
		replaced("refunds that were made are forgotten", "M13", "payment/refund.go",
			"s.Receipt.PaidAmount.Amount-s.given(s.paidAttempt()))", "s.Receipt.PaidAmount.Amount-0*s.given(s.paidAttempt()))", ofStep("TestM13")...),
		replaced("a second refund while one is open", "M13", refundFile,
			"\t\tif !r.Status.Final() {\n\t\t\treturn conflict", "\t\tif r.Status == \"\" {\n\t\t\treturn conflict", ofStep("TestM13")...),
		replaced("a partial refund with a lost answer is sent again", "M13", refundFile,
			"r.RefundID == \"\" && t.whole(r):", "r.RefundID == \"\":", ofStep("TestM13")...),
		replaced("a second part counts as the whole", "M13", refundFile,
			"if r.Amount != t.sale.Amount {\n\t\treturn false\n\t}", "if r.Amount != t.sale.Amount && r.N < 2 {\n\t\treturn false\n\t}", ofStep("TestM13")...),
		replaced("a refund's lost answer is forgotten", "M13", refundFile,
			"if kind == CallRefund && !settlesSend(v.Class) {\n\t\tr.Doubted = true", "if kind == CallRefund && !settlesSend(v.Class) {\n\t\tr.Doubted = false", ofStep("TestM13")...),
		replaced("a crash while refunding is forgotten", "M13", watchFile,
			"if r.Call != nil && r.Call.Kind == CallRefund {\n\t\tr.Doubted = true\n", "if r.Call != nil && r.Call.Kind == CallRefund {\n\t\tr.Doubted = false\n", ofStep("TestM13")...),
		replaced("a refund's F after a lost answer counts", "M13", refundFile,
			"if kind == CallRefund && r.Doubted && !t.refundTraits(r).IdempotentRefund {", "if kind == \"\" {", ofStep("TestM13")...),
		replaced("a refund refused after a lost answer counts", "M13", refundFile,
			"if kind != CallRefund || r.Doubted {", "if kind != CallRefund {", ofStep("TestM13")...),
		replaced("a refund that was taken is done", "M13", refundFile,
			"\tcase ClassAccepted, ClassPending:\n\t\tr.Status = RefundPending\n", "\tcase ClassAccepted, ClassPending:\n\t\tt.endRefund(r, RefundSucceeded)\n\t\treturn true\n", ofStep("TestM13")...),
		replaced("nothing left to refund counts as this refund", "M13", refundFile,
			"if r.Doubted || r.Automatic {", "if r.N > 0 {", ofStep("TestM13")...),
		replaced("an answer about another refund is believed", "P4", refundFile,
			"if foreign || unproved {", "if unproved && !foreign {", ofStep("TestM13")...),
		replaced("a refund of another amount is believed", "P4", refundFile,
			"if foreign || unproved {", "if foreign && !unproved {", ofStep("TestM13")...),
		replaced("an outcome of an older refund call is taken", "M1", refundFile,
			"if r.Call == nil || r.Call.Seq != e.Seq || r.Status.Final() {", "if r.Call == nil || r.Status.Final() {", ofStep("TestM13|TestStale")...),
		replaced("a refund's request id is an attempt's", "M13", refundFile,
			"fmt.Sprintf(\"%s-%d\", s.ID, MaxAttempts+n)", "fmt.Sprintf(\"%s-%d\", s.ID, n)", ofStep("TestM13")...),
	}
}
