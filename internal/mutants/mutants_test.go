package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table is not rotten: every mutant's text is in the source as often as it
// should be, what comes out is Go, its name is its own, and some test of the
// package named goes by the pattern that is to be run.
func TestTableFitsTheSource(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, m := range table() {
		if _, err := m.Mutate(root); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if names[m.Name] || m.Name == "" || m.Rule == "" || len(m.Tests) == 0 {
			t.Errorf("%q needs a name of its own, a rule and tests", m.Name)
		}
		names[m.Name] = true
		for _, test := range m.Tests {
			if !hasTests(t, filepath.Join(root, filepath.FromSlash(test.Package)), test.Run) {
				t.Errorf("%s: %s has no test that %q names", m.Name, test.Package, test.Run)
			}
		}
	}
	if len(names) < 36 {
		t.Errorf("%d mutants", len(names))
	}
}

var testForm = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(\w+ \*testing\.[TF]\)`)

func hasTests(t *testing.T, dir, run string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(run)
	return slices.ContainsFunc(files, func(name string) bool {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(testForm.FindAllStringSubmatch(string(source), -1), func(found []string) bool {
			return pattern.MatchString(found[1])
		})
	})
}

// An edit replaces what it names and nothing else, and says so when it cannot.
func TestEdits(t *testing.T) {
	const text = "one two two three"
	for _, c := range []struct {
		edit Edit
		want string // empty: refused
	}{
		{Edit{Old: "one", New: "1"}, "1 two two three"},
		{Edit{Old: "two", New: "2", Nth: 1}, "one 2 two three"},
		{Edit{Old: "two", New: "2", Nth: 2}, "one two 2 three"},
		{Edit{Old: "two", New: "2", Nth: 3}, ""},
		{Edit{Old: "two", New: "2"}, ""},
		{Edit{Old: "four", New: "4"}, ""},
		{Edit{Old: "one", New: "one"}, ""},
		{Edit{New: "nought"}, ""},
	} {
		got, err := c.edit.apply(text)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%+v: %q, %v; want %q", c.edit, got, err, c.want)
		}
	}
}

// Only a failed test is a kill: not a program that does not compile, nor a run
// without tests.
func TestReadReport(t *testing.T) {
	for name, c := range map[string]struct {
		report []string
		failed failures
		err    string
	}{
		"all pass": {[]string{`{"Action":"run","Test":"TestA"}`, `{"Action":"pass","Test":"TestA"}`, `{"Action":"pass"}`}, nil, ""},
		"the innermost is to blame": {[]string{
			`{"Action":"run","Test":"TestA"}`, `{"Action":"fail","Test":"TestA/x"}`, `{"Action":"fail","Test":"TestA"}`, `{"Action":"fail","Package":"p"}`,
		}, failures{"TestA/x"}, ""},
		"the package is to blame": {[]string{`{"Action":"run","Test":"TestA"}`, `not JSON`, `{"Action":"fail","Package":"p"}`}, failures{"p"}, ""},
		"does not compile": {[]string{
			`{"Action":"build-output","Output":"x.go:1: undefined\n"}`, `{"Action":"build-fail"}`, `{"Action":"fail","Package":"p","FailedBuild":"p"}`,
		}, nil, "undefined"},
		"nothing ran": {[]string{`{"Action":"pass","Package":"p"}`}, nil, "no test"},
	} {
		t.Run(name, func(t *testing.T) {
			failed, err := read([]byte(strings.Join(c.report, "\n") + "\n"))
			if !slices.Equal(failed, c.failed) || (err != nil) != (c.err != "") {
				t.Fatalf("%v, %v", failed, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.err) {
				t.Error(err)
			}
		})
	}
}

// Every mutant has its line in the table, in order, and a survivor or one that
// could not be tried fails the run.
func TestKillTable(t *testing.T) {
	mutants := []Mutant{{Name: "first", Rule: "M1"}, {Name: "second", Rule: "P4"}, {Name: "third", Rule: "M3"}}
	for name, c := range map[string]struct {
		last outcome
		line string
		fine bool
	}{
		"killed":   {outcome{killedBy: failures{"TestC"}, by: Test{Package: "./p"}}, "./p TestC", true},
		"survived": {outcome{}, "SURVIVED", false},
		"error":    {outcome{err: errors.New("gone")}, "ERROR gone", false},
	} {
		t.Run(name, func(t *testing.T) {
			killed := outcome{killedBy: failures{"TestA", "TestB"}, by: Test{Package: "./p"}}
			var outcomes []chan outcome
			for _, o := range []outcome{killed, killed, c.last} {
				channel := make(chan outcome, 1)
				channel <- o
				outcomes = append(outcomes, channel)
			}
			var out strings.Builder
			if err := printTable(mutants, outcomes, &out); (err == nil) != c.fine {
				t.Errorf("error %v", err)
			}
			lines := strings.Split(out.String(), "\n")
			if len(lines) != 6 || !strings.HasPrefix(lines[3], "third") || !strings.HasSuffix(lines[3], c.line) {
				t.Errorf("%s", out.String())
			}
		})
	}
}
