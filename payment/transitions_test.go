package payment_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/payment"
)

// The diagram of the sale and the table of refusals in docs/architecture.md say
// what the transition table says, no more and no less.
func TestArchitectureShowsTheTransitions(t *testing.T) {
	doc := readDoc(t, "architecture.md")
	want := map[string][]string{}
	refused := map[string][]string{}
	table := payment.Transitions()
	for _, from := range append(payment.SaleStatuses(), payment.SaleNew) {
		for _, event := range payment.EventKinds() {
			next, known := table[from][event]
			if !known && from != payment.SaleNew {
				refused[string(from)] = append(refused[string(from)], string(event))
			}
			for _, to := range next {
				arrow := node(string(from)) + " --> " + string(to)
				want[arrow] = append(want[arrow], string(event))
			}
		}
		if from.Final() {
			want[string(from)+" --> [*]"] = nil
		}
	}
	if diff := cmp.Diff(want, diagram(t, doc, 0)); diff != "" {
		t.Errorf("sale diagram (-table +drawn):\n%s", diff)
	}
	told := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*) \\|$").FindAllStringSubmatch(section(t, doc, "## A sale"), -1) {
		told[row[1]] = split(strings.ReplaceAll(row[2], "`", ""))
	}
	if diff := cmp.Diff(refused, told); diff != "" {
		t.Errorf("refusals (-table +told):\n%s", diff)
	}
}

// The diagram of the attempt shows the transitions that random histories have,
// and none that they never have.
func TestArchitectureShowsTheAttempt(t *testing.T) {
	want := map[string][]string{}
	for e := range mustExplore(t).attemptEdges {
		if e[0] != e[1] {
			want[node(string(e[0]))+" --> "+string(e[1])] = nil
		}
	}
	for _, s := range payment.AttemptStatuses() {
		if s.Final() {
			want[string(s)+" --> [*]"] = nil
		}
	}
	drawn := diagram(t, readDoc(t, "architecture.md"), 1)
	for arrow := range drawn {
		drawn[arrow] = nil // its words are for people
	}
	if diff := cmp.Diff(want, drawn); diff != "" {
		t.Errorf("attempt diagram (-seen +drawn):\n%s", diff)
	}
}

// Every number of the policy is told in docs/money-rules.md as it is in the code.
func TestMoneyRulesTellThePolicy(t *testing.T) {
	p := payment.DefaultPolicy()
	want := map[string]string{
		"ScanWindow": words(p.ScanWindow), "SaleDeadline": words(p.SaleDeadline), "FastPhase": words(p.FastPhase),
		"CodeInquiries": words(p.CodeInquiries...), "Resends": words(p.Resends...),
		"CancelRetries": words(p.CancelRetries...), "CancelBound": words(p.CancelBound), "SwitchBound": words(p.SwitchBound),
		"QRFast": words(p.QRFast), "QRFastFor": words(p.QRFastFor), "QRSlow": words(p.QRSlow), "QRMargin": words(p.QRMargin),
		"QRLife": words(p.QRLife), "QRRetry": words(p.QRRetry), "PaidLookups": words(p.PaidLookups),
		"Lookups": words(p.Lookups...), "Slow": words(p.Slow...), "SlowHourly": words(p.SlowHourly),
		"SlowDaily": words(p.SlowDaily), "GiveUpAfter": words(p.GiveUpAfter), "Jitter": fmt.Sprintf("%g %%", p.Jitter*100),
		"Watch": words(p.Watch...), "AbsenceAfter": words(p.AbsenceAfter),
		"ReverseLateCaptures": strconv.FormatBool(p.ReverseLateCaptures), "MaxReversalsPerDay": strconv.Itoa(p.MaxReversalsPerDay),
		"CheckPause": words(p.CheckPause), "TwinWindow": words(p.TwinWindow), "CodeMemory": words(p.CodeMemory),
		"ProbePause": words(p.ProbePause), "DownProbePause": words(p.DownProbePause),
		"Slots": strconv.Itoa(p.Slots), "Rate": fmt.Sprintf("%g/s", p.Rate), "Burst": strconv.Itoa(p.Burst),
	}
	told := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]*) \\|").FindAllStringSubmatch(section(t, readDoc(t, "money-rules.md"), "## The numbers"), -1) {
		told[row[1]] = row[2]
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("policy (-code +told):\n%s", diff)
	}
}

// Every status of a sale and of an attempt, and every rule from M1 to M15, is in
// docs/money-rules.md.
func TestMoneyRulesAreWhole(t *testing.T) {
	doc := readDoc(t, "money-rules.md")
	for n := 1; n <= 15; n++ {
		if !strings.Contains(doc, fmt.Sprintf("\n**M%d ", n)) {
			t.Errorf("M%d is missing", n)
		}
	}
	for _, s := range payment.SaleStatuses() {
		if !strings.Contains(doc, "`"+string(s)+"`") {
			t.Errorf("the sale's status %q is missing", s)
		}
	}
	for _, s := range payment.AttemptStatuses() {
		if !strings.Contains(doc, "`"+string(s)+"`") {
			t.Errorf("the attempt's status %q is missing", s)
		}
	}
	for _, s := range payment.RefundStatuses() {
		if !strings.Contains(doc, "`"+string(s)+"`") {
			t.Errorf("the refund's status %q is missing", s)
		}
	}
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// section returns the part of a document under a heading.
func section(t *testing.T, doc, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(doc, "\n"+heading+"\n")
	if !found {
		t.Fatalf("there is no section %q", heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

func node(status string) string {
	if status == "" {
		return "[*]"
	}
	return status
}

// diagram reads the n-th mermaid block: from each arrow to its label's words.
func diagram(t *testing.T, doc string, n int) map[string][]string {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```mermaid\nstateDiagram-v2\n(.*?)```").FindAllStringSubmatch(doc, -1)
	if len(blocks) <= n {
		t.Fatalf("there are %d state diagrams, want one more", len(blocks))
	}
	arrows := map[string][]string{}
	for line := range strings.Lines(blocks[n][1]) {
		arrow, label, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if _, twice := arrows[arrow]; twice {
			t.Errorf("%q is drawn twice", arrow)
		}
		arrows[arrow] = split(label)
	}
	return arrows
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

// words writes pauses as the documentation does: "30 s", "1, 3, 6 min".
func words(pauses ...time.Duration) string {
	units := []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for _, u := range units {
		if slices.ContainsFunc(pauses, func(d time.Duration) bool { return d%u.unit != 0 }) {
			continue
		}
		numbers := make([]string, len(pauses))
		for i, d := range pauses {
			numbers[i] = strconv.FormatInt(int64(d/u.unit), 10)
		}
		return strings.Join(numbers, ", ") + " " + u.name
	}
	return fmt.Sprint(pauses)
}
