package terminal

import (
	"time"

	"payscand/device"
	"payscand/payment"
)

// NewSale is the register's wish to be paid.
type NewSale struct {
	// Key is the idempotency key, 1 to 255 printable ASCII characters.
	Key string
	// Digest identifies the request's content: the same key with another digest is refused.
	Digest      string
	Amount      payment.Money
	Reference   string // at most 64 characters
	Description string // at most 100 characters
	Mode        payment.Mode
	// Replaces names the unresolved sale that this one stands for; cancel is
	// then wanted for it (M11).
	Replaces string
	// Separate says that this sale is no twin of an unresolved one (M11).
	Separate bool
}

// Status is the terminal as the register and the operator see it.
type Status struct {
	Code      string // terminal.code
	Version   string
	StartedAt time.Time
	Live      *payment.Sale
	// Adopted: this machine may act on the database's sales.
	Adopted    bool
	Unresolved int
	Scanners   []device.Status
	Gateways   []GatewayStatus
	// LastRefusedScan is nil until something was scanned that no sale could use.
	LastRefusedScan *RefusedScan
	RefusedScans    int64
	DiskFree        int64 // bytes where the database is
}

// GatewayState says whether new sales may be sent to a gateway (M14).
type GatewayState string

const (
	GatewayUnproven      GatewayState = "unproven" // no answer since the start
	GatewayUp            GatewayState = "up"
	GatewayDown          GatewayState = "down"
	GatewayMisconfigured GatewayState = "misconfigured"
)

// GatewayStatus is what is known of one gateway.
type GatewayStatus struct {
	Name  string
	State GatewayState
	// Since is when the state was entered.
	Since time.Time
	// LastAnswer is when the last verified answer came; zero: never.
	LastAnswer time.Time
	// LastReason is why the last call brought no answer, or was refused.
	LastReason payment.Reason
	// ClockOffset is the gateway's clock minus this machine's.
	ClockOffset time.Duration
}

// RefusedScan is something scanned that no sale could use.
type RefusedScan struct {
	At     time.Time
	Device string
	Kind   string // a payment.RefusalKind, or why the sale could not use it
	Mask   string
	Sale   string // the live sale, if there was one
	// Reason has words for the customer too; empty where Kind says all.
	Reason payment.Reason
}
