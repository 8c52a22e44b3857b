package simulation

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// bite is one broken rule: a world is played up to a moment, something is made
// wrong in it, and the oracle must say so in these words.
type bite struct {
	name     string
	schedule string
	until    func(*world) bool
	spoil    func(w *world, f *saleFacts)
	want     string
}

const (
	waits    = "wallet/1/0=1 wallet-delay/1/0=6 "
	showsQR  = "mode/0/0=2 "
	alipayIs = "gateways/0/0=1 "
)

// Moments up to which a world is played.
func first(status payment.SaleStatus) func(*world) bool {
	return func(w *world) bool { return len(w.oracle.order) > 0 && w.oracle.order[0].sale.Status == status }
}

// flying: a call of this kind has just left.
func flying(kind payment.CallKind) func(*world) bool {
	return func(w *world) bool {
		return slices.ContainsFunc(w.network.flights, func(f *flight) bool { return f.call.Kind == kind && !f.answered })
	}
}

func refundIs(status payment.RefundStatus) func(*world) bool {
	return func(w *world) bool {
		return len(w.oracle.order) > 0 && len(w.oracle.order[0].sale.Refunds) > 0 && w.oracle.order[0].sale.Refunds[0].Status == status
	}
}

var (
	armed      = first(payment.SaleAwaitingCode)
	processing = first(payment.SaleProcessing)
	unresolved = first(payment.SaleUnresolved)
	paid       = first(payment.SalePaid)
	visible    = func(w *world) bool { return len(w.oracle.order) > 0 && w.oracle.order[0].sale.VisibleQR() != nil }
)

// refundsAll is a day on which the cashier refunds the first sale.
const refundsAll = "refund/0/0=1 "

// playedTo plays a scripted world up to a moment.
func playedTo(t *testing.T, schedule string, until func(*world) bool) *world {
	t.Helper()
	s, err := ParseSchedule(schedule)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(newScriptedDecider(s))
	w.oracle.stream = newRegister(w)
	w.start()
	w.shop.open()
	for w.broken == nil && !until(w) {
		e, ok := w.queue.pop()
		if !ok {
			t.Fatal("the moment never came")
		}
		w.now = e.at
		e.do()
	}
	if w.broken != nil {
		t.Fatal(w.broken)
	}
	return w
}

// commits puts a changed sale before the oracle as a commit.
func commits(w *world, f *saleFacts, change func(s *payment.Sale)) {
	before, after := f.sale, f.sale
	after.Attempts = slices.Clone(before.Attempts)
	after.Refunds = slices.Clone(before.Refunds)
	change(&after)
	w.oracle.commits([]payment.Change{{Before: before, After: after}})
}

// turns lets the oracle look as after a turn of the engine.
func turns(w *world) { w.oracle.turned(w.clock.wall(w.now), nil, terminal.Result{}) }

// leaves puts a flight before the oracle once more, as if nothing of it had left.
func leaves(w *world, f *saleFacts, change func(*flight)) {
	again := *w.network.flights[len(w.network.flights)-1]
	f.attempts[0].flight = nil
	change(&again)
	w.oracle.starts(&again)
}

// onDisk changes what the disk gives back.
func onDisk(w *world, change func(*payment.Sale)) { w.disk.damage = &damage{sale: change} }

// anotherSale is a sale of another visit at the same counter.
func anotherSale(s payment.Sale) payment.Sale {
	s.ID, s.Key, s.Status, s.Version, s.Attempts = "another", "key-1", payment.SaleAwaitingCode, 1, nil
	return s
}

func theOrder(w *world) *order { return w.gateways[0].orders[0] }

func bites() []bite {
	return slices.Concat(saleBites(), attemptBites(), callBites(), counterBites(), diskBites(), endBites(), refundBites(), returnedBites(), boundBites(),
		paceBites(), wordBites(), machineBites())
}

