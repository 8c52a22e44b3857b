package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"payscand/api"
)

// Over TCP only a right token of a right role opens a call; each failure is
// counted, and none reaches the terminal.
func TestTokens(t *testing.T) {
	c := serve(t)
	register, operator, metrics := c.tokens[api.RoleRegister], c.tokens[api.RoleOperator], c.tokens[api.RoleMetrics]
	tests := []struct {
		name   string
		given  string // Authorization; "" for none
		status int
	}{
		{"register", "Bearer " + register, 202},
		{"operator", "bearer " + operator, 202},
		{"metrics", "Bearer " + metrics, 403},
		{"none", "", 401},
		{"empty", "Bearer ", 401},
		{"scheme only", "Bearer", 401},
		{"no scheme", register, 401},
		{"another scheme", "Basic " + register, 401},
		{"cut", "Bearer " + register[:len(register)-1], 401},
		{"longer", "Bearer " + register + "a", 401},
		{"capitals", "Bearer " + strings.ToUpper(register), 401},
		{"two", "Bearer " + register + " " + register, 401},
	}
	want := uint64(0)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := c.terminal.changes()
			authorization := header("Authorization", test.given)
			if test.given == "" {
				authorization = without("Authorization")
			}
			a := c.send(t, "POST", "/v1/sales/"+saleID+"/cancel", "", authorization)
			if a.StatusCode != test.status {
				t.Errorf("status %d, want %d", a.StatusCode, test.status)
			}
			if test.status == 401 {
				want++
				if a.Header.Get("WWW-Authenticate") != "Bearer" {
					t.Error("no WWW-Authenticate")
				}
			}
			if reached := c.terminal.changes() - before; (reached == 1) != (test.status == 202) {
				t.Errorf("status %d, but %d calls reached the terminal", test.status, reached)
			}
		})
	}
	a := c.send(t, "GET", "/v1/terminal", "", func(r *http.Request) {
		r.Header["Authorization"] = []string{"Bearer " + register, "Bearer " + register}
	})
	if want++; a.StatusCode != 401 {
		t.Errorf("two headers: status %d", a.StatusCode)
	}
	if a := c.send(t, "GET", "/v1/nothing", "", without("Authorization")); a.StatusCode != 401 {
		t.Errorf("a path that is not there: status %d", a.StatusCode)
	}
	if want++; c.server.Unauthenticated() != want {
		t.Errorf("%d counted, want %d", c.server.Unauthenticated(), want)
	}
	if log := c.log.String(); log != "" {
		t.Errorf("unauthenticated calls were logged: %s", log)
	}
}

// Health and the description need no token, but still the right Host.
func TestPublic(t *testing.T) {
	c := serve(t)
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/"} {
		if a := c.send(t, "GET", path, "", without("Authorization")); a.StatusCode != 200 {
			t.Errorf("%s: %s", path, a.raw())
		}
		if a := c.send(t, "HEAD", path, "", without("Authorization")); a.StatusCode != 200 || a.body != "" {
			t.Errorf("HEAD %s: %s", path, a.raw())
		}
		if a := c.send(t, "GET", path, "", header("Host", "pos.example.com")); a.StatusCode != 421 {
			t.Errorf("%s with a foreign Host: status %d", path, a.StatusCode)
		}
	}
	if n := c.server.Unauthenticated(); n != 0 {
		t.Errorf("%d public calls were counted as unauthenticated", n)
	}
}

// Only names that no name server can point here are taken for this machine.
func TestHost(t *testing.T) {
	c := serve(t)
	tests := map[string]int{
		"127.0.0.1": 200, "127.0.0.1:8480": 200, "localhost": 200, "LocalHost:1": 200, "[::1]": 200, "[::1]:8480": 200,
		"127.0.0.1.example.com": 421, "localhost.example.com": 421, "example.com:8480": 421, "10.0.0.1": 421, "0.0.0.0": 421,
		"[::]": 421, "[2001:db8::1]:80": 421, "127.1": 421, "2130706433": 421, "0x7f.1": 421, "localhost.": 421,
		"127.0.0.1:99999": 421, "127.0.0.1:": 421, "user@127.0.0.1": 400,
	}
	for host, status := range tests {
		if got := rawStatus(t, c, "GET /healthz HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); got != status {
			t.Errorf("Host %s: status %d, want %d", host, got, status)
		}
	}
	if got := rawStatus(t, c, "GET http://evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"); got != 421 {
		t.Errorf("absolute form: status %d", got)
	}
	if got := rawStatus(t, c, "GET /healthz HTTP/1.0\r\n\r\n"); got != 421 {
		t.Errorf("no Host: status %d", got)
	}
}

