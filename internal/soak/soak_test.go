package soak

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if status, asked := Helper(os.Args[1:]); asked {
		os.Exit(status)
	}
	os.Exit(run(m))
}

var (
	// setting is what the tests' campaigns have in common.
	setting Setting
	// soaker is the command that runs campaigns.
	soaker string
)

func run(m *testing.M) int {
	flag.Parse()
	// The tests wait for processes most of the time: more of them fit side by side than there are processors.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "ps")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	setting = Setting{Program: filepath.Join(dir, "payscand"), Dir: dir, Seed: 1}
	soaker = filepath.Join(dir, "soak")
	for path, from := range map[string]string{setting.Program: "./cmd/payscand", soaker: "./internal/soak/cmd/soak"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", path, from)
		build.Dir, build.Stdout, build.Stderr = "../..", os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n", from, err)
			return 1
		}
	}
	return m.Run()
}

// bound ends a campaign that hangs; nothing is proved by how long one took.
const bound = 5 * time.Minute

func logged(t *testing.T) Setting {
	t.Parallel()
	s := setting
	s.Log = t.Logf
	return s
}

// TestCrashes: wherever a power cut hits a run, and whatever of the unsynced writes it leaves, the file opens, is whole,
// holds what was acknowledged, and goes on (P1, P6). A disk that does not sync is noticed. The states are judged by a
// process without the race detector, which would take its time over each.
func TestCrashes(t *testing.T) {
	t.Parallel()
	command := exec.Command(soaker, "-only", "crashes", "-seed", "1", "-brief")
	command.Dir = "../.."
	out, err := command.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// TestIOErrors: whichever call of a sale on the database fails, the daemon ends by itself, says what to do, and finds the
// truth when it is started again.
func TestIOErrors(t *testing.T) {
	r, err := IOErrors{Setting: logged(t), Every: 5}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calls failed; %s", r.Total(), r.FullDisk)
}

// TestKills: a daemon that is killed again and again loses, doubles and guesses nothing (P1 to P6).
func TestKills(t *testing.T) {
	r, err := Kills{Setting: logged(t), Kills: 50, Speed: 120, SettleEvery: 50, Bound: bound}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Kills < 50 {
		t.Errorf("too little happened to prove anything: %+v", r)
	}
}

// TestDay: a counter's day leaves nothing behind but its records (P10).
func TestDay(t *testing.T) {
	r, err := Day{Setting: logged(t), Sales: 200, Speed: 240, Bound: bound}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Replugs == 0 || r.Outages == 0 {
		t.Errorf("this was no day: %+v", r)
	}
}

// TestFlatFindsGrowth: what TestDay relies on notices each kind of growth, and nothing in a day without.
func TestFlatFindsGrowth(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	day := func(edit func(n int, u *Usage), goroutines int) DayResult {
		r := DayResult{Goroutines: [2]int{20, goroutines}}
		for n := range 20 {
			u := Usage{Sales: n, Anonymous: 10 * mib, Descriptors: 20, Database: int64(n) * mib}
			edit(n, &u)
			r.Samples = append(r.Samples, u)
		}
		r.Start, r.End = r.Samples[0], r.Samples[19]
		return r
	}
	if err := day(func(int, *Usage) {}, 20).flat(); err != nil {
		t.Error(err)
	}
	for name, r := range map[string]DayResult{
		"memory":      day(func(n int, u *Usage) { u.Anonymous += int64(n) * mib }, 20),
		"descriptors": day(func(n int, u *Usage) { u.Descriptors += n }, 20),
		"goroutines":  day(func(int, *Usage) {}, 40),
		"database":    day(func(n int, u *Usage) { u.Database += int64(max(0, n-10)) * 5 * mib }, 20),
	} {
		if r.flat() == nil {
			t.Errorf("growth of %s is not noticed", name)
		}
	}
}

// TestResolution: quantiles of times are among them.
func TestResolution(t *testing.T) {
	t.Parallel()
	r := KillResult{Resolved: []time.Duration{1, 2, 3, 4}}
	if got := []time.Duration{r.Resolution(0), r.Resolution(0.5), r.Resolution(1)}; !slices.Equal(got, []time.Duration{1, 3, 4}) {
		t.Errorf("quantiles %v", got)
	}
}