// saleBites break what holds for sales among each other.
func saleBites() []bite {
	return []bite{
		{"two sales of one key", "", paid, func(w *world, f *saleFacts) {
			s := anotherSale(f.sale)
			s.Key = f.sale.Key
			w.oracle.made(s)
		}, "two sales with the idempotency key"},
		{"two live sales", waits, processing, func(w *world, f *saleFacts) { w.oracle.made(anotherSale(f.sale)) }, "is made while"},
		{"a twin without a word", waits + "fate/1/1=1 fate/1/2=1 fate/1/3=1 fate/1/4=1", unresolved, func(w *world, f *saleFacts) {
			w.oracle.made(anotherSale(f.sale))
		}, "M11: "},
		{"a sale that is over moves", "", paid, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Status, s.Version = payment.SaleExpired, s.Version+1 })
		}, "which is final"},
		{"a version is left out", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Status, s.Version = payment.SaleCancelling, s.Version+2 })
		}, "from version"},
		{"a change is not told", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Status = payment.SaleCancelling })
		}, "without a new version"},
		{"a code is kept for later", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Next = &payment.NextCode{Code: payment.NewCode(paymentCode(0, 7))} })
		}, "keeps a code for later"},
		{"unresolved and live again", waits + "fate/1/1=1 fate/1/2=1 fate/1/3=1 fate/1/4=1", unresolved, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Status, s.Version = payment.SaleProcessing, s.Version+1 })
		}, "live again"},
		{"a QR beside a live attempt", showsQR, visible, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) {
				again := s.Attempts[0]
				again.N, again.RequestID = 2, s.ID+"-2"
				s.Attempts = append(s.Attempts, again)
			})
		}, "P2: sale 01JNB6Z7Y0C0VNTERSA1E00001 shows a QR while"},
		{"a QR for a scanned code", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) {
				s.Status, s.Version = payment.SaleShowingQR, s.Version+1
				s.Attempts[0].Status, s.Attempts[0].QR = payment.AttemptPending, &payment.QR{Payload: "https://pay.example/x"}
			})
		}, "P2: sale 01JNB6Z7Y0C0VNTERSA1E00001 shows a QR for"},
		{"the idempotency key of another sale", "", armed, func(w *world, f *saleFacts) {
			w.oracle.holdKey(terminal.Create{ID: "x", Sale: terminal.NewSale{Key: f.sale.Key}}, terminal.Reply{Sale: payment.Sale{ID: "x"}})
		}, "is answered with sale x"},
		{"a new sale is called a repetition", "", armed, func(w *world, f *saleFacts) {
			w.oracle.holdKey(terminal.Create{ID: f.sale.ID, Sale: terminal.NewSale{Key: f.sale.Key}}, terminal.Reply{Sale: f.sale, Replayed: true})
		}, "replayed true"},
		{"a reply of what was never committed", "", armed, func(w *world, _ *saleFacts) {
			w.oracle.told(payment.Sale{ID: "another", Version: 1})
		}, "never committed"},
	}
}

