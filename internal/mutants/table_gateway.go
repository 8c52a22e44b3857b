package main

const (
	alphapay   = "payment/alphapay/"
	exchanging = "payment/exchange/"
)

func ofAlphaPay(run string) []Test { return in("./payment/alphapay", run) }

// answerMutants break what AlphaPay's answers are taken to mean (P4, M3, M13).
func answerMutants() []Mutant {
	const file, codes = alphapay + "answer.go", alphapay + "codes.go"
	return []Mutant{
		replaced("the gateway's amount is not compared", "P4", file,
			"q.kind == payment.CallPay && amount != q.amount {", "q.kind == payment.CallPay && amount.Currency == \"\" {", ofAlphaPay("TestPayAnswers")...),
		replaced("the gateway's request id is not compared", "P4", file,
			"case a.RequestID != \"\" && string(a.RequestID) != q.requestID && !q.elsewhere:", "case a.RequestID != \"\" && q.requestID == \"\":", ofAlphaPay("TestPayAnswers|TestInquiryAnswers")...),
		replaced("the gateway's payment id is not compared", "P4", file,
			"case a.PaymentID != \"\" && q.paymentID != \"\" && string(a.PaymentID) != q.paymentID:", "case a.PaymentID != \"\" && q.paymentID == \"-\":", ofAlphaPay("TestInquiryAnswers|TestCancelAnswers")...),
		replaced("a name given twice is accepted", "P4", exchanging+"answer.go",
			"err := json.Unmarshal(body, &decoded)\n", "err := json.Unmarshal(body, &decoded, jsontext.AllowDuplicateNames(true))\n", ofAlphaPay("TestNoAnswer|TestInquiryAnswers")...),
		replaced("a pay that succeeded is paid", "M3", file,
			"v.Class = payment.ClassAccepted\n\t\t}\n\t\treturn nil", "v.Class = payment.ClassPaid\n\t\t}\n\t\treturn nil", ofAlphaPay("TestPayAnswers")...),
		replaced("an unknown payment status is failed", "M3", file,
			"\tdefault:\n\t\tv.Class = payment.ClassPending\n\t\tv.Documented = a.Status == codeInProcess",
			"\tdefault:\n\t\tv.Class = payment.ClassFailed\n\t\tv.Documented = a.Status == codeInProcess", ofAlphaPay("TestUnknownStatus|TestInquiryAnswers")...),
		replaced("a cancel that names no order is believed", "P4", file,
			"if v.RequestID == \"\" && v.PaymentID == \"\" {\n\t\t\treturn v, errors.New(\"the answer does not say which", "if v.RequestID == \"-\" {\n\t\t\treturn v, errors.New(\"the answer does not say which", ofAlphaPay("TestCancelAnswers")...),
		replaced("an inquiry that names no order is believed", "P4", file,
			"if v.RequestID == \"\" || v.PaymentID == \"\" {\n\t\treturn errors.New(\"the inquiry", "if v.RequestID == \"-\" {\n\t\treturn errors.New(\"the inquiry", ofAlphaPay("TestInquiryAnswers")...),
		replaced("a closed order is waiting", "M5", file,
			"case \"CLOSED\":", "case \"-\":", ofAlphaPay("TestInquiryAnswers")...),
		replaced("an unlisted code in an inquiry's answer is a failure", "M3", codes,
			"return gatewayError, false // only", "return meaning{payment.ClassFailed, payment.ReasonDeclined}, false // only", ofAlphaPay("TestUndocumentedCodes")...),
		replaced("a system error is a failure", "M3", codes,
			"codeSystemError:             {gatewayError,", "codeSystemError:             {requestRefused,", ofAlphaPay("TestEveryDocumented")...),
		replaced("U is F", "M3", codes,
			"if m.class != payment.ClassPending && kind != payment.CallProbe {", "if m.class == \"\" {", ofAlphaPay("TestEveryDocumented|TestUnknownStatus")...),
		replaced("status and code that contradict each other are believed", "M3", codes,
			"case code == codeSuccess || code == codeInProcess || !listed:", "case code != \"\":", ofAlphaPay("TestCodesThatContradict")...),
		replaced("a probe proves a wrong signature", "M14", codes,
			"badSignature, badSignature},", "badSignature, proven},", ofAlphaPay("TestEveryDocumented|TestProbe")...),
		replaced("a refund that the gateway took is done", "M13", alphapay+"refund.go",
			"v.Class = payment.ClassAccepted // S says", "v.Class = payment.ClassRefunded // S says", ofAlphaPay("TestRefundAnswers")...),
		replaced("an unknown refund status is failed", "M13", alphapay+"refund.go",
			"\tdefault:\n\t\tv.Class = payment.ClassPending\n", "\tdefault:\n\t\tv.Class = payment.ClassFailed\n", ofAlphaPay("TestRefundInquiryAnswers")...),
		replaced("an answer about another refund is believed by the gateway", "P4", alphapay+"refund.go",
			"case a.RefundRequestID != \"\" && string(a.RefundRequestID) != q.requestID:", "case a.RefundRequestID != \"\" && q.requestID == \"\":", ofAlphaPay("TestRefund")...),
		replaced("a refund above its payment leaves", "M13", alphapay+"refund.go",
			" || refund.Amount.Amount > paid.Amount):", "):", ofAlphaPay("TestPrepareRefusesRefunds")...),
	}
}

