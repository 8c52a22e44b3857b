package payment

import "time"

// SaleQuery selects sales. Its zero value selects all.
type SaleQuery struct {
	Status    SaleStatus // empty: any
	Reference string     // exact; empty: any
	From, To  time.Time  // CreatedAt in [From, To); zero: open
	Limit     int        // sales a page; 0, or above a store's own limit: that limit
	Cursor    string     // of the page before; empty: the newest
}

// SalePage is one page of a search, newest sale first.
type SalePage struct {
	Sales []Sale
	// Cursor asks for the next page; empty after the last. A page may hold fewer
	// sales than asked for, even none, and still have a next one: a store looks
	// at no more than so many sales for one page.
	Cursor string
}

// Matches reports whether the query selects the sale, whatever the page.
func (q SaleQuery) Matches(s Sale) bool {
	return (q.Status == "" || s.Status == q.Status) &&
		(q.Reference == "" || s.Reference == q.Reference) &&
		(q.From.IsZero() || !s.CreatedAt.Before(q.From)) &&
		(q.To.IsZero() || s.CreatedAt.Before(q.To))
}