// attemptBites break what holds for attempts.
func attemptBites() []bite {
	second := func(s *payment.Sale) *payment.Attempt {
		again := s.Attempts[0]
		again.N, again.RequestID = 2, s.ID+"-2"
		s.Attempts = append(s.Attempts, again)
		return &s.Attempts[1]
	}
	saysPaid := func(id string, sum func(payment.Money) payment.Money) func(w *world, f *saleFacts) {
		return func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) {
				s.Status, s.Version = payment.SalePaid, s.Version+1
				s.Attempts[0].Status, s.Attempts[0].Code = payment.AttemptPaid, payment.Code{}
				s.Receipt = &payment.Receipt{PaymentID: id, PaidAmount: sum(s.Amount)}
			})
		}
	}
	right := func(m payment.Money) payment.Money { return m }
	wrong := func(m payment.Money) payment.Money { m.Amount++; return m }
	return []bite{
		{"two live attempts", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { second(s) })
		}, "begins while the one before is live"},
		{"a live attempt that is not the last", waits, processing, func(w *world, f *saleFacts) {
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.attempts = append(f.attempts, attemptFacts{})
			second(&f.sale).Status = payment.AttemptFailed
			f.sale.Attempts[0].Status = payment.AttemptSubmitting
			commits(w, f, func(s *payment.Sale) { s.Attempts[0].Status = payment.AttemptUnknown })
		}, "is live and not the last"},
		{"a code that was scanned for another sale", "", armed, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) {
				s.Status, s.Version = payment.SaleProcessing, s.Version+1
				s.Attempts = []payment.Attempt{{
					N: 1, RequestID: s.ID + "-1", Gateway: "alphapay", Instrument: payment.InstrumentCode,
					Status: payment.AttemptSubmitting, Code: payment.NewCode("289999999999999999"),
				}}
			})
		}, "P7: "},
		{"a code that another sale has just submitted", "", paid, func(w *world, f *saleFacts) {
			s := anotherSale(f.sale)
			w.oracle.scanned(paymentCode(0, 0), s.ID)
			s.Status = payment.SaleProcessing
			s.Attempts = []payment.Attempt{{
				N: 1, RequestID: "another-1", Gateway: "alphapay", Instrument: payment.InstrumentCode, Status: payment.AttemptSubmitting,
				Code: payment.NewCode(paymentCode(0, 0)), SubmittedAt: w.clock.wall(w.now),
			}}
			w.oracle.commits([]payment.Change{{After: s}})
		}, "M10: "},
		{"an attempt that is over moves", "", paid, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Attempts[0].Status = payment.AttemptClosed })
		}, "attempt 01JNB6Z7Y0C0VNTERSA1E00001-1 was paid, which is final"},
		{"an attempt that is over keeps its code", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) {
				s.Status, s.Version = payment.SaleAwaitingCode, s.Version+1
				s.Attempts[0].Status, s.Attempts[0].Code = payment.AttemptFailed, payment.NewCode("281234567890123456")
			})
		}, "keeps its payment code"},
		{"paid without a capture", waits, processing, saysPaid("alphapay-1", right), "the gateway knows no such capture"},
		{"paid with another amount", waits, processing, func(w *world, f *saleFacts) {
			letArrive(w)
			theOrder(w).pay()
			saysPaid("alphapay-1", wrong)(w, f)
		}, "the gateway knows no such capture"},
		{"paid by another order", waits, processing, func(w *world, f *saleFacts) {
			letArrive(w)
			theOrder(w).pay()
			saysPaid("alphapay-7", right)(w, f)
		}, "the gateway knows no such capture"},
		{"paid though it was given back", alipayIs + waits, processing, func(w *world, f *saleFacts) {
			letArrive(w)
			theOrder(w).pay()
			theOrder(w).reversed = true
			saysPaid("alipayplus-1", right)(w, f)
		}, "the gateway knows no such capture"},
		{"paid after a cancel that gives back", alipayIs + waits, processing, func(w *world, f *saleFacts) {
			letArrive(w)
			theOrder(w).pay()
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Cancels = 1
			saysPaid("alipayplus-1", right)(w, f)
		}, "M5: sale"},
	}
}

// letArrive lets the request that is on its way arrive.
func letArrive(w *world) {
	for len(w.gateways[0].orders) == 0 {
		e, _ := w.queue.pop()
		w.now = e.at
		e.do()
	}
}

