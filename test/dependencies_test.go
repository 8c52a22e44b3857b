package test

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDependenciesAreDocumented: docs/dependencies.md has one row for every module that go.mod requires directly and for
// every module whose tools tools/go.mod names, with the same version, and no other row. Each row gives a licence, a
// reason and a place.
func TestDependenciesAreDocumented(t *testing.T) {
	required := directModules(t, "..")
	maps.Copy(required, toolModules(t, "../tools"))

	documented := map[string]string{}
	for _, row := range dependencyRows(t, "../docs/dependencies.md") {
		if _, twice := documented[row.module]; twice {
			t.Errorf("%s has two rows", row.module)
		}
		documented[row.module] = row.version
		if slices.Contains(row.notes, "") {
			t.Errorf("%s: licence, why and where must all be filled in: %q", row.module, row.notes)
		}
	}
	if difference := cmp.Diff(required, documented); difference != "" {
		t.Errorf("docs/dependencies.md differs from go.mod and tools/go.mod (-required +documented):\n%s", difference)
	}
}

type dependencyRow struct {
	module, version string
	notes           []string // licence, why, where
}

// dependencyRows reads the rows "| `module` | `version` | licence | why | where |" of all tables of the page.
func dependencyRows(t *testing.T, page string) []dependencyRow {
	t.Helper()
	file, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows []dependencyRow
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line, isRow := strings.CutPrefix(lines.Text(), "| `")
		if !isRow {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		if len(cells) != 5 {
			t.Fatalf("%s: a row has %d cells, want 5: %s", page, len(cells), lines.Text())
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		rows = append(rows, dependencyRow{module: cells[0], version: cells[1], notes: cells[2:]})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

type goMod struct {
	Require []struct {
		Path, Version string
		Indirect      bool
	}
	Tool []struct{ Path string }
}

func readGoMod(t *testing.T, folder string) goMod {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	command.Dir = folder
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go mod edit -json in %s: %v", folder, err)
	}
	var mod goMod
	if err := json.Unmarshal(output, &mod); err != nil {
		t.Fatal(err)
	}
	return mod
}

// directModules maps each module that the go.mod requires directly to its version.
func directModules(t *testing.T, folder string) map[string]string {
	t.Helper()
	modules := map[string]string{}
	for _, require := range readGoMod(t, folder).Require {
		if !require.Indirect {
			modules[require.Path] = require.Version
		}
	}
	if len(modules) == 0 {
		t.Fatalf("%s/go.mod requires nothing directly: it was misread", folder)
	}
	return modules
}

// toolModules maps the module of each tool that the go.mod names to its version.
func toolModules(t *testing.T, folder string) map[string]string {
	t.Helper()
	mod := readGoMod(t, folder)
	modules := map[string]string{}
	for _, tool := range mod.Tool {
		found := false
		for _, require := range mod.Require {
			if strings.HasPrefix(tool.Path, require.Path+"/") {
				modules[require.Path], found = require.Version, true
			}
		}
		if !found {
			t.Errorf("%s/go.mod names the tool %s and requires no module of it", folder, tool.Path)
		}
	}
	return modules
}
