package main

const (
	stepFile      = "payment/step.go"
	dueFile       = "payment/step_due.go"
	recoveredFile = "payment/step_recovered.go"
	attemptFile   = "payment/step_attempt.go"
	outcomeFile   = "payment/step_outcome.go"
	planFile      = "payment/step_plan.go"
)

// attemptMutants break what ends an attempt (M2, M3, M4, M6, M7, M15, P4).
func attemptMutants() []Mutant { //nolint:funlen // a table
	return []Mutant{
		replaced("not found is trusted", "M3", outcomeFile,
			"if t.absent(a, v) {", "if !a.AlreadyPaid {", ofStep("TestM3")...),
		replaced("silence fails the attempt", "M3", outcomeFile,
			"\tcase ClassRefused, ClassNotSent:\n", "\tcase ClassRefused, ClassNotSent, ClassNoAnswer:\n", ofStep("TestM3")...),
		replaced("a refused inquiry fails the attempt", "M3", outcomeFile,
			"\tcase ClassFailed, ClassClosed:\n\t\tif t.maybeSecond(a) {",
			"\tcase ClassFailed, ClassClosed, ClassRefused:\n\t\tif t.maybeSecond(a) {", ofStep("TestM3")...),
		replaced("already paid is paid", "M3", outcomeFile,
			"case ClassPaid:\n\t\tif t.reversible(a) {\n\t\t\treturn false\n\t\t}",
			"case ClassPaid, ClassAlreadyPaid:\n\t\tif t.reversible(a) {\n\t\t\treturn false\n\t\t}", ofStep("TestM3|TestAlreadyPaid")...),
		replaced("an F to a second send counts", "M4", outcomeFile,
			"speaksOfFirst := a.Sends == 1 ||", "speaksOfFirst := a.Sends > 0 ||", ofStep("TestM4")...),
		replaced("refused after a second send counts", "M4", outcomeFile,
			"if a.Sends > 1 {\n\t\t\treturn false", "if a.Sends > 1 && v.Class != ClassRefused {\n\t\t\treturn false", ofStep("TestM4")...),
		replaced("not sent at the second send counts", "M6", outcomeFile,
			"if a.Sends > 1 {\n\t\t\treturn false", "if a.Sends > 1 && v.Class != ClassNotSent {\n\t\t\treturn false", ofStep("TestM6")...),
		replaced("not sent is taken as silence", "M6", outcomeFile,
			"\tcase ClassRefused, ClassNotSent:\n\t\tif a.Sends > 1 {", "\tcase ClassRefused:\n\t\tif a.Sends > 1 {", ofStep("TestM6")...),
		replaced("an id from a second send proves failure", "M4", outcomeFile,
			"a.IDFromResend = a.Instrument == InstrumentCode && a.Sends > 1 &&",
			"a.IDFromResend = a.Instrument == InstrumentCode && a.Sends > 9 &&", ofStep("TestM4")...),
		replaced("a listed failure without an id counts after two sends", "M4", outcomeFile,
			"return a.IDFromResend ||\n\t\ta.PaymentID == \"\" && a.Instrument == InstrumentCode && a.Sends > 1 &&",
			"return a.IDFromResend ||\n\t\ta.PaymentID == \"\" && a.Instrument == InstrumentCode && a.Sends > 9 &&", ofStep("TestM4")...),
		replaced("an unlisted failure needs no second opinion", "M4", outcomeFile,
			"if !v.Documented && a.PaymentID != \"\" {", "if !v.Documented && a.PaymentID == \"none\" {", ofStep("TestM4")...),
		replaced("a second send while the order can be asked about", "M4", planFile,
			"useful = useful && a.IDFromResend // that id may be disproved",
			"kind, when = CallPay, resend", ofStep("TestM7|TestM4")...),

		{
			Name: "the amount is not checked", Rule: "P4",
			Edits: []Edit{
				{File: outcomeFile, Old: "wrongSum := v.Amount != (Money{}) && v.Amount != t.sale.Amount", New: "wrongSum := false"},
				{File: outcomeFile, Old: `(v.RequestID == "" || v.Amount != t.sale.Amount)`, New: `v.RequestID == ""`},
			},
			Tests: ofStep("TestM3Foreign"),
		},
		replaced("the currency is not checked", "P4", outcomeFile,
			"wrongSum := v.Amount != (Money{}) && v.Amount != t.sale.Amount\n\tunproved := v.Class == ClassPaid && (v.RequestID == \"\" || v.Amount != t.sale.Amount)",
			"wrongSum := v.Amount != (Money{}) && v.Amount.Amount != t.sale.Amount.Amount\n\tunproved := v.Class == ClassPaid && v.RequestID == \"\"", ofStep("TestM3Foreign")...),
		replaced("the request id is not checked", "P4", outcomeFile,
			`foreign := v.RequestID != "" && v.RequestID != a.RequestID ||`, "foreign :=", ofStep("TestM3Foreign")...),
		replaced("the payment id is not checked", "P4", outcomeFile,
			"v.PaymentID != a.PaymentID && !a.IDDisproved", "v.PaymentID == a.PaymentID+a.RequestID", ofStep("TestM3Foreign")...),
		replaced("paid without naming the order is believed", "P4", outcomeFile,
			`(v.RequestID == "" || v.Amount != t.sale.Amount)`, `v.Amount != t.sale.Amount`, ofStep("TestM3Foreign")...),
		replaced("an amount unlike the sale's is not reported", "M12", outcomeFile,
			"a.Capture = wrongCapture(a, v, t.now)", "_ = wrongCapture(a, v, t.now)", ofStep("TestM12")...),

		replaced("a second attempt while one is live", "M2", stepFile,
			"\tif a == nil {\n\t\treturn t.start(InstrumentCode", "\tif a == nil || a.Instrument == InstrumentQR {\n\t\treturn t.start(InstrumentCode", ofStep("TestM2")...),
		replaced("an outcome of an older call is taken", "M1", outcomeFile,
			"if a.Call == nil || a.Call.Seq != e.Seq {", "if a.Call == nil {", ofStep("TestStale")...),
		replaced("a crash leaves a request that may be out as not sent", "M1", recoveredFile,
			"\tif a.Status == AttemptSubmitting {\n\t\ta.Status = AttemptUnknown\n\t}\n\tif t.policy.InquireOnly",
			"\tif a.Status == AttemptSubmitting {\n\t\tt.end(a, AttemptFailed, Failure{Reason: ReasonGatewayUnreachable}, true)\n\t\treturn\n\t}\n\tif t.policy.InquireOnly",
			ofStep("TestM1|TestEveryStatusRecovers")...),

		removed("the code stays when the order is pending", "M7", outcomeFile,
			"\tt.wipeCode(a) // the order can be asked about: no second send (M7)\n", ofStep("TestM7")...),
		replaced("the code stays at 60 s", "M7", dueFile,
			"t.wipeCode(a)\n\t\t\tif a.Call == nil {", "if a.Call == nil {", ofStep("TestM7")...),
		replaced("the code stays when the attempt ends", "M7", attemptFile,
			"t.wipeCode(a)\n\tif !proved {", "if !proved {", ofStep("TestM7")...),
		replaced("the code stays when it is paid", "M7", attemptFile,
			"t.wipeCode(a)\n\tif a.IDDisproved && v.PaymentID != a.PaymentID { // proved", "if a.IDDisproved && v.PaymentID != a.PaymentID { // proved", ofStep("TestM7")...),
		removed("the code stays when the sale is cancelled", "M7", attemptFile,
			"t.wipeCode(a) // no second send any more", ofStep("TestM7")...),

		replaced("failed after the last poll", "M3", attemptFile,
			"\tt.unresolved(a)\n}\n\n// unresolved frees",
			"\tt.end(a, AttemptFailed, Failure{Reason: ReasonNotPaidInTime}, true)\n}\n\n// unresolved frees", ofStep("TestM3|TestM14|TestM15")...),
		replaced("given up is closed", "M3", planFile,
			"\t\tt.planCall(a, \"\", time.Time{}) // a person's now",
			"\t\tt.end(a, AttemptClosed, Failure{Reason: ReasonNotPaidInTime}, true)", ofStep("TestSlowPhase")...),
		replaced("the fast phase never ends", "M15", planFile,
			"\tif t.reached(a.FastUntil) {\n\t\tt.fastPhaseOver(a)\n\t\treturn\n\t}\n", "", ofStep("TestM15|TestM14")...),
		replaced("a clock set back holds the counter", "M15", recoveredFile,
			"if latest := t.now.Add(most); at.After(latest) {", "if latest := t.now.Add(most); at.Equal(latest) {", ofStep("TestClock")...),
	}
}

