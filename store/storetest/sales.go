package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/store"
)

// Every stored field of a sale that was set comes back, whatever fields there
// are. A code that waits for its QR to close is not stored.
func testRoundTrip(t *testing.T, open Opener) {
	s := newStore(t, open)
	want := payment.Sale{}
	fill(reflect.ValueOf(&want).Elem(), new(int))
	want.Version = 1
	commit(t, s, payment.Change{After: want, Record: record(want)})
	want.Next = nil
	got, err := s.Sale(want.ID)
	check(t, err)
	if diff := Diff(want, got); diff != "" {
		t.Errorf("(-stored +read)\n%s", diff)
	}
}

// fill sets every field to something that is not its zero value, differing from field to field.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 1, 0, 0, *n, 123_000_000, time.UTC)))
		return
	case payment.Code:
		v.Set(reflect.ValueOf(payment.NewCode(fmt.Sprintf("28%016d", *n))))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("text <%d> é", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*n))
	default:
		v.Set(reflect.ValueOf(*n).Convert(v.Type()))
	}
}

// A code is there, whole, until the change that wipes it, and then for nobody.
// Codes of other attempts stay.
func testCodes(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	const first, second, other = secretCode, "289999999990123456", "280000000000000001"
	bystander := commit(t, s, till.Created())
	commit(t, s, till.Submitted(bystander, "alphapay", other))

	sale := commit(t, s, till.Created())
	sale = commit(t, s, till.Submitted(sale, "alphapay", first))
	wantCodes(t, s, sale.ID, first)
	sale = commit(t, s, till.Rescheduled(sale, time.Second))
	wantCodes(t, s, sale.ID, first)
	sale = commit(t, s, till.Failed(sale))
	wantCodes(t, s, sale.ID, "")
	sale = commit(t, s, till.Submitted(sale, "alphapay", second))
	wantCodes(t, s, sale.ID, "", second)
	sale = commit(t, s, till.Changed(sale, func(s *payment.Sale) { s.Attempts[1].Code = payment.NewCode(first) }))
	wantCodes(t, s, sale.ID, "", first)
	commit(t, s, till.Wiped(sale))
	wantCodes(t, s, sale.ID, "", "")
	wantCodes(t, s, bystander.ID, other)
}

func wantCodes(t *testing.T, s Store, sale string, want ...string) {
	t.Helper()
	one, err := s.Sale(sale)
	check(t, err)
	listed, err := s.Open("", 0)
	check(t, err)
	found, err := s.Sales(store.Query{})
	check(t, err)
	for _, got := range append(append(listed, found.Sales...), one) {
		if got.ID != sale {
			continue
		}
		for i, code := range want {
			if got.Attempts[i].Code.Reveal() != code {
				t.Errorf("attempt %d has the code %q, want %q", i+1, got.Attempts[i].Code.Reveal(), code)
			}
		}
	}
}

// A sale is found by its key, with its digest, and by each of its request ids;
// what was never stored is not found, and says so with ErrNotFound.
func testKeysAndRequests(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	first, second := commit(t, s, till.Created()), commit(t, s, till.Created())
	second = commit(t, s, till.Submitted(second, "alphapay", secretCode))
	second = commit(t, s, till.Failed(second))
	second = commit(t, s, till.Submitted(second, "other", "281234567890123457"))

	for _, sale := range []payment.Sale{first, second} {
		wantKey(t, s, sale)
		for _, a := range sale.Attempts {
			if id, err := s.ByRequest(a.RequestID); id != sale.ID || err != nil {
				t.Errorf("ByRequest(%s) = %q, %v; want %q", a.RequestID, id, err, sale.ID)
			}
		}
	}
	for _, unknown := range []string{"", "unknown", first.ID + "-1", first.ID[:25], first.ID + "\x00"} {
		_, saleErr := s.Sale(unknown)
		_, _, keyErr := s.ByKey(unknown)
		_, requestErr := s.ByRequest(unknown)
		for _, err := range []error{saleErr, keyErr, requestErr} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("looking for %q: %v, want ErrNotFound", unknown, err)
			}
		}
	}
}

func wantKey(t *testing.T, s Store, sale payment.Sale) {
	t.Helper()
	id, digest, err := s.ByKey(sale.Key)
	if id != sale.ID || digest != sale.Digest || err != nil {
		t.Errorf("ByKey(%q) = %q, %q, %v; want %q, %q", sale.Key, id, digest, err, sale.ID, sale.Digest)
	}
}

// Keys, references and gateways may hold any text, and none is taken for another
// that begins with it.
func testOddCharacters(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	texts := []string{
		"a", "a\x00", "a\x00b", "\x00", "é", "\n", "\"", "<&>", "\u2028", " a", "日本", strings.Repeat("k", 64), "\x7f",
	}
	made := map[string]payment.Sale{}
	for _, text := range texts {
		c := till.Created()
		c.After.Key, c.After.Digest, c.After.Reference = text, "d"+text, text
		c.After.Due = time.Time{}
		sale := commit(t, s, c)
		made[text] = commit(t, s, till.Submitted(sale, text, secretCode))
	}
	for text, sale := range made {
		wantKey(t, s, sale)
		due, err := s.Due(text, till.Now().Add(time.Hour), 0)
		check(t, err)
		if diff := Diff([]string{sale.ID}, due); diff != "" {
			t.Errorf("due at gateway %q (-want +got)\n%s", text, diff)
		}
		page, err := s.Sales(store.Query{Reference: text})
		check(t, err)
		if diff := Diff([]payment.Sale{sale}, page.Sales); diff != "" {
			t.Errorf("with reference %q (-want +got)\n%s", text, diff)
		}
	}
	gateways, err := s.DueGateways()
	check(t, err)
	if len(gateways) != len(texts) {
		t.Errorf("%d gateways have due sales, want %d", len(gateways), len(texts))
	}
}

// What a caller does to a sale that it committed or read does not reach the
// store, as far as values go; attempts are shared and never written into.
func testCopies(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	c := till.Submitted(commit(t, s, till.Created()), "alphapay", secretCode)
	commit(t, s, c)
	want := c.After
	c.After.Reference = "changed after the commit"
	c.After.Attempts = append(c.After.Attempts, payment.Attempt{N: 2})
	got, err := s.Sale(want.ID)
	check(t, err)
	_ = append(got.Attempts, payment.Attempt{N: 3})
	again, err := s.Sale(want.ID)
	check(t, err)
	if diff := Diff(want, again); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
