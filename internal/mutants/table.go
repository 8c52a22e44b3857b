package main

import "slices"

// table lists every mutant.
func table() []Mutant {
	return slices.Concat(
		attemptMutants(), cancelMutants(), qrMutants(), watchMutants(), refundMutants(), returnedMutants(), saleMutants(),
		engineMutants(), callMutants(), storeMutants(),
		answerMutants(), transportMutants(), lookupMutants(), alipayPlusMutants(), signatureMutants(), scannerMutants(), unaskedMutants(),
	)
}

// replaced is a mutant of one edit.
func replaced(name, rule, file, was, now string, tests ...Test) Mutant {
	return Mutant{Name: name, Rule: rule, Edits: []Edit{{File: file, Old: was, New: now}}, Tests: tests}
}

// removed is a mutant without one piece of the source.
func removed(name, rule, file, was string, tests ...Test) Mutant {
	return replaced(name, rule, file, was, "", tests...)
}

// in names the tests of a package that a mutant should meet first, and then all of it.
func in(pkg, run string) []Test {
	whole := Test{Package: pkg}
	if run == "" {
		return []Test{whole}
	}
	return []Test{{Package: pkg, Run: run}, whole}
}

func ofStep(run string) []Test { return in("./payment", run) }