// transportMutants break how a call goes out and how its answer is believed (M6, M7, P4).
func transportMutants() []Mutant {
	const file, message, prepare = exchanging + "transport.go", exchanging + "message.go", alphapay + "prepare.go"
	return []Mutant{
		replaced("the signature is not checked", "P4", message,
			"header.Get(\"Signature\")); err != nil {", "header.Get(\"Signature\")); err != nil && len(body) == 0 {", ofAlphaPay("TestNoAnswer")...),
		replaced("an answer without time or nonce is believed", "P4", message,
			"len(values) != 1 || values[0] == \"\" {", "len(values) > 1 {", ofAlphaPay("TestNoAnswer")...),
		replaced("the answer's time is not in what was signed", "P4", message,
			"c.config.Account, sent, header.Get(\"Nonce\"), body)", "c.config.Account, \"\", header.Get(\"Nonce\"), body)", ofAlphaPay("TestPayAnswers")...),
		replaced("the answer's nonce is not in what was signed", "P4", message,
			"c.config.Account, sent, header.Get(\"Nonce\"), body)", "c.config.Account, sent, \"\", body)", ofAlphaPay("TestPayAnswers")...),
		replaced("an HTTP error's body is believed", "P4", file,
			"case response.StatusCode != http.StatusOK:", "case response.StatusCode == http.StatusNoContent:", ofAlphaPay("TestNoAnswer")...),
		replaced("an answer that was cut is believed", "P4", file,
			"if err != nil {\n\t\treturn nil, nil, noAnswer(payment.ReasonNoAnswer, \"the answer was cut", "if err != nil && len(body) == 0 {\n\t\treturn nil, nil, noAnswer(payment.ReasonNoAnswer, \"the answer was cut", ofAlphaPay("TestNoAnswer")...), //nolint:dupword // source text
		replaced("silence is taken as not sent", "M6", file,
			"if err != nil && !connected {", "if err != nil && (connected || !connected) {", ofAlphaPay("TestNotSent|TestAnswerTimeout|TestNeverSentTwice")...),
		replaced("a connection that failed is taken as silence", "M6", file,
			"if err != nil && !connected {", "if err != nil && !connected && m == nil {", ofAlphaPay("TestNotSent")...),
		replaced("pay rides a connection idle for a minute", "M6", file,
			"maxIdle = 10 * time.Second", "maxIdle = 60 * time.Second", ofAlphaPay("TestIdleConnections")...),
		replaced("pay can be rewound", "M6", file,
			"body := io.NopCloser(io.MultiReader(bytes.NewReader(m.Body)))", "body := bytes.NewReader(m.Body)", ofAlphaPay("TestNotRewound|TestNeverSentTwice|TestConnectionClosed")...),
		replaced("a send that failed is repeated", "M6", file,
			"\treturn c.transport.RoundTrip(r)\n",
			"\tif answer, err := c.transport.RoundTrip(r); err == nil {\n\t\treturn answer, nil\n\t}\n\tagain := r.Clone(ctx)\n\tagain.Body = io.NopCloser(bytes.NewReader(m.Body))\n\treturn c.transport.RoundTrip(again)\n", ofAlphaPay("TestNeverSentTwice|TestConnectionClosed")...),
		replaced("answers may take for ever", "M15", file,
			"\t\ttimer.Reset(c.config.AnswerTimeout)\n", "\t\ttimer.Stop()\n", ofAlphaPay("TestAnswerTimeout")...),
		replaced("the gateway's clock is ignored", "M7", message,
			"if now, known := c.clock.now(); known {", "if now, known := c.clock.now(); known && len(body) == 0 {", ofAlphaPay("TestClock")...),
		replaced("an old answer is believed", "P4", exchanging+"clock.go",
			"c.source == clockVerified && !c.doubted &&", "c.source == clockUnknown && !c.doubted &&", ofAlphaPay("TestOldAnswers")...),
		replaced("a nonce is used again", "P4", message,
			"_, _ = rand.Read(random[:])  ", "_, _ = rand.Read(random[:0])  ", ofAlphaPay("TestSecondSend")...),
		replaced("an order of another merchant is asked about", "M7", prepare,
			"a.Intent.Account != \"\" && a.Intent.Account != g.client.Account() {", "a.Intent.Account == \"-\" {", ofAlphaPay("TestPrepareRefuses")...),
		replaced("a second send goes where the configuration says now", "M7", exchanging+"order.go",
			"if intent.URL == \"\" {", "if intent.URL != \"-\" {", ofAlphaPay("TestSecondSend|TestPrepare")...),
		replaced("pay leaves without its code", "M7", exchanging+"order.go",
			"\tcase a.Code.IsZero():\n\t\treturn nil, errors.New(\"the payment code is no longer kept, so the request cannot be sent again\")\n\tcase !fitsHole(a.Code):",
			"\tcase !a.Code.IsZero() && !fitsHole(a.Code):", ofAlphaPay("TestPrepareRefuses")...),
	}
}

