package crash

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"payscand/internal/tracer"
)

// Bound says how many states are made of one set of unsynced calls.
type Bound struct {
	// All subsets are made of up to AllOf calls; of more, each prefix and suffix,
	// each one alone, each one missing, and Samples at random.
	AllOf, Samples int
	// Torn is how many ways of tearing each write are tried, each with all other
	// calls, with those before it, and alone.
	Torn int
}

// each calls visit with every state of the pending calls, none twice.
func (b Bound) each(pending []change, random *rand.Rand, visit func(state) bool) bool {
	n := len(pending)
	if n <= b.AllOf {
		for subset := range uint64(1) << n {
			if !visit(whole(bits(subset, n))) {
				return false
			}
		}
	} else if !b.some(n, random, visit) {
		return false
	}
	return b.eachTorn(pending, random, visit)
}

func whole(kept []bool) state { return state{kept: kept, of: -1} }

func bits(subset uint64, n int) []bool {
	kept := make([]bool, n)
	for i := range kept {
		kept[i] = subset>>i&1 == 1
	}
	return kept
}

func (b Bound) some(n int, random *rand.Rand, visit func(state) bool) bool {
	seen := make(map[string]bool)
	once := func(keeps func(i int) bool) bool {
		kept, name := make([]bool, n), make([]byte, n)
		for i := range kept {
			if kept[i] = keeps(i); kept[i] {
				name[i] = 1
			}
		}
		if seen[string(name)] {
			return true
		}
		seen[string(name)] = true
		return visit(whole(kept))
	}
	for k := range n + 1 {
		if !once(func(i int) bool { return i < k }) || !once(func(i int) bool { return i >= k }) ||
			!once(func(i int) bool { return i == k }) || !once(func(i int) bool { return i != k }) {
			return false
		}
	}
	for range b.Samples {
		if !once(func(int) bool { return random.IntN(2) == 1 }) {
			return false
		}
	}
	return true
}

// eachTorn tears each write.
func (b Bound) eachTorn(pending []change, random *rand.Rand, visit func(state) bool) bool {
	seen := make(map[string]bool)
	for i, c := range pending {
		if c.op.Kind != tracer.Write || len(c.op.Data) <= sector {
			continue
		}
		for _, torn := range b.tears((len(c.op.Data)+sector-1)/sector, random) {
			for _, keeps := range []func(j int) bool{
				func(int) bool { return true },
				func(j int) bool { return j <= i },
				func(j int) bool { return j == i },
			} {
				kept := make([]bool, len(pending))
				for j := range kept {
					kept[j] = j == i || keeps(j)
				}
				name := fmt.Sprint(i, torn, kept)
				if seen[name] {
					continue
				}
				if seen[name] = true; !visit(state{kept: kept, torn: torn, of: i}) {
					return false
				}
			}
		}
	}
	return true
}

// tears lists ways to write a part of n sectors, drawn from: the first ones, the
// last ones, and any.
func (b Bound) tears(n int, random *rand.Rand) [][]bool {
	var all [][]bool
	add := func(keeps func(i int) bool) {
		torn := make([]bool, n)
		for i := range torn {
			torn[i] = keeps(i)
		}
		if slices.Contains(torn, true) && slices.Contains(torn, false) { // else nothing is torn
			all = append(all, torn)
		}
	}
	for range b.Torn {
		k := 1 + random.IntN(n-1)
		switch random.IntN(3) {
		case 0:
			add(func(i int) bool { return i < k })
		case 1:
			add(func(i int) bool { return i >= k })
		default:
			add(func(int) bool { return random.IntN(2) == 1 })
		}
	}
	return all
}