// callBites break what holds for a call that leaves.
func callBites() []bite {
	same := func(*flight) {}
	return []bite{
		{"a call that the disk knows nothing of", "", armed, func(w *world, f *saleFacts) {
			w.oracle.starts(&flight{call: payment.Call{Sale: f.sale.ID, Attempt: 1, Seq: 1, Kind: payment.CallPay, Gateway: "alphapay"}})
		}, "knows nothing of it"},
		{"a call that is not the one intended", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			leaves(w, f, func(f *flight) { f.call.Seq++ })
		}, "another intent"},
		{"a call beside one that moves money", waits, flying(payment.CallPay), func(w *world, _ *saleFacts) {
			w.oracle.starts(w.network.flights[len(w.network.flights)-1])
		}, "is under way"},
		{"a cancel without a question before it", waits + "cancel/0/0=1 cancel/0/1=2", flying(payment.CallCancel), func(w *world, f *saleFacts) {
			f.attempts[0].asked = false
			leaves(w, f, same)
		}, "without a fresh inquiry"},
		{"a pay whose request was not stored", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			onDisk(w, func(s *payment.Sale) { s.Attempts[0].Intent.Head = "" })
			leaves(w, f, same)
		}, "without its stored request"},
		{"a pay whose code was not stored", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			onDisk(w, func(s *payment.Sale) { s.Attempts[0].Code = payment.Code{} })
			leaves(w, f, same)
		}, "without its stored request or code"},
		{"a pay that is not what was stored", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			leaves(w, f, func(f *flight) { f.attempt.Intent.Tail += " " })
		}, "with another body than is stored"},
		{"a second send with another body", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			f.attempts[0].body = "the first"
			leaves(w, f, same)
		}, "sent again with another body"},
		{"a second send after the fast phase", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			onDisk(w, func(s *payment.Sale) { s.Attempts[0].CalledAt = s.Attempts[0].SubmittedAt.Add(2 * time.Minute) })
			leaves(w, f, same)
		}, "after the scan"},
		{"a second send after the cashier's cancel", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			onDisk(w, func(s *payment.Sale) { s.Attempts[0].Sends = 2 })
			w.oracle.cancelAccepted(f.sale.ID)
			leaves(w, f, same)
		}, "after the cashier's cancel"},
		{"more calls than slots", waits, flying(payment.CallPay), func(w *world, f *saleFacts) {
			for i := range 9 {
				w.network.flights = append(w.network.flights, &flight{call: payment.Call{Sale: fmt.Sprint(i), Kind: payment.CallInquire, Gateway: "alphapay"}})
			}
			again := *w.network.flights[0]
			f.attempts[0].flight = nil
			w.oracle.starts(&again)
		}, "P10: "},
		{"an outcome of no call", "", armed, func(w *world, _ *saleFacts) {
			w.network.taken(terminal.Answered{Call: payment.Call{Sale: "x", Seq: 1}})
		}, "not under way"},
	}
}

// counterBites break what holds for the counter: codes, QRs and times.
func counterBites() []bite {
	return []bite{
		{"a QR on the screen near its expiry", showsQR, visible, func(w *world, f *saleFacts) {
			w.oracle.turned(f.sale.Attempts[0].ExpiresAt.Add(-w.policy.QRMargin), nil, terminal.Result{})
		}, "M8: "},
		{"a code that is kept after the fast phase", waits, processing, func(w *world, f *saleFacts) {
			w.oracle.turned(f.sale.Attempts[0].SubmittedAt.Add(w.policy.FastPhase), nil, terminal.Result{})
		}, "M7: attempt 01JNB6Z7Y0C0VNTERSA1E00001-1 keeps its code"},
		{"a second send is planned without its code", waits, processing, func(w *world, f *saleFacts) {
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Next, f.sale.Attempts[0].Code = payment.CallPay, payment.Code{}
			turns(w)
		}, "to be sent again without its code"},
		{"a cancel that does not free the counter", waits, processing, func(w *world, f *saleFacts) {
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Code = payment.Code{}
			w.oracle.cancelAccepted(f.sale.ID)
			w.now += w.policy.CancelBound + slack + 1
			turns(w)
		}, "after the cashier's cancel sale"},
		{"a sale that holds the counter", "", armed, func(w *world, _ *saleFacts) {
			w.now += time.Hour
			turns(w)
		}, "M15: sale 01JNB6Z7Y0C0VNTERSA1E00001 holds the counter"},
		{"a code that holds the counter", waits, processing, func(w *world, f *saleFacts) {
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Code = payment.Code{}
			w.now += blockBound(w.policy) + slack + 1
			turns(w)
		}, "M15: a code of sale"},
	}
}

