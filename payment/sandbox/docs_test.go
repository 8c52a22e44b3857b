package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

// The documented table of behaviours is the program's. -update writes it anew.
func TestDocumentedBehaviours(t *testing.T) {
	const path, start, end = "../../docs/practice-gateway.md", "held equal to the program's table by a test -->\n", "<!-- end of behaviours -->"
	var table strings.Builder
	fmt.Fprint(&table, "| Digits | Name | What happens |\n|---|---|---|\n")
	for _, b := range Behaviours() {
		what := b.What
		if b.AlipayPlus != "" {
			what += " *Alipay+:* " + b.AlipayPlus
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", b.Digits, b.Name, what)
	}
	text := string(readFile(t, path))
	before, rest, _ := strings.Cut(text, start)
	documented, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("the table's place is not marked")
	}
	if *update {
		writeFile(t, path, []byte(before+start+table.String()+end+after))
		return
	}
	if documented != table.String() {
		t.Errorf("%s has another table: write it anew with go test ./payment/sandbox -run TestDocumentedBehaviours -update", path)
	}
}
