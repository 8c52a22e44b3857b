package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// player plays the register, the cashier and the customer.
type player struct {
	*counter.Counter
	out      io.Writer
	dir      string // for what is written
	chromium string // the browser's path; empty: there is none
}

func (p player) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

// step is one scene; play fails when it goes another way than its title says.
type step struct {
	title string
	play  func(context.Context, player) error
}

var steps = []step{
	{"1. A scanned sale is paid.", scannedSale},
	{"2. A goods barcode is refused; the sale is then paid with a wallet's code.", goodsBarcode},
	{"3. The gateway's answer is lost and the daemon is killed; the sale is found to be paid, once.", killedSale},
	{"4. Nobody scans: a QR comes onto the customer's display by itself, and the sale is paid with it.", unscannedSale},
}

// Behaviours of the practice gateway: the last two digits of a code.
const (
	paidAtOnce      = "00"
	pendingThenPaid = "01"
	answerLost      = "10"
)

// paymentCode makes an Alipay+ code of 18 digits that ends in the behaviour's digits.
func paymentCode(behaviour string) string {
	n, err := rand.Int(rand.Reader, big.NewInt(1e14))
	if err != nil {
		panic(err) // never: crypto/rand does not fail
	}
	return fmt.Sprintf("28%014d%s", n, behaviour)
}

func scannedSale(ctx context.Context, p player) error {
	sale, err := p.newSale(ctx, rand.Text(), 1234, client.ModeScan)
	if err != nil {
		return err
	}
	if err := p.scan(paymentCode(paidAtOnce)); err != nil {
		return err
	}
	return p.expectPaid(ctx, sale)
}

func goodsBarcode(ctx context.Context, p player) error {
	sale, err := p.newSale(ctx, rand.Text(), 799, client.ModeScan)
	if err != nil {
		return err
	}
	p.say("   The cashier scans a chocolate bar by mistake.")
	if _, err := p.Scanner.Write([]byte("4006381333931\r")); err != nil {
		return err
	}
	var refused *client.RefusedScan
	err = p.Await(ctx, func(t client.Terminal) bool {
		refused = t.LastRefusedScan
		return refused != nil && refused.Sale == sale.ID
	})
	if err != nil {
		return err
	}
	p.say("   Refused: %s %s", refused.Kind, refused.Mask)
	if refused.Kind != "goods_barcode" {
		return fmt.Errorf("refused as %q, not as a goods barcode", refused.Kind)
	}
	if sale, err = p.Register.GetSale(ctx, sale.ID); err != nil {
		return err
	}
	if sale.Status != client.StatusAwaitingCode || len(sale.Attempts) != 0 {
		return fmt.Errorf("the barcode changed the sale: it is %s with %d attempts", sale.Status, len(sale.Attempts))
	}
	if err := p.scan(paymentCode(pendingThenPaid)); err != nil {
		return err
	}
	return p.expectPaid(ctx, sale)
}

func killedSale(ctx context.Context, p player) error {
	key := rand.Text()
	sale, err := p.newSale(ctx, key, 4200, client.ModeScan)
	if err != nil {
		return err
	}
	if err := p.scan(paymentCode(answerLost)); err != nil {
		return err
	}
	sale, err = p.follow(ctx, sale, func(s client.Sale) bool {
		return len(s.Attempts) > 0 && s.Attempts[0].Status == "unknown"
	})
	if err != nil {
		return err
	}
	p.say("   The gateway took the money, its answer was lost. Nobody here knows. kill -9!")
	p.KillDaemon()
	if err := p.StartDaemon(ctx); err != nil {
		return err
	}
	p.say("   The daemon is started again.")
	again, replayed, err := p.Register.CreateSale(ctx, key, client.NewSale{Amount: 4200, Currency: "CAD", Mode: client.ModeScan})
	if err != nil {
		return err
	}
	if !replayed || again.ID != sale.ID {
		return errors.New("the register repeated its request and did not get the same sale")
	}
	p.say("   The register repeats its request with the same key and gets the same sale.")
	return p.expectPaid(ctx, again)
}

func (p player) newSale(ctx context.Context, key string, amount int64, mode client.Mode) (client.Sale, error) {
	sale, _, err := p.Register.CreateSale(ctx, key, client.NewSale{Amount: amount, Currency: "CAD", Mode: mode})
	if err == nil {
		p.say("   Sale %s of %d.%02d CAD: %s", sale.ID, amount/100, amount%100, sale.Status)
	}
	return sale, err
}

func (p player) scan(code string) error {
	p.say("   The customer's code is scanned: %s…%s", code[:2], code[len(code)-4:])
	return p.Scanner.Scan(code)
}

// follow prints each state of the sale until it is as wanted.
func (p player) follow(ctx context.Context, sale client.Sale, until func(client.Sale) bool) (client.Sale, error) {
	for last := ""; !until(sale); {
		if sale.Final() {
			return sale, fmt.Errorf("the sale ended %s", sale.Status)
		}
		next, err := p.Register.WaitSale(ctx, sale.ID, sale.Version, 10*time.Second)
		if err != nil {
			return sale, err
		}
		if next.Version > sale.Version {
			line := fmt.Sprintf("   → %s", next.Status)
			if n := len(next.Attempts); n > 0 {
				line += ", attempt " + next.Attempts[n-1].Status
			}
			if line != last { // what changed may be nothing that is shown here
				p.say("%s", line)
			}
			last = line
		}
		sale = next
	}
	return sale, nil
}

// expectPaid waits until the sale is paid, and compares with the gateway's truth.
func (p player) expectPaid(ctx context.Context, sale client.Sale) error {
	sale, err := p.follow(ctx, sale, func(s client.Sale) bool { return s.Status == client.StatusPaid })
	if err != nil {
		return err
	}
	truth, err := p.Order(sale.Attempts[0].RequestID)
	if err != nil {
		return err
	}
	p.say("   Paid: %s. The gateway took the money %d time(s), from %d request(s).", sale.Receipt.PaymentID, truth.Captures, truth.Sends)
	if truth.Captures != 1 {
		return fmt.Errorf("the gateway took the money %d times", truth.Captures)
	}
	return nil
}

// explain says how to go on by hand.
func (p player) explain(program string) {
	p.say(`
Now try it by hand. The counter stays up until Ctrl-C. Open these two pages in a browser:

  The customer's display:
    %[5]s/
  The practice gateway: its orders, each with the customer's wallet, and what the last two digits of a code choose:
    %[3]s/

  A sale by command; type a code such as 281234567890123400 and Enter, or wait for the QR:
    %[2]s sale 12.34 --config %[1]s/payscand.toml

  A sale by curl, as a register would make it, and a code that the register scanned itself:
    curl --unix-socket %[1]s/api.sock http://payscand/v1/sales \
      -H 'Content-Type: application/json' -H 'Idempotency-Key: my-key-1' -d '{"amount": 1234, "currency": "CAD"}'
    curl --unix-socket %[1]s/api.sock http://payscand/v1/sales/THE-ID/code \
      -H 'Content-Type: application/json' -d '{"code": "281234567890123400"}'

  The API's description:
    %[4]s/docs`, p.dir, program, p.Gateway, p.API, p.Kiosk)
}