// diskBites break what the disk gives back, and the event stream (P6).
func diskBites() []bite {
	journal := func(change func(page []payment.JournalRecord) ([]payment.JournalRecord, error)) func(w *world, f *saleFacts) {
		return func(w *world, _ *saleFacts) {
			w.disk.damage = &damage{journal: change}
			w.oracle.stream.cursor = 0
			clear(w.oracle.stream.views)
			w.oracle.stream.atTheEnd()
		}
	}
	return []bite{
		{"the disk forgets a sale that was told of", waits, processing, func(w *world, _ *saleFacts) {
			w.disk.Store = newDisk(w).Store
			w.oracle.restarted()
		}, "is gone"},
		{"the disk forgets what was told", waits, processing, func(w *world, f *saleFacts) {
			f.ackedVersion = 99
			w.oracle.restarted()
		}, "was told as version"},
		{"an end that was told is forgotten", "", paid, func(w *world, f *saleFacts) {
			f.ackedStatus = payment.SaleExpired
			w.oracle.restarted()
		}, "was told as version"},
		{"the disk has another version than was committed", waits, processing, func(w *world, f *saleFacts) {
			f.ackedVersion = 0
			f.sale.Version++
			w.oracle.restarted()
		}, "was committed as version"},
		{"a key leads to another sale", waits, processing, func(w *world, _ *saleFacts) {
			w.disk.damage = &damage{key: "another"}
			w.oracle.restarted()
		}, "leads to"},
		{"the disk keeps a code of no use", "", paid, func(w *world, _ *saleFacts) {
			onDisk(w, func(s *payment.Sale) { s.Attempts[0].Code = payment.NewCode(paymentCode(0, 0)) })
			w.oracle.restarted()
		}, "M7: sale"},
		{"the journal cannot be read", "", paid, journal(func([]payment.JournalRecord) ([]payment.JournalRecord, error) {
			return nil, errors.New("bad sector")
		}), "the event stream after"},
		{"a record is missing", "", paid, journal(func(page []payment.JournalRecord) ([]payment.JournalRecord, error) {
			return slices.DeleteFunc(page, func(r payment.JournalRecord) bool { return r.Seq == 2 }), nil
		}), "the event stream goes from"},
		{"two records change places", "", paid, journal(func(page []payment.JournalRecord) ([]payment.JournalRecord, error) {
			if len(page) > 3 && page[0].Seq == 1 {
				page[2], page[3] = page[3], page[2]
				page[2].Seq, page[3].Seq = 3, 4
			}
			return page, nil
		}), "in the event stream"},
		{"a record's fields are no JSON", "", paid, journal(func(page []payment.JournalRecord) ([]payment.JournalRecord, error) {
			for i := range page {
				page[i].Fields = json.RawMessage("{")
			}
			return page, nil
		}), "journal record"},
		{"a record was altered", "", paid, journal(func(page []payment.JournalRecord) ([]payment.JournalRecord, error) {
			for i := range page {
				page[i].At = page[i].At.Add(time.Second)
			}
			return page, nil
		}), "the journal's chain"},
		{"the register is left behind", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.stream.atTheEnd()
			w.oracle.stream.cursor--
			w.disk.damage = &damage{journal: func(page []payment.JournalRecord) ([]payment.JournalRecord, error) {
				if len(page) == 1 {
					return nil, nil
				}
				return page, nil
			}}
			w.oracle.stream.atTheEnd()
		}, "the journal's chain"},
		{"the journal folds to another sale", "", paid, func(w *world, f *saleFacts) {
			w.oracle.stream.atTheEnd()
			v := w.oracle.stream.views[f.sale.ID]
			v.Reference = "another"
			w.oracle.stream.views[f.sale.ID] = v
			w.oracle.stream.atTheEnd()
		}, "the journal folded gives"},
		{"a sale of the journal is not on the disk", "", paid, func(w *world, f *saleFacts) {
			f.sale.ID = "gone"
			w.oracle.stream.atTheEnd()
		}, "sale gone: "},
	}
}

