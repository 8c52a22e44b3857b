package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"payscand/internal/counter"
)

// gateway is one of the counter's practice gateways: the first is the counter's
// own, the others are added. To have another is to add a line.
type gateway struct {
	name   string
	wallet string // whose codes are routed to it
	prefix string // of such codes; 16 digits follow
	// lies is a behaviour that is not played here: a verified answer says what is
	// not so, and nothing else in the vendor's protocol tells the truth.
	lies string
	// section is its part of the configuration; %[1]s is its address, %[2]s the
	// folder of its keys, %[3]s where notifications are taken.
	section string
}

const alphaPay = "alphapay"

var gateways = []gateway{
	{name: alphaPay, wallet: "wechat", prefix: "13"},
	{name: "alipayplus", wallet: "alipayplus", prefix: "28", lies: "46", section: `
[gateway.alipayplus]
base_url = "%[1]s"
client_id = "PRACTICE_CLIENT1"
notify_url = "http://%[3]s/notify/alipayplus"
private_key_file = "%[2]s/alipayplus_client_private.pem"
platform_key_file = "%[2]s/alipayplus_platform_public.pem"

` + counter.AlipayPlusShop + `
[notify]
listen = "%[3]s"

`},
}

// Setting is what every campaign needs.
type Setting struct {
	Program string // the payscand to try
	Dir     string // an existing folder for everything that is written; its path must be short
	Seed    uint64
	// Log gets a line for each step worth one; may be nil.
	Log func(format string, args ...any)
}

func (s Setting) log(format string, args ...any) {
	if s.Log != nil {
		s.Log(format, args...)
	}
}

func (s Setting) random() *rand.Rand { return rand.New(rand.NewPCG(s.Seed, 1)) } //nolint:gosec // repeatable

// shop is a counter with all its gateways.
type shop struct {
	*counter.Counter
	dir      string
	ledgers  []counter.Ledger
	practice []*counter.Practice // the added ones
}

var hosts atomic.Uint32

// ownHost is a loopback address that no other campaign uses, in this process or beside it.
func ownHost() string {
	process := uint32(os.Getpid()) & 0x1ffff
	n := process<<6 | hosts.Add(1)&0x3f
	return fmt.Sprintf("127.%d.%d.%d", 128|1+n>>16, n>>8&0xff, n&0xff)
}

// openShop opens a counter whose time runs so many times faster; 1 is a real
// one's. database is the path of its own, or empty.
func openShop(ctx context.Context, s Setting, speed int, extra, database string) (sh *shop, err error) {
	sh = &shop{}
	if sh.dir, err = os.MkdirTemp(s.Dir, "c"); err != nil {
		return sh, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, sh.close())
		}
	}()
	host := ownHost()
	notify := host + ":8482"
	practice := []string{"--seed", fmt.Sprint(s.Seed), "--speed", fmt.Sprint(speed), "--notify-speed", fmt.Sprint(max(60, speed))}
	var config strings.Builder
	for i, g := range gateways[1:] {
		at := filepath.Join(sh.dir, fmt.Sprint("gateway", i+2))
		if err := os.Mkdir(at, 0o700); err != nil {
			return sh, err
		}
		p, err := counter.StartPractice(ctx, s.Program, host, fmt.Sprint(8491+i), at, practice...)
		sh.practice = append(sh.practice, p)
		if err != nil {
			return sh, err
		}
		fmt.Fprintf(&config, g.section, p.URL, p.Dir, notify)
	}
	for _, g := range gateways {
		fmt.Fprintf(&config, "[[route]]\nwallet = %q\ninstrument = \"code\"\ngateway = %q\n\n", g.wallet, g.name)
	}
	fmt.Fprintf(&config, "[[route]]\ngateway = %q\n\n[policy]\nspeed = %d\n\n%s", qrGateway(s.Seed), speed, extra)
	sh.Counter, err = counter.Open(ctx, counter.Options{
		Program: s.Program, Dir: sh.dir, Host: host, Database: database, Extra: config.String(), SandboxArgs: practice,
	})
	if sh.Counter != nil {
		sh.ledgers = append(sh.ledgers, sh.Ledger)
	}
	for _, p := range sh.practice {
		sh.ledgers = append(sh.ledgers, p.Ledger)
	}
	return sh, err
}

func (s *shop) close() error {
	var errs []error
	if s.Counter != nil {
		errs = append(errs, s.Counter.Close())
	}
	for _, p := range s.practice {
		errs = append(errs, p.Stop())
	}
	return errors.Join(errs...)
}

// qrGateway is the one whose QRs are shown.
func qrGateway(seed uint64) string { return gateways[seed%uint64(len(gateways))].name }

// code makes a payment code of a gateway that ends in the behaviour's digits.
func code(random *rand.Rand, g gateway, behaviour string) string {
	return fmt.Sprintf("%s%014d%s", g.prefix, random.Int64N(1e14), behaviour)
}

// books are what each sale brought in, in minor units.
type books map[string]int64

// gatewayBooks sums what the gateways took and gave back, by sale. captured are
// the sales that they took anything for, by payment id.
func (s *shop) gatewayBooks() (net books, captured map[string]string, err error) {
	net, captured = make(books), make(map[string]string)
	for _, l := range s.ledgers {
		orders, err := l.Orders()
		if err != nil {
			return nil, nil, err
		}
		for _, o := range orders {
			sale, _, _ := strings.Cut(o.RequestID, "-")
			net[sale] += o.Kept()
			if o.Captures > 0 {
				captured[o.PaymentID] = sale
			}
		}
	}
	return net, captured, nil
}