// cancelMutants break cancelling against paying (M5, M15).
func cancelMutants() []Mutant {
	return []Mutant{
		replaced("paid after a cancel that reverses", "M5", outcomeFile,
			"if t.reversible(a) {\n\t\t\treturn false // a cancel", "if false {\n\t\t\treturn false // a cancel", ofStep("TestM5")...),
		replaced("a pay answer makes it paid after a cancel that reverses", "M5", outcomeFile,
			"\tcase ClassPaid:\n\t\tif t.reversible(a) {\n\t\t\treturn false\n\t\t}", "\tcase ClassPaid:", ofStep("TestM5")...),
		replaced("a cancel accepted is closed, without asking", "M5", outcomeFile,
			"if t.traits(a).CancelReverses {\n\t\t\tt.end(", "if a.Cancels > 0 {\n\t\t\tt.end(", ofStep("TestM5")...),
		replaced("no inquiry before the first cancel", "M5", attemptFile,
			"if q := t.question(a); q != \"\" {\n\t\t\tt.call(a, q)",
			"if q := t.question(a); q != \"\" {\n\t\t\tif t.addressable(a) {\n\t\t\t\tq = CallCancel\n\t\t\t}\n\t\t\tt.call(a, q)", ofStep("TestM5")...),
		replaced("a cancel that found it paid is closed", "M5", outcomeFile,
			"\tcase ClassAlreadyPaid, ClassClosed:\n\t\tt.call(a, CallInquire)",
			"\tcase ClassAlreadyPaid, ClassClosed:\n\t\tt.end(a, AttemptClosed, Failure{Reason: ReasonCancelled}, true)", ofStep("TestM5")...),
		replaced("a cancel that reverses is sent once only", "M5", planFile,
			"\tcase a.Cancels > 0 && t.reversible(a):\n\t\tt.planCall(a, CallCancel, t.nextCancelAt(a))\n", "", ofStep("TestM5")...),
		replaced("a time-out of ours is the register's cancel", "M12", attemptFile,
			"\ts.Status = SaleCancelling\n\ts.CancelUntil = t.now.Add(t.policy.CancelBound)\n\tt.beginCancelling",
			"\ts.CancelWanted = true\n\ts.Status = SaleCancelling\n\ts.CancelUntil = t.now.Add(t.policy.CancelBound)\n\tt.beginCancelling", ofStep("TestM12|TestM5|TestM8|TestM15")...),
		replaced("a cancel without an answer is taken as closed", "M3", dueFile,
			"\tcase SaleCancelling:\n\t\tif t.reached(s.CancelUntil) {\n\t\t\tt.unresolved(a)",
			"\tcase SaleCancelling:\n\t\tif t.reached(s.CancelUntil) {\n\t\t\tt.end(a, AttemptClosed, Failure{Reason: ReasonCancelled}, true)", ofStep("TestM15|TestM5")...),
		replaced("a cancel without an answer holds the terminal", "M15", dueFile,
			"\tcase SaleCancelling:\n\t\tif t.reached(s.CancelUntil) {", "\tcase SaleCancelling:\n\t\tif t.reached(s.CancelUntil.Add(time.Hour)) {", ofStep("TestM15")...),
		replaced("the pending order of an unresolved sale stays payable", "M5", outcomeFile,
			" || s.Status == SaleUnresolved", "", ofStep("TestM5|TestM15")...),
		replaced("a new customer's code goes out before the QR is closed", "M2", stepFile,
			"\tt.beginCancelling(a)\n\treturn nil", "\tt.end(a, AttemptClosed, Failure{Reason: ReasonCancelled}, false)\n\treturn nil", ofStep("TestM2")...),
	}
}