// endBites break what the end of a day shows.
func endBites() []bite {
	healed := func(w *world) {
		w.healed = true
		for _, v := range w.shop.visits {
			v.sale = w.oracle.order[0].sale.ID
		}
	}
	return []bite{
		{"a capture that nobody here knows of", "", paid, func(w *world, f *saleFacts) {
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Status = payment.AttemptClosed
			w.oracle.compare(f, 0)
		}, "neither given back nor reported"},
		{"late money of a cancelled sale is kept without a word", "", paid, func(w *world, f *saleFacts) {
			f.sale.Late, f.sale.CancelWanted = true, true
			w.oracle.compare(f, 0)
		}, "neither given back nor reported"},
		{"a reversal that did not happen", "", paid, func(w *world, f *saleFacts) {
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Status, f.sale.Attempts[0].Capture = payment.AttemptClosed, &payment.Capture{PaymentID: "alphapay-1"}
			w.oracle.compare(f, 0)
		}, "neither given back nor reported"},
		{"paid, and nothing is captured", "", paid, func(w *world, f *saleFacts) {
			theOrder(w).captured = false
			w.oracle.compare(f, 0)
		}, "and nothing is captured"},
		{"a sale that was captured twice", alipayIs, paid, func(w *world, f *saleFacts) {
			g := w.gateways[0]
			g.byRequest[f.sale.Attempts[0].RequestID] = append(g.byRequest[f.sale.Attempts[0].RequestID], theOrder(w))
			w.oracle.compare(f, 0)
		}, "was captured 2 times"},
		{"two paid attempts", "", paid, func(w *world, f *saleFacts) {
			healed(w)
			f.sale.Status = payment.SaleExpired
			w.oracle.atTheEnd()
		}, "with 1 paid attempts"},
		{"trouble without an end", "", paid, func(w *world, _ *saleFacts) { w.oracle.atTheEnd() }, "the run ended before"},
		{"a counter that serves nobody", "", armed, func(w *world, _ *saleFacts) {
			healed(w)
			w.oracle.atTheEnd()
		}, "a customer cannot pay"},
		{"a refund that is still open", "", paid, func(w *world, f *saleFacts) {
			healed(w)
			f.sale.Refunds = []payment.Refund{{RequestID: "r", Attempt: 1, Status: payment.RefundPending}}
			w.oracle.atTheEnd()
		}, "M12: at the end"},
		{"a sale that is still unresolved", "", paid, func(w *world, f *saleFacts) {
			healed(w)
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Status, f.sale.Attempts[0].Status = payment.SaleUnresolved, payment.AttemptUnknown
			w.oracle.atTheEnd()
		}, "P5: at the end"},
	}
}

