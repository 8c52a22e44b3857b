package client_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/api/client"
)

// counter opens a shop, in a bubble, with a register that sells by code.
func counter(t *testing.T) (register *client.Client, sellFor func(amount int64) client.Sale) {
	s := &shop{dir: memoryDir(t), gateway: &gateway{random: rand.New(rand.NewPCG(1, 0)), inquiries: make(map[string]int)}}
	s.open(t)
	t.Cleanup(func() { s.stop(t) })
	register = s.network.client(t, func() int { return 0 })
	<-time.After(time.Minute) // of the bubble's clock: the gateway is proved
	made := 0
	return register, func(amount int64) client.Sale {
		made++
		sale, _, err := register.CreateSale(t.Context(), fmt.Sprint("key ", made), client.NewSale{
			Amount: amount, Currency: "CAD", Mode: client.ModeScan, Reference: fmt.Sprintf("till/%d", made%2),
		})
		if err == nil {
			sale, err = register.PostCode(t.Context(), sale.ID, fmt.Sprintf("28%016d", made))
		}
		for err == nil && !sale.Final() && sale.Status != client.StatusUnresolved {
			sale, err = register.WaitSale(t.Context(), sale.ID, sale.Version, 25*time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
		return sale
	}
}

func code(err error) client.ErrorCode {
	if problem := new(client.Problem); errors.As(err, &problem) {
		return problem.Code
	}
	return ""
}

// A paid sale is refunded in parts up to what was paid and no further, each key
// once; nothing can be refunded of a sale that was not paid.
func TestRefundsOfAShop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		register, sellFor := counter(t)
		paid, unpaid := sellFor(1000+paysAtOnce), sellFor(1000+declines)
		giveBack(t, register, paid, 100)
		again, replayed, err := register.Refund(t.Context(), paid.ID, "refund "+paid.ID, client.NewRefund{Amount: 100, Reason: "returned"})
		if err != nil || !replayed || again.N != 1 || again.Status != client.RefundSucceeded {
			t.Errorf("the same again: %v, %+v", err, again)
		}
		if _, _, err := register.Refund(t.Context(), paid.ID, "refund "+paid.ID, client.NewRefund{Amount: 100}); code(err) != client.CodeKeyReused {
			t.Errorf("the same key for another: %v", err)
		}
		if _, _, err := register.Refund(t.Context(), paid.ID, "too much", client.NewRefund{Amount: 901}); code(err) != client.CodeConflict {
			t.Errorf("more than is left: %v", err)
		}
		if _, _, err := register.Refund(t.Context(), unpaid.ID, "unpaid", client.NewRefund{}); code(err) != client.CodeConflict {
			t.Errorf("of a sale that was not paid: %v", err)
		}
		rest, _, err := register.Refund(t.Context(), paid.ID, "the rest", client.NewRefund{})
		if err != nil || rest.Amount != 900 || rest.N != 2 {
			t.Errorf("the rest: %v, %+v", err, rest)
		}
		if _, _, err := register.Refund(t.Context(), paid.ID, "two at once", client.NewRefund{Amount: 1}); code(err) != client.CodeConflict {
			t.Errorf("two at once: %v", err)
		}
		for err == nil && !rest.Final() {
			rest, err = register.WaitRefund(t.Context(), paid.ID, rest.N, rest.Version, 25*time.Second)
		}
		sale, saleErr := register.GetSale(t.Context(), paid.ID)
		if err := errors.Join(err, saleErr); err != nil || sale.Status != client.StatusPaid || sale.RefundedAmount != 1000 || len(sale.Refunds) != 2 {
			t.Errorf("%v, %+v", err, sale)
		}
		if _, err := register.GetRefund(t.Context(), paid.ID, 3); code(err) != client.CodeNotFound {
			t.Errorf("a refund that is not there: %v", err)
		}
	})
}

// A search pages through all sales, newest first, each as GET answers it and
// none twice; a query leaves out the others.
func TestSearchOfAShop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		register, sellFor := counter(t)
		var want []client.Sale
		for _, behaviour := range []int64{paysAtOnce, paysAfterAWhile, paysAtOnce, paysAfterAWhile, paysAtOnce} {
			<-time.After(time.Second) // of the bubble's clock: ids within one are in no order
			want = append([]client.Sale{sellFor(1000 + behaviour)}, want...)
		}
		for _, test := range []struct {
			name  string
			query client.SaleQuery
			want  []client.Sale
		}{
			{"all", client.SaleQuery{}, want},
			{"one a page", client.SaleQuery{Limit: 1}, want},
			{"two a page", client.SaleQuery{Limit: 2}, want},
			{"paid", client.SaleQuery{Status: client.StatusPaid, Limit: 2}, want},
			{"cancelled", client.SaleQuery{Status: client.StatusCancelled}, nil},
			{"by reference", client.SaleQuery{Reference: "till/0", Limit: 1}, []client.Sale{want[1], want[3]}},
			{"by time", client.SaleQuery{From: want[3].CreatedAt, To: want[0].CreatedAt}, want[1:4]},
		} {
			var got []client.Sale
			for query := test.query; ; {
				page, err := register.Sales(t.Context(), query)
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				got = append(got, page.Sales...)
				if query.Cursor = page.Cursor; query.Cursor == "" {
					break
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", test.name, diff)
			}
		}
	})
}