func rawStatus(t *testing.T, c *counter, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// A web page is let in by its exact origin, or as the terminal's own page; what
// it may read and send is said in the preflight.
func TestOrigins(t *testing.T) {
	c := serve(t)
	host := strings.TrimPrefix(c.url, "http://")
	tests := []struct {
		origin  string
		status  int
		allowed bool // told that it may read the answer
	}{
		{"https://pos.example.com", 200, true},
		{"http://" + host, 200, false},
		{"http://pos.example.com", 403, false},
		{"https://pos.example.com:8443", 403, false},
		{"https://POS.example.com", 403, false},
		{"https://evil.example", 403, false},
		{"http://localhost:1", 403, false},
		{"null", 403, false},
	}
	for _, test := range tests {
		a := c.send(t, "GET", "/v1/terminal", "", header("Origin", test.origin))
		if a.StatusCode != test.status || (a.Header.Get("Access-Control-Allow-Origin") == test.origin) != test.allowed {
			t.Errorf("origin %s: %s", test.origin, a.raw())
		}
		a = c.send(t, "OPTIONS", "/v1/sales", "", without("Authorization"),
			header("Origin", test.origin), header("Access-Control-Request-Method", "POST"))
		if (a.StatusCode == 204) != test.allowed || (a.Header.Get("Access-Control-Allow-Methods") != "") != test.allowed {
			t.Errorf("preflight of %s: %s", test.origin, a.raw())
		}
		if a.Header.Get("Vary") != "Origin" {
			t.Errorf("preflight of %s: Vary %q", test.origin, a.Header.Get("Vary"))
		}
	}
	a := c.send(t, "GET", "/healthz", "", header("Origin", "https://pos.example.com"), header("Host", "evil.example"))
	if a.StatusCode != 421 || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a known origin with a foreign Host: %s", a.raw())
	}
}

