package browser

import ("testing";"net/http";"net/http/httptest";"sync";"os/exec";"fmt")

func TestZZ(t *testing.T) {
	path, _ := Find()
	b, err := Start(t.Context(), path, t.TempDir())
	if err != nil { t.Fatal(err) }
	defer b.Close()
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n++; w.Header().Set("Content-Type","text/html"); fmt.Fprint(w, "<body data-screen=x><link rel=icon href=/i><p id=amount>5") }))
	defer s.Close()
	var wg sync.WaitGroup
	for range 8 { wg.Go(func() { for range 8 {
		p, err := b.Open(t.Context(), s.URL, DefaultSize)
		if err != nil { t.Error(err); return }
		if _, err := p.Next(t.Context()); err != nil { t.Error(err) }
		if shot, err := p.Screenshot(t.Context()); err != nil || len(shot) < 100 { t.Error(err) }
		if len(p.Problems()) > 0 { t.Error(p.Problems()) }
		p.Close()
	}})}
	wg.Wait()
	out, _ := exec.Command("sh", "-c", "ps -eo pid,pgid,args | grep '[c]hrom' | cut -c1-70").Output()
	t.Log(n, string(out))
}
