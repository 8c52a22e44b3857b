package main

// unaskedMutants break what is made of what gateways send unasked, and of a
// database that was restored or is another machine's (P4, adoption).
func unaskedMutants() []Mutant {
	const message, outcome, adoption = "payment/exchange/message.go", "payment/step_outcome.go", "payment/step_adoption.go"
	return []Mutant{
		replaced("a notification's signature is not checked", "P4", message,
			"_, err := c.believe(c.notifyPath(path), \"Request-Time\", header, body)\n\treturn err", "_, _ = c.believe(c.notifyPath(path), \"Request-Time\", header, body)\n\treturn nil",
			append(ofAlphaPay("TestNotification"), ofAlipayPlus("TestNotification")...)...),
		replaced("a notification to another account is believed", "P4", message,
			"len(values) != 1 || values[0] != c.config.Account {", "len(values) != 1 {", append(ofAlphaPay("TestNotification"), ofAlipayPlus("TestNotification")...)...),
		replaced("a notification of another order is believed", "P4", outcome,
			"\tv = t.matched(a, v)\n\tasking :=", "\tasking :=", ofStep("TestP4NotifiedOfAnother")...),
		replaced("a terminal that is not adopted moves money", "adoption", adoption,
			"return p.InquireOnly && (kind", "return p.InquireOnly && p.Slots < 0 && (kind", ofStep("TestInquireOnly")...),
		replaced("a terminal that is not adopted takes sales and refunds", "adoption", "terminal/engine_adoption.go",
			"if !e.policy.InquireOnly {", "if !e.policy.InquireOnly || e.policy.Slots > 0 {", ofTerminal("TestNotAdopted")...),
	}
}