func TestValidateOrigin(t *testing.T) {
	for _, good := range []string{"https://pos.example.com", "http://localhost:3000", "http://[::1]:3000", "https://10.0.0.1"} {
		if err := api.ValidateOrigin(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "*", "null", "https://*.example.com/", "https://pos.example.com/", "pos.example.com", "https://POS.example.com",
		"HTTPS://pos.example.com", "https://pos.example.com:443", "http://pos.example.com:80", "ftp://pos.example.com",
		"https://a:b@pos.example.com", "https://pos.example.com?", "https://pos.example.com#x", "https://", "https://:1", "https://a b",
	} {
		if err := api.ValidateOrigin(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// On the socket no token is needed, for what a register may do; one given must
// be right.
func TestSocketAccess(t *testing.T) {
	c := serve(t)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	for _, test := range []struct {
		token, path string
		status      int
	}{
		{"", "/v1/terminal", 200},
		{"", "/healthz", 200},
		{c.tokens[api.RoleOperator], "/v1/terminal", 200},
		{c.tokens[api.RoleMetrics], "/v1/terminal", 403},
		{"wrong", "/v1/terminal", 401},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://any.name"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.token != "" {
			r.Header.Set("Authorization", "Bearer "+test.token)
		}
		if a := do(t, transport, r); a.StatusCode != test.status {
			t.Errorf("%q %s: status %d, want %d", test.token, test.path, a.StatusCode, test.status)
		}
	}
}

// Every answer, refusals included, tells browsers to keep their hands off.
func TestHeaders(t *testing.T) {
	c := serve(t)
	for path, status := range map[string]int{"/v1/terminal": 200, "/v1/nothing": 404, "/docs": 200, "/openapi.json": 200} {
		a := c.send(t, "GET", path, "")
		if a.StatusCode != status || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %s", path, a.raw()[:200])
		}
	}
}

// A whole payment code, put by mistake or malice in any place of a request that
// is not its own, is in no byte of the answer and in no line of the log.
func TestPaymentCodeNeverComesBack(t *testing.T) {
	sale := "/v1/sales/" + saleID
	for _, code := range []string{
		"287654321098123456", "134567890123456789", "6212345678901234567",
		"28765432109812345678901234", // has the form of a sale's id
		"fp0123456789abcdefghijklmnopqrstuvw", "hQVDUFYwMWFwcGxpY2F0aW9u",
	} {
		c := serve(t)
		type attack struct {
			method, path, body string
			edits              []edit
		}
		attacks := []attack{
			{"GET", "/" + code, "", nil},
			{"GET", "/v1/sales/" + code, "", nil},
			{"GET", "/v1//sales/" + code, "", nil},
			{"GET", "/v1/sales/./" + code + "/..", "", nil},
			{"GET", "/v1/sales/" + code + "/", "", nil},
			{"GET", "/docs/" + code, "", nil},
			{"GET", "/docs?" + code + "=" + code, "", nil},
			{"GET", "/openapi.json?" + code, "", nil},
			{"GET", "/healthz?code=" + code, "", nil},
			{"PUT", "/v1/sales/" + code, "", nil},
			{"POST", "/v1/sales/" + code + "/code", `{"code":"` + code + `"}`, nil},
			{"POST", "/v1/sales/" + code + "/cancel", "", nil},
			{"GET", sale + "?" + code, "", nil},
			{"GET", sale + "?wait=" + code, "", nil},
			{"GET", sale + "?after=" + code, "", nil},
			{"GET", sale + "?after=1&after=" + code, "", nil},
			{"GET", sale + "?after=1;" + code, "", nil},
			{"GET", "/v1/terminal?" + code + "=1", "", nil},
			{"POST", sale + "/cancel?" + code, "", nil},
			{"POST", sale + "/cancel", code, nil},
			{"POST", sale + "/cancel", `{"` + code + `":1}`, nil},
			{"POST", sale + "/code", `{"code":"` + code + `"}`, nil},
			{"POST", sale + "/code", `{"code":["` + code + `"]}`, nil},
			{"POST", sale + "/code", `"` + code + `"`, nil},
			{"POST", sale + "/code", `{"code":"` + code + `","code":"` + code + `"}`, nil},
			{"POST", sale + "/code", `{"text":"` + code + `"}`, nil},
			{"POST", sale + "/code", `{"code":"` + code, nil},
			{"POST", sale + "/code", code, nil},
			{code, sale, "", nil},
		}
		for _, value := range []string{code, `"` + code + `"`, `["` + code + `"]`, `{"` + code + `":"` + code + `"}`, code + ".5", "-" + code} {
			for _, field := range []string{"amount", "currency", "mode", "replaces", "separate", code} {
				attacks = append(attacks, attack{"POST", "/v1/sales", `{"` + field + `":` + value + `}`, nil})
				attacks = append(attacks, attack{"POST", "/v1/sales", `{"amount":1,"currency":"CAD","` + field + `":` + value + `}`, nil})
			}
			attacks = append(attacks, attack{"POST", "/v1/sales", value, nil})
		}
		const good = `{"amount":1,"currency":"CAD"}`
		for _, name := range []string{
			"Idempotency-Key", "Authorization", "Host", "Origin", "Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Cookie",
			"User-Agent", "Referer", "Last-Event-ID", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Range", "Expect",
			"If-None-Match", "X-Request-ID", "X-Forwarded-For", code,
		} {
			attacks = append(attacks, attack{"POST", "/v1/sales", good, []edit{header(name, code)}})
			attacks = append(attacks, attack{"OPTIONS", "/v1/sales", "", []edit{header(name, code)}})
			attacks = append(attacks, attack{"GET", "/docs", "", []edit{header(name, code)}})
		}
		attacks = append(attacks, attack{"GET", "/v1/terminal", "", []edit{header("Authorization", "Bearer "+code)}},
			attack{"POST", "/v1/sales", good, []edit{header("Idempotency-Key", code+"\t")}},
			attack{"POST", "/v1/sales", good, []edit{func(r *http.Request) { r.Header["Idempotency-Key"] = []string{code, code} }}})
		for _, a := range attacks {
			got := c.send(t, a.method, a.path, a.body, a.edits...)
			if strings.Contains(strings.ToLower(got.raw()), strings.ToLower(code)) {
				t.Errorf("%s %s %s: came back in %s", a.method, a.path, a.body, got.raw())
			}
		}
		if strings.Contains(c.log.String(), code) {
			t.Errorf("the log holds a code: %s", c.log.String())
		}
	}
}

// What net/http itself refuses, before any route, repeats nothing either.
func TestRawRequestsDoNotComeBack(t *testing.T) {
	const code = "287654321098123456"
	c := serve(t)
	for _, request := range []string{
		code + "\r\n\r\n",
		"GET /" + code + "\r\n\r\n",
		"GET / " + code + "\r\n\r\n",
		"GET / HTTP/1.1\r\n" + code + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + code + " x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + code + " : x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + code + code + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: " + code + "\r\n\r\n",
		"POST /v1/sales HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + c.tokens[api.RoleRegister] +
			"\r\nTransfer-Encoding: chunked\r\n\r\n" + code + "\r\n",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat(code, 2000) + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%.60q: %v", request, err)
		}
		var all strings.Builder
		_ = response.Write(&all)
		if response.StatusCode < 400 || strings.Contains(all.String(), code) {
			t.Errorf("%.60q: %s", request, all.String())
		}
		_ = conn.Close()
	}
	if log := c.log.String(); strings.Contains(log, code) {
		t.Errorf("the log holds a code: %s", log)
	}
}

// An origin in the configuration that is none is named by its place.
func TestNewServerNamesBadOrigins(t *testing.T) {
	tokens, err := api.OpenTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.NewServer(api.Config{Terminal: newFake(), Words: words, Tokens: tokens, Origins: []string{"*", "https://a.example", "null"}})
	if text := fmt.Sprint(err); !strings.Contains(text, "allowed_origins[0]") || !strings.Contains(text, "allowed_origins[2]") || strings.Contains(text, "[1]") {
		t.Errorf("error: %v", err)
	}
}