// refundBites break refunds and reversals (M12, M13).
func refundBites() []bite {
	begun := func(change func(w *world, f *saleFacts, s *payment.Sale, r *payment.Refund)) func(w *world, f *saleFacts) {
		return func(w *world, f *saleFacts) {
			s := f.sale
			s.Attempts = slices.Clone(s.Attempts)
			r := payment.Refund{
				N: 1, RequestID: s.ID + "-10", Attempt: 1, Amount: s.Amount, Status: payment.RefundSubmitting, Key: "asked",
				RequestedAt: w.clock.wall(w.now),
			}
			w.oracle.refundAsked("asked", refundWish{sale: s.ID})
			change(w, f, &s, &r)
			s.Refunds = append(slices.Clone(s.Refunds), r)
			w.oracle.holdRefunds(f, f.sale, s)
		}
	}
	reversal := func(sightings int, status payment.AttemptStatus) func(w *world, f *saleFacts, s *payment.Sale, r *payment.Refund) {
		return func(_ *world, f *saleFacts, s *payment.Sale, r *payment.Refund) {
			r.Automatic, s.Attempts[0].Status, f.attempts[0].sightings = true, status, sightings
		}
	}
	return []bite{
		{"a refund above what was paid", "", paid, begun(func(_ *world, _ *saleFacts, _ *payment.Sale, r *payment.Refund) { r.Amount.Amount++ }), "M13: refund"},
		{"two refunds that are above it together", "", paid, begun(func(_ *world, _ *saleFacts, s *payment.Sale, r *payment.Refund) {
			other := *r
			other.Status, other.Amount.Amount = payment.RefundPending, 1
			s.Refunds = append(s.Refunds, other)
		}), "M13: refund"},
		{"a refund in another currency", "", paid, begun(func(_ *world, _ *saleFacts, _ *payment.Sale, r *payment.Refund) { r.Amount.Currency = "USD" }), "M13: refund"},
		{"a refund of nothing", "", paid, begun(func(_ *world, _ *saleFacts, _ *payment.Sale, r *payment.Refund) { r.Amount.Amount = 0 }), "M13: refund"},
		{"a refund that nobody asked for", "", paid, begun(func(_ *world, _ *saleFacts, _ *payment.Sale, r *payment.Refund) { r.Key = "unheard of" }), "was not asked for"},
		{"a refund of what is not paid", "", paid, begun(func(_ *world, _ *saleFacts, s *payment.Sale, _ *payment.Refund) {
			s.Attempts[0].Status = payment.AttemptClosed
		}), "was not asked for"},
		{"a paid sale is reversed", "", paid, begun(reversal(2, payment.AttemptPaid)), "M12: the capture of attempt 01JNB6Z7Y0C0VNTERSA1E00001-1, which"},
		{"late money is reversed though nobody cancelled", "", paid, begun(func(w *world, f *saleFacts, s *payment.Sale, r *payment.Refund) {
			s.Late = true
			reversal(2, payment.AttemptPaid)(w, f, s, r)
		}), "M12: the capture of attempt 01JNB6Z7Y0C0VNTERSA1E00001-1, which"},
		{"a live attempt is reversed", "", paid, begun(reversal(2, payment.AttemptUnknown)), "M12: the capture of attempt 01JNB6Z7Y0C0VNTERSA1E00001-1, which"},
		{"a reversal after one look", "", paid, begun(reversal(1, payment.AttemptClosed)), "after 1 sightings"},
		{"a fourth reversal in a day", "", paid, begun(func(w *world, f *saleFacts, s *payment.Sale, r *payment.Refund) {
			reversal(2, payment.AttemptClosed)(w, f, s, r)
			for i := range w.policy.MaxReversalsPerDay {
				w.oracle.reversals = append(w.oracle.reversals, r.RequestedAt.Add(-time.Duration(i)*time.Hour))
			}
		}), "the day's reversal number 4"},
		{"a refund that is over moves", refundsAll, refundIs(payment.RefundSucceeded), func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Refunds[0].Status = payment.RefundFailed })
		}, "was succeeded, which is final"},
		{"a refund is said to be done and is not", refundsAll, refundIs(payment.RefundSubmitting), func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Refunds[0].Status = payment.RefundSucceeded })
		}, "gave nothing back"},
		{"a refund is said to have failed and has not", refundsAll, refundIs(payment.RefundSucceeded), func(w *world, f *saleFacts) {
			f.sale.Refunds = slices.Clone(f.sale.Refunds)
			f.sale.Refunds[0].Status = payment.RefundFailed
			w.oracle.compare(f, 0)
		}, "were given back"},
		{"a part is given back twice", "", paid, func(w *world, f *saleFacts) {
			part := payment.Money{Amount: 300, Currency: "CAD"}
			made := &refund{order: theOrder(w), requestID: f.sale.ID + "-10", amount: part, state: payment.ClassRefunded}
			again := *made
			w.oracle.givesBack(&again, []*refund{made})
		}, "is given twice"},
		{"a refund's key leads to another refund", refundsAll, refundIs(payment.RefundSucceeded), func(w *world, f *saleFacts) {
			w.oracle.holdRefundReply("another", terminal.Reply{Sale: f.sale, Refund: 1})
		}, "the refund with key"},
	}
}

