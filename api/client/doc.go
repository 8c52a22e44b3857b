// Package client is the register's side of payscand's local HTTP API: the types
// on the wire, and a small Go client for them. It depends on nothing else of
// the project and may be copied into a register's own code.
//
// Amounts are integers in minor units of their currency (1234 CAD is 12.34
// Canadian dollars, 1234 JPY is 1,234 yen). Times are UTC, RFC 3339.
//
// A sale is made once with [Client.CreateSale] and then followed with
// [Client.WaitSale] until [Sale.Final] reports true or its status is
// [StatusUnresolved], which frees the terminal although nobody knows yet:
//
//	terminal, err := client.New("/run/payscand/api.sock", "")
//	...
//	sale, _, err := terminal.CreateSale(ctx, key, client.NewSale{Amount: 1234, Currency: "CAD"})
//	for err == nil && !sale.Final() && sale.Status != client.StatusUnresolved {
//		sale, err = terminal.WaitSale(ctx, sale.ID, sale.Version, 25*time.Second)
//	}
//
// A paid sale's money is given back with [Client.Refund], followed with
// [Client.WaitRefund] until [Refund.Final] reports true.
//
// [Client.Events] follows everything that happens, from any place of the
// terminal's journal on, and goes on by itself when the connection breaks.
//
// No other call is tried again by itself. After a time-out or a lost connection the
// caller cannot know whether the sale was made: it repeats CreateSale (or Refund) with the
// same idempotency key and the same content and gets the same sale. Choose the
// key before the first try and keep it where a restart of the register finds it.
package client