// qrMutants break what is shown to the customer (M8, M9).
func qrMutants() []Mutant {
	return []Mutant{
		replaced("the QR is shown while it is being cancelled", "M8", "payment/sale.go",
			"a != nil && s.Status == SaleShowingQR && a.Status == AttemptPending", "a != nil", ofStep("TestM8")...),
		replaced("the QR stays until the gateway's expiry", "M8", attemptFile,
			"a.ExpiresAt.Add(-t.policy.QRMargin)", "a.ExpiresAt", ofStep("TestM8")...),
		replaced("an expiry read once more is news each time", "M8", outcomeFile,
			".Abs() > expiryNoise", ".Abs() > 0", ofStep("TestM8")...),
		replaced("another expiry is not believed", "M8", outcomeFile,
			".Abs() > expiryNoise", ".Abs() > time.Hour", ofStep("TestM8")...),
		replaced("an expired QR is taken as unpaid", "M8", dueFile,
			"\t\t\tt.cancelAttempt()\n\t\t\treturn\n\t\t}\n\t\tt.startNext(a)\n\tcase SaleProcessing:",
			"\t\t\tt.end(a, AttemptClosed, Failure{Reason: ReasonNotPaidInTime}, false)\n\t\t\treturn\n\t\t}\n\t\tt.startNext(a)\n\tcase SaleProcessing:", ofStep("TestM8")...),
		replaced("a QR that was seen is dropped without asking", "M8", attemptFile,
			"return a.Instrument == InstrumentQR && a.QR == nil && a.Status == AttemptUnknown &&\n\t\t!t.addressable(a) && !a.AlreadyPaid",
			"return a.Instrument == InstrumentQR", ofStep("TestM8")...),
		replaced("a QR that was paid is dropped", "M8", attemptFile,
			"!t.addressable(a) && !a.AlreadyPaid", "!t.addressable(a)", ofStep("TestM8")...),
		replaced("a QR that comes after its cancel is shown", "M8", outcomeFile,
			"a.Instrument == InstrumentQR && t.sale.Status == SaleShowingQR {\n\t\ta.QR = v.QR", "a.Instrument == InstrumentQR {\n\t\ta.QR = v.QR", ofStep("TestM8")...),
		replaced("a lost QR is never asked for again", "M8", planFile,
			"case a.Sends < 2 && !deadline && resend.After(t.now):\n\t\t\tt.planCall(a, CallPay, resend)\n\t\tcase a.Sends < 2 && !deadline:\n\t\t\tt.planCall(a, CallPay, t.now)\n", "\t\tcase a.Sends < 1 && !deadline:\n\t\t\tt.planCall(a, CallPay, resend)\n", ofStep("TestM8")...),
		replaced("QRs without end", "M9", attemptFile,
			"s.Mode == ModeAuto && !s.AutoQRDone && routed", "s.Mode == ModeAuto && routed", ofStep("TestM9")...),
		removed("a lost scanner brings no QR", "M9", stepFile,
			"\t\t_ = t.startQR() // autoQRPossible holds everything that startQR refuses\n", ofStep("TestM9")...),
	}
}

