package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payscand/api"
	"payscand/api/client"
	"payscand/display"
	"payscand/internal/counter"
	"payscand/payment"
	"payscand/store"
)

// records are what a stopped daemon left in its database.
type records struct {
	journal []store.JournalRecord
	sales   map[string]payment.Sale
}

// audit ends a test: it closes the shop and holds everything that was said there against everything else.
func (s *shop) audit() {
	ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own may be over
	defer cancel()
	orders, err := s.Orders()
	if err != nil {
		s.t.Errorf("the gateway must be up at the end of a test: %v", err)
	}
	s.refreshShown(ctx)
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
	r := s.records()
	s.auditMoney(r, orders)
	s.auditJournal(r)
	s.auditSecrets(r)
	if s.t.Failed() {
		s.t.Logf("the daemon said last:\n%s", counter.Tail(s.DaemonLog(), 60))
	}
}

// refreshShown asks for every sale once more, if the daemon still runs.
func (s *shop) refreshShown(ctx context.Context) {
	for id := range s.shown {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://payscand/v1/sales/"+id, http.NoBody)
		if err != nil {
			s.t.Error(err)
			return
		}
		response, err := s.socket.Do(request)
		if err != nil {
			return
		}
		var sale client.Sale
		if err := json.NewDecoder(response.Body).Decode(&sale); err != nil || sale.ID != id {
			s.t.Errorf("sale %s: %s, %v", id, response.Status, err)
		}
		response.Body.Close()
		s.shown[id] = sale
	}
}

// records reads the database of a daemon that was stopped.
func (s *shop) records() records {
	r := records{sales: make(map[string]payment.Sale)}
	db, err := store.Open(s.Database())
	if err != nil {
		s.t.Error(err)
		return r
	}
	defer func() {
		if err := db.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	if _, err := store.VerifyChain(db); err != nil {
		s.t.Error(err)
	}
	for after := uint64(0); ; after = r.journal[len(r.journal)-1].Seq {
		page, err := db.Journal(after, store.MaxPage)
		if err != nil {
			s.t.Error(err)
		}
		if len(page) == 0 {
			break
		}
		r.journal = append(r.journal, page...)
	}
	for q := (store.Query{}); ; {
		page, err := db.Sales(q)
		if err != nil {
			s.t.Error(err)
		}
		for _, sale := range page.Sales {
			r.sales[sale.ID] = sale
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return r
		}
	}
}

// auditMoney compares with the gateway's truth, to the cent: money was taken once for every sale that is paid, and for no
// other but where a cancel gave it back; and what was kept of it is what the terminal says.
func (s *shop) auditMoney(r records, orders []counter.Order) {
	captures, kept := make(map[string]int), make(map[string]int64) // by sale
	for _, o := range orders {
		sale, _, _ := strings.Cut(o.RequestID, "-")
		kept[sale] += o.Kept()
		if o.Status != "reversed" {
			captures[sale] += o.Captures
		}
	}
	for id, sale := range r.sales {
		if sale.Elsewhere() { // another terminal's: its captures are under that one's sale
			id, _, _ = strings.Cut(sale.Attempts[0].RequestID, "-")
		}
		brought := counter.Brought(api.WireSale(sale.View(), display.Words))
		switch taken := captures[id]; {
		case sale.Status == payment.SalePaid && s.gatewayForgot:
		case sale.Status == payment.SalePaid && taken != 1:
			s.t.Errorf("sale %s is paid, and the gateway took the money %d times", id, taken)
		case sale.Status != payment.SalePaid && taken != 0:
			s.t.Errorf("sale %s is %s, and the gateway took the money %d times", id, sale.Status, taken)
		case brought != kept[id]:
			s.t.Errorf("sale %s brought %d, and the gateway kept %d", id, brought, kept[id])
		}
		delete(captures, id)
	}
	for id, taken := range captures {
		if taken > 0 {
			s.t.Errorf("the gateway took money for sale %s, which the database does not know", id)
		}
	}
}

// auditJournal folds the journal: it gives each sale as it is stored, and as the API showed it.
func (s *shop) auditJournal(r records) {
	folded := make(map[string]payment.View)
	for _, record := range r.journal {
		if record.Sale == "" {
			continue
		}
		view, err := payment.Fold(folded[record.Sale], record.Fields)
		if err != nil {
			s.t.Errorf("journal record %d: %v", record.Seq, err)
		}
		folded[record.Sale] = view
	}
	if len(folded) != len(r.sales) {
		s.t.Errorf("the journal knows %d sales, the database %d", len(folded), len(r.sales))
	}
	for id, sale := range r.sales {
		if difference := cmp.Diff(sale.View(), folded[id]); difference != "" {
			s.t.Errorf("sale %s: the journal gives another one (-stored +folded):\n%s", id, difference)
		}
	}
	for id, shown := range s.shown {
		if view := folded[id]; view.Version == shown.Version {
			if difference := cmp.Diff(shown, api.WireSale(view, display.Words)); difference != "" {
				s.t.Errorf("sale %s: the journal gives another one (-API +folded):\n%s", id, difference)
			}
		} else if view.Version < shown.Version {
			s.t.Errorf("sale %s: the API showed version %d, the journal ends at %d", id, shown.Version, view.Version)
		}
	}
}

// auditSecrets searches everything that came out for whole payment codes: answers and outputs, every file but the
// database, the journal and the sales in it.
func (s *shop) auditSecrets(r records) {
	sources := map[string][]byte{"answers and outputs": bytes.Join(s.heard, []byte("\n"))}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasPrefix(path, s.Database()) {
			return err
		}
		sources[filepath.Base(path)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
	for _, log := range []string{s.DaemonLog(), s.GatewayLog()} {
		text := sources[filepath.Base(log)]
		if len(text) == 0 {
			s.t.Errorf("%s: nothing was logged, or the log was not found", log)
		}
		if bytes.Contains(text, []byte("DATA RACE")) || bytes.Contains(text, []byte("panic")) {
			s.t.Errorf("%s:\n%s", log, text)
		}
	}
	sources["journal"], sources["sales"] = mustJSON(s.t, r.journal), mustJSON(s.t, r.sales)
	for id, sale := range r.sales {
		for _, a := range sale.Attempts {
			if sale.Status.Final() && !a.Code.IsZero() {
				s.t.Errorf("sale %s is over, and the code of attempt %d is still kept", id, a.N)
			}
		}
	}
	for _, found := range leaks(s.codes, sources) {
		s.t.Error(found)
	}
}

// leaks lists the texts that stand whole in a source.
func leaks(secrets []string, sources map[string][]byte) (found []string) {
	for name, content := range sources {
		for i, secret := range secrets {
			if !slices.Contains(secrets[:i], secret) && bytes.Contains(content, []byte(secret)) {
				found = append(found, fmt.Sprintf("%s: the code %.2s…%.4s stands there whole", name, secret, secret[len(secret)-4:]))
			}
		}
	}
	slices.Sort(found)
	return found
}

// TestLeaksAreFound: what every audit relies on finds a code wherever it stands, and no mask.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	const code, other = "281234567890123400", "101234567890123456"
	sources := map[string][]byte{
		"log":     []byte("paid code=" + code + " at noon"),
		"masked":  []byte("28…3400 281234…3400"),
		"journal": mustJSON(t, map[string]string{"kind": other + "x"}),
	}
	want := []string{"journal: the code 10…3456 stands there whole", "log: the code 28…3400 stands there whole"}
	if difference := cmp.Diff(want, leaks([]string{code, code, other}, sources)); difference != "" {
		t.Error(difference)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return text
}