// lookupMutants break the search of the transaction list (absence, M4).
func lookupMutants() []Mutant {
	const file = alphapay + "lookup.go"
	return []Mutant{
		replaced("a list that was not read whole proves absence", "absence", file,
			"return nil, rows == total, nil", "return nil, true, nil", ofAlphaPay("TestLookup")...),
		replaced("the list's first page is all of it", "absence", file,
			"if rows >= total || len(list.Transactions) == 0 {", "if rows >= 0 {", ofAlphaPay("TestLookup")...),
		replaced("only the day of the request is searched", "absence", file,
			"if !at.Before(to) {\n\t\t\t\treturn", "if len(days) > 0 {\n\t\t\t\treturn", ofAlphaPay("TestSearchDays")...),
		removed("a clock that jumped hides an order from the search", "absence", file,
			"\tcover(now.Add(-day), now)\n", append(ofAlphaPay("TestSearchDays"), in("./internal/simulation", "TestRegressions")...)...),
		replaced("the list's days are UTC's", "absence", file,
			"at.In(listZone).Format", "at.UTC().Format", ofAlphaPay("TestSearchDays")...),
		replaced("a row of another amount proves paid", "P4", file,
			"proved := captured && listed.Amount == q.amount", "proved := captured", ofAlphaPay("TestLookup")...),
		replaced("a capture in another amount is told nobody", "M12", file,
			"\t\ts.otherSum(inquired)\n", "", ofAlphaPay("TestLookup")...),
		replaced("a Debit row proves paid", "P4", file,
			" || t.Type != \"Credit\" ||", " ||", ofAlphaPay("TestLookup")...),
		replaced("a row without a time proves paid", "P4", file,
			" || paidAt.IsZero() {", " {", ofAlphaPay("TestLookup")...),
		replaced("a listed id is a payment id without asking", "P4", file,
			"matches := inquired.PaymentID != \"\" && inquired.Amount == q.amount", "matches := inquired.PaymentID != \"\"", ofAlphaPay("TestLookup")...),
		replaced("one order that is over ends the search though there may be two", "M4", file,
			"case r.sends > 1 && s.rest.Class.Verified():", "case r.sends > 99 && s.rest.Class.Verified():", ofAlphaPay("TestLookup")...),
		replaced("a row from after the answer is evidence", "absence", file,
			"created.After(s.seen.Newest) && !created.After(answered) {", "created.After(s.seen.Newest) {", ofAlphaPay("TestSearchEvidence")...),
		replaced("a lookup that was cut off was never sent", "M6", file,
			"\tif s.heard {\n", "\tif s.heard && f == nil {\n", ofAlphaPay("TestLookupWithoutAnswer")...),
		replaced("a Debit row of another amount proves the refund", "M13", alphapay+"refund.go",
			"row.Type != \"Debit\" || !told || amount != q.amount:", "row.Type != \"Debit\" || !told:", ofAlphaPay("TestRefundLookup")...),
	}
}