// saleMutants break what holds for the sale as a whole.
func saleMutants() []Mutant {
	return []Mutant{
		replaced("a scan from before the arming counts", "P7", stepFile,
			"if e.Arming != 0 && e.Arming != s.ArmingToken() {", "if e.Arming == 1 {", ofStep("TestM10")...),
		replaced("every arming has the same token", "P7", "payment/sale.go",
			"\th.Write([]byte(strconv.Itoa(s.Armings)))\n", "\th.Write([]byte(strconv.Itoa(1)))\n", ofStep("TestM10")...),
		replaced("the version is not raised", "journal", stepFile,
			"s.Version++", "s.Version += 0", ofStep("TestFolded|TestEveryStatus")...),
		replaced("a change that the register sees has no record", "journal", stepFile,
			"!sameView(before.View(), s.View()) {", "before.Version < 0 {", ofStep("TestFolded")...),
		{
			Name: "jitter is drawn anew", Rule: "replay",
			Edits: []Edit{
				{File: "payment/policy.go", Old: "import (\n\t\"hash/fnv\"\n", New: "import (\n\t\"hash/fnv\"\n\t\"math/rand/v2\"\n"},
				{File: "payment/policy.go", Old: "float64(h.Sum64()%2001)/1000 - 1", New: "2*rand.Float64() - 1"},
			},
			Tests: ofStep("TestSlowPhase"),
		},
		replaced("a sale has attempts without end", "M2", attemptFile,
			"if len(s.Attempts) >= MaxAttempts {", "if len(s.Attempts) > 10*MaxAttempts {", ofStep("TestAttemptsAreLimited")...),
		replaced("a late payment is not flagged", "M12", attemptFile,
			"s.Late = s.Status == SaleUnresolved\n\tif s.Late && s.CancelWanted", "if s.Status == SaleUnresolved && s.CancelWanted", ofStep("TestM12|TestM14|TestSlowPhase")...),
		removed("a cancel of an unresolved sale is forgotten", "M11", stepFile,
			"\t\t\ts.CancelWanted = true\n\t\t\tt.hasten(a)\n", ofStep("TestM11")...),
		replaced("a sale that a person called paid is not looked after", "P3", stepFile,
			"\ta.Reason = ReasonOverridden\n\tt.watch(a)\n", "\ta.Reason = ReasonOverridden\n", ofStep("TestOverride")...),
		replaced("an override is not kept", "P3", stepFile,
			"s.Override = &Override{", "_ = &Override{", ofStep("TestOverride")...),
		replaced("a check sends pay again", "M4", stepFile,
			"if a.Next == CallPay || a.Next == \"\" {", "if a.Next == \"\" {", ofStep("TestCheck")...),
	}
}