// returnedBites break what is said of money that somebody else gave back.
func returnedBites() []bite {
	whole := &payment.Returned{Extent: payment.ReturnedInFull, Amount: payment.Money{Amount: 1000, Currency: "CAD"}}
	done := []payment.Refund{{RequestID: "r", Attempt: 1, Amount: whole.Amount, Status: payment.RefundSucceeded}}
	return []bite{
		{"what the gateway told is not kept", "", paid, func(w *world, f *saleFacts) {
			w.oracle.toldPaid = append(w.oracle.toldPaid, toldPaid{f.sale.ID, 1, payment.ReturnedInFull})
			turns(w)
		}, "and the sale does not say so"},
		{"refunded at the gateway, and it was not", "", paid, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Attempts[0].Returned = whole })
		}, "is said to be refunded at the gateway"},
		{"refunded in full at the gateway, and it was a part", "", paid, func(w *world, f *saleFacts) {
			w.gateways[0].portal(theOrder(w), 300)
			commits(w, f, func(s *payment.Sale) { s.Attempts[0].Returned = whole })
		}, "is said to be refunded at the gateway"},
		{"a refund at the gateway is forgotten", "", paid, func(w *world, f *saleFacts) {
			w.gateways[0].portal(theOrder(w), 1000)
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			f.sale.Attempts[0].Returned = whole
			commits(w, f, func(s *payment.Sale) { s.Attempts[0].Returned = nil })
		}, "is not said to be refunded any more"},
		{"more is said to be refunded than was", "", paid, func(w *world, f *saleFacts) {
			after := f.sale
			after.Refunds = done
			w.oracle.holdReturned(f.sale, after)
		}, "says that 1000 were refunded, and 0 were"},
		{"less is said to be refunded than before", "", paid, func(w *world, f *saleFacts) {
			w.gateways[0].portal(theOrder(w), 1000)
			before := f.sale
			before.Refunds = done
			w.oracle.holdReturned(before, f.sale)
		}, "says that 0 were refunded, and said 1000 before"},
	}
}

// boundBites break the bounds within which all must be over (P5, M12).
func boundBites() []bite {
	late := func(change func(f *saleFacts)) func(w *world, f *saleFacts) {
		return func(w *world, f *saleFacts) {
			w.healed, w.healedAt, w.now = true, w.now, w.now+30*24*time.Hour
			for _, v := range w.shop.visits {
				v.over = true
			}
			f.sale.Attempts = slices.Clone(f.sale.Attempts)
			change(f)
			w.oracle.settled()
		}
	}
	return []bite{
		{"a capture that is not found in time", "", paid, late(func(f *saleFacts) {
			f.sale.Status, f.sale.Attempts[0].Status = payment.SaleUnresolved, payment.AttemptUnknown
		}), "it was captured"},
		{"a refund that is not over in time", "", paid, late(func(f *saleFacts) {
			f.sale.Refunds = []payment.Refund{{RequestID: "r", Attempt: 1, Status: payment.RefundPending}}
		}), "after all trouble ended sale 01JNB6Z7Y0C0VNTERSA1E00001 is paid, and refund"},
	}
}

// The oracle sees each broken rule, and names it.
func TestOracleRules(t *testing.T) {
	for _, b := range bites() {
		t.Run(b.name, func(t *testing.T) {
			if said := b.said(t); !strings.Contains(said, b.want) {
				t.Errorf("the oracle says %q, want %q", said, b.want)
			}
		})
	}
}

// said is what the oracle says once the rule is broken.
func (b bite) said(t *testing.T) string {
	t.Helper()
	w := playedTo(t, b.schedule, b.until)
	b.spoil(w, w.oracle.order[0])
	if w.broken == nil {
		return ""
	}
	return w.broken.Error()
}

// Every rule of the oracle, of the event stream's reader and of the bounds is
// broken by one of the tests above: what is in the source and never said is a
// rule that nobody has seen work.
func TestEveryRuleIsBroken(t *testing.T) {
	var said []string
	for _, b := range bites() {
		said = append(said, b.said(t))
	}
	names, err := filepath.Glob("oracle*.go")
	if err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, name := range append(names, "liveness.go", "register.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, format := range failures(t, name) {
			rules++
			pattern := regexp.MustCompile("^" + verbs.ReplaceAllString(regexp.QuoteMeta(format), "(?s:.*)") + "$")
			if !slices.ContainsFunc(said, pattern.MatchString) {
				t.Errorf("%s: no test breaks %q", name, format)
			}
		}
	}
	if rules < 50 {
		t.Errorf("only %d rules were found in the source: the search has lost its way", rules)
	}
}

var verbs = regexp.MustCompile(`%(\\\+)?[a-z]`)

// failures are the formats of all calls of fail in a file.
func failures(t *testing.T, name string) (formats []string) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || method.Sel.Name != "fail" {
			return true
		}
		format, ok := call.Args[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s: a call of fail without a literal format", name)
		}
		text, err := strconv.Unquote(format.Value)
		if err != nil {
			t.Fatal(err)
		}
		formats = append(formats, text)
		return true
	})
	return formats
}
