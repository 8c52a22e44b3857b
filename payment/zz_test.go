package payment_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestZZ(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	fails := map[string]int{}
	stat := map[string]int{}
	for seed := range uint64(n) {
		traits := alphaPayLike
		if seed%2 == 1 {
			traits = alipayPlusLike
		}
		c := newCounter(randomly(seed+1000000), traits)
		c.strict = true
		c.open()
		for range 40 {
			c.anything()
			if c.broken != nil {
				break
			}
		}
		if c.broken == nil {
			heal(c)
		}
		stat[fmt.Sprint(seed%2, c.sale.Status)]++
		if c.broken != nil {
			fails[c.broken.Error()]++
			if len(fails) < 8 {
				t.Errorf("seed %d (%d): %v", seed, seed%2, c.broken)
			}
		}
	}
	t.Log(stat, len(fails))
}