// signatureMutants break the signatures that both vendors share (P4).
func signatureMutants() []Mutant {
	const file, pkg = "payment/signature/signature.go", "./payment/signature"
	return []Mutant{
		replaced("any signature is right", "P4", file,
			"parsed.Signature) != nil {", "parsed.Signature) == rsa.ErrDecryption {", in(pkg, "TestVerifyRefuses")...),
		replaced("the nonce is not signed", "P4", file,
			"return content(method, path, body, merchantCode, time, nonce)", "return content(method, path, body, merchantCode, time)", in(pkg, "TestContents")...),
		replaced("the time is not signed", "P4", file,
			"return content(method, path, body, merchantCode, time, nonce)", "return content(method, path, body, merchantCode, nonce)", in(pkg, "TestContents")...),
		replaced("the path is not signed", "P4", file,
			"\tout = append(out, path...)\n", "", in(pkg, "TestContents")...),
		replaced("the body is not signed", "P4", file,
			"return append(out, body...)", "return out", in(pkg, "TestContents")...),
		replaced("another algorithm is accepted", "P4", file,
			"if parsed.Algorithm != v.Algorithm {", "if parsed.Algorithm == \"none\" {", in(pkg, "TestVerifyRefuses")...),
		replaced("any key version will do", "P4", file,
			"if !known || key.key == nil {", "for _, key = range v.Keys {\n\t\tknown = true\n\t}\n\tif !known || key.key == nil {", in(pkg, "TestVerifyRefuses")...),
		replaced("a short key is accepted", "P4", "payment/signature/key.go",
			"bits < minKeyBits ||", "bits < 512 ||", in(pkg, "TestKeysRefused")...),
	}
}

// scannerMutants break what becomes of a scanner's bytes (P7, P8).
func scannerMutants() []Mutant {
	const file, pkg = "device/framer.go", "./device"
	return []Mutant{
		replaced("a scan takes the token of its last byte", "P7", file,
			"\tf.lastAt = now\n\tif f.oversize", "\tf.lastAt, f.token = now, token\n\tif f.oversize", in(pkg, "TestTokenOfFirstByte")...),
		replaced("a scan takes the token of its terminator", "P7", file,
			"\tf.ignoreLF = b == '\\r'\n", "\tf.ignoreLF, f.token = b == '\\r', token\n", in(pkg, "TestTokenOfFirstByte")...),
		replaced("a scan read twice is two scans", "P7", file,
			"\tcase f.isDoubled(text):\n", "\tcase f.isDoubled(nil):\n", in(pkg, "TestDoubled")...),
		replaced("a scan for a new sale is swallowed as doubled", "P7", file,
			"\t\tf.token == f.lastToken &&\n", "", in(pkg, "TestDoubled")...),
		removed("a scanned code stays in memory", "P8", file,
			"\tclear(f.frame)\n", in(pkg, "TestFrameIsWiped")...),
		replaced("half a scan is a scan", "P7", file,
			"f.terminator == TerminatorAuto && !f.terminated", "f.terminator == TerminatorAuto", in(pkg, "TestPauses")...),
		replaced("the rest of a stalled scan is glued to the next", "P7", file,
			"return f.lastAt.Add(StallTimeout), f.began", "return f.lastAt.Add(1000 * StallTimeout), f.began", in(pkg, "TestPauses")...),
		replaced("control characters are part of a code", "P7", file,
			"if unicode.IsControl(r) {", "if unicode.IsControl(r) && r == 0 {", in(pkg, "TestNoise")...),
		replaced("a scan of any length is delivered", "P7", file,
			"case len(text) > MaxScanBytes:", "case len(text) > 99*MaxScanBytes:", in(pkg, "TestOversize")...),
		removed("what may not be whole is a scan", "P7", "device/serialscan/scanner.go",
			"\t\ts.framer.Doubt(heldUp, token, now)\n", in("./device/serialscan", "TestHeldUp")...),
		replaced("what came before a sale was armed counts for it", "P7", "device/serialscan/scanner.go",
			"> awayLimit {", "> 999*awayLimit {", in("./device/serialscan", "TestHeldUpWhileArmed")...),
	}
}
