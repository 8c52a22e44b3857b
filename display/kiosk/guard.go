package kiosk

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// policy lets the page load its own parts and nothing else, and nobody frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard comes before everything: a request that could change anything, or that is not from a page of ours, ends here.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // net/http waits for its body, for ever; a stream's time must not be bounded so
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyBound)) // httptest's has no deadlines
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet:
			h.Set("Allow", "GET")
			http.Error(w, "Only GET is possible here.", http.StatusMethodNotAllowed)
		case !s.ownHost(r.Host):
			http.Error(w, "Call this page as localhost or 127.0.0.1, or add the name to the display's hosts.",
				http.StatusMisdirectedRequest)
		case isForeign(r):
			http.Error(w, "Another web page may not use this one.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ownHost refuses names that are not this display's: a foreign page whose name is made to resolve to 127.0.0.1 (DNS
// rebinding) would count as the same origin and could read the stream.
func (s *Server) ownHost(hostport string) bool {
	name := hostName(hostport)
	if name == "localhost" || s.hosts[name] {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback()
}

// isForeign tells the requests that a browser makes for another site's page, which could fill up the streams. Typing the
// address or following a link to it is not among them.
func isForeign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	default:
		return r.Header.Get("Sec-Fetch-Mode") != "navigate"
	}
}

func hostNames(hosts []string) map[string]bool {
	names := make(map[string]bool, len(hosts))
	for _, h := range hosts {
		names[hostName(h)] = true
	}
	return names
}

// hostName is the host without port and brackets, in small letters.
func hostName(hostport string) string {
	name := hostport
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		name = host
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
