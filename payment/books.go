package payment

import (
	"context"
	"time"
)

// Books are a gateway's own records of money, where it shows them. Both methods
// read everything that the gateway has of a day, or fail: half of a day is no
// record. The day is the date of the moment given in the gateway's own zone.
type Books interface {
	Transactions(ctx context.Context, day time.Time) ([]Transaction, error)
	Settlements(ctx context.Context, day time.Time) ([]Settlement, error)
}

// Transaction is one movement of money in a gateway's books.
type Transaction struct {
	RequestID string // of the order, or of the refund
	ID        string // the gateway's own
	Refund    bool   // money that went back; else a capture
	Amount    Money  // as the customer paid it, or got it back
	// Settled is what it counts for in the currency that the merchant is paid in;
	// zero where the gateway does not say.
	Settled   Money
	Wallet    Wallet
	CreatedAt time.Time
	// At is when the money moved; zero: not yet.
	At time.Time
}

// Settlement is one payout to the merchant. Amounts are minor units of the
// account's currency.
type Settlement struct {
	Number   string
	Captures int
	Refunds  int
	Captured int64
	Refunded int64
	// Net is Captured less Refunded, Fee the gateway's, and Paid what is left.
	Net, Fee, Paid int64
}
