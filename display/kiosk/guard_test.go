package kiosk

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payscand/display"
)

func ask(t *testing.T, url string, change func(*http.Request)) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

// Nothing but GET is answered, anywhere.
func TestOnlyGET(t *testing.T) {
	server, _, _ := open(t)
	for _, path := range []string{"/", "/kiosk/kiosk.js", "/events", "/qr/x.png", "/nowhere"} {
		for _, method := range []string{"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADEUP"} {
			r := ask(t, server.URL+path, func(r *http.Request) { r.Method = method })
			if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET" {
				t.Errorf("%s %s: %s", method, path, r.Status)
			}
		}
	}
}

// Only this machine's own names and the configured ones are answered: a name that is made to resolve here is not.
func TestHosts(t *testing.T) {
	server, _, _ := open(t)
	tests := map[string]int{
		"localhost": 200, "LOCALHOST:8481": 200, "127.0.0.1": 200, "127.0.0.1:8481": 200, "127.8.9.1:1": 200,
		"[::1]": 200, "[::1]:8481": 200, "localhost.:8481": 200,
		"counter-1.example": 200, "COUNTER-1.example:8481": 200, "counter-1.example.": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:8481": 421, "10.0.0.1": 421,
		"0.0.0.0:8481": 421, "counter-1.example.evil.example": 421, "[fe80::1]:8481": 421, "2130706433": 421,
	}
	for host, want := range tests {
		for _, path := range []string{"/", "/qr/x.png"} {
			expect := want
			if want == http.StatusOK && path != "/" {
				expect = http.StatusGone
			}
			if r := ask(t, server.URL+path, func(r *http.Request) { r.Host = host }); r.StatusCode != expect {
				t.Errorf("%s as %s: %s, want %d", path, host, r.Status, expect)
			}
		}
	}
}

// Another site's page can use nothing of this one, neither read it nor fill up its streams; opening it is no use of it.
func TestForeignPages(t *testing.T) {
	server, _, _ := open(t)
	tests := []struct {
		headers map[string]string
		want    int
	}{
		{map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200},
		{map[string]string{"Origin": server.URL}, 200},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403},
		{map[string]string{"Origin": "http://evil.example"}, 403},
		{map[string]string{"Origin": "null"}, 403},
	}
	for _, tt := range tests {
		for _, path := range []string{"/", "/events"} {
			r := ask(t, server.URL+path, func(r *http.Request) {
				for name, value := range tt.headers {
					r.Header.Set(name, value)
				}
			})
			if r.StatusCode != tt.want || r.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s with %v: %s", path, tt.headers, r.Status)
			}
		}
	}
}

// Every answer, refusals too, lets the page load its own parts and nothing else, and is kept nowhere.
func TestPolicyIsOnEveryAnswer(t *testing.T) {
	server, _, _ := open(t)
	for _, path := range []string{"/", "/kiosk/kiosk.css", "/qr/x.png", "/nowhere"} {
		r, _ := get(t, server.URL+path)
		policy := r.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
			"connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %q", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") || strings.Contains(policy, "*") {
			t.Errorf("%s: the policy is loose: %q", path, policy)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, r.Header)
		}
	}
}

// The page and its parts name nothing outside this server, and nothing that its policy forbids: no style or script in
// the page, and no handler in an attribute.
func TestPageHasNoOutsideReference(t *testing.T) {
	server, _, _ := open(t)
	_, html := get(t, server.URL+"/")
	links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(html), -1)
	if len(links) < 3 {
		t.Fatalf("the page links %v", links)
	}
	texts := map[string]string{"/": string(html)}
	for _, link := range links {
		r, body := get(t, server.URL+link[1])
		if !strings.HasPrefix(link[1], "/kiosk/") || r.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", link[1], r.Status)
		}
		texts[link[1]] = string(body)
	}
	outside := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]|@import|url\(|\bdata:|\bblob:`)
	const namespace = `xmlns="http://www.w3.org/2000/svg"`
	for path, content := range texts {
		if found := outside.FindString(strings.ReplaceAll(content, namespace, "")); found != "" {
			t.Errorf("%s names %q", path, found)
		}
	}
	if found := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(>|[^>]*>[^<])|javascript:`).FindString(string(html)); found != "" {
		t.Errorf("the page has %q in it", found)
	}
}

// The page says by itself, in every language and escaped, what it needs without the daemon.
func TestPageKnowsItsOwnWords(t *testing.T) {
	server, _, _ := open(t, display.TraditionalChinese, display.French)
	_, html := get(t, server.URL+"/")
	page := string(html)
	for _, want := range []string{
		`<html lang="zh-Hant">`, "Maple &lt;&amp; Rye&gt;", `lang="fr"`,
		display.OfflineWords(display.TraditionalChinese).Title, display.OfflineWords(display.French).Hint,
		display.TimeLeft(display.TraditionalChinese), display.TimeLeft(display.French),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, display.OfflineWords(display.English).Title) {
		t.Error("the page speaks a language that is not the display's")
	}
}

// A page tells by its version whether it fits the daemon: it differs when the page does, and only then.
func TestPageVersion(t *testing.T) {
	version := func(shop string, languages ...display.Language) string {
		s, err := New(Config{Board: display.NewBoard(), Languages: languages, ShopName: shop})
		if err != nil {
			t.Fatal(err)
		}
		return s.page.version
	}
	first := version("A", display.English)
	if again := version("A", display.English); again != first {
		t.Errorf("the same page is %s and %s", first, again)
	}
	others := []string{first, version("B", display.English), version("A", display.French), version("A", display.English, display.French)}
	slices.Sort(others)
	if len(slices.Compact(others)) != 4 {
		t.Errorf("different pages have the same version: %v", others)
	}
}
