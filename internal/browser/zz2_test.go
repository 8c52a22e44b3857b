package browser

import ("testing";"context";"net/http";"net/http/httptest";"time";"fmt")

func TestZY(t *testing.T) {
	path, _ := Find()
	b, err := Start(t.Context(), path, t.TempDir())
	if err != nil { t.Fatal(err) }
	defer b.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type","text/html"); fmt.Fprint(w, "<body data-screen=x><link rel=icon href=/i><p id=amount>5") }))
	defer s.Close()
	for range 8 {
		a := time.Now()
		ctx, c := context.WithTimeout(t.Context(), 5*time.Second)
		p, err := b.Open(ctx, s.URL, DefaultSize)
		if err != nil { t.Error(err); return }
		x := time.Now()
		if _, err := p.Next(ctx); err != nil { t.Error(err) }
		y := time.Now()
		if _, err := p.Screenshot(ctx); err != nil { t.Error(err) }
		z := time.Now()
		p.Close()
		c()
		t.Log(x.Sub(a), y.Sub(x), z.Sub(y), time.Since(z), p.Problems())
	}
}
