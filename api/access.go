package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"payscand/api/client"
)

// ValidateOrigin refuses what a browser never sends as an Origin: anything but
// scheme and host in small letters, with a port where it is not the scheme's.
// "*" and "null" are refused too: they would let in every page.
func ValidateOrigin(origin string) error {
	const example = `give an origin as browsers send it, such as "https://pos.example.com"`
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New(example)
	}
	if origin != u.Scheme+"://"+strings.ToLower(u.Host) {
		return errors.New(example + ", in small letters, without a path")
	}
	if u.Port() == defaultPort(u.Scheme) {
		return errors.New(example + ", without the scheme's own port")
	}
	return nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// guard wraps the routes in everything that comes before them. Anonymous is the
// role of a caller without a token, "" for none.
func (s *Server) guard(refuse func(*http.Request) *problem, anonymous Role) http.Handler {
	return s.recovered(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSafeHeaders(w.Header())
		admitted, p := s.admit(w, r, refuse, anonymous)
		if p != nil {
			p.write(w)
			return
		}
		s.mux.ServeHTTP(w, admitted)
	}))
}

// admit decides whether a request may reach its route, and reads its body.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, refuse func(*http.Request) *problem, anonymous Role) (*http.Request, *problem) {
	// From here on, because what refuses a request leaves its body to net/http,
	// which would wait for the rest of it for ever.
	limitBodyTime(w)
	if p := refuse(r); p != nil {
		return nil, p
	}
	pattern := s.pattern(r)
	if p := s.authorise(r, pattern, anonymous); p != nil {
		return nil, p
	}
	if pattern == "" {
		return nil, s.noRoute(r)
	}
	return withBody(w, r)
}

func setSafeHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// refuseForeign refuses what did not come from this machine by its own name:
// without it, a web page whose name is made to resolve to 127.0.0.1 (DNS
// rebinding) would count as the same origin.
func (s *Server) refuseForeign(r *http.Request) *problem {
	if !isLoopbackHost(r.Host) {
		return newProblem(client.CodeMisdirected, "Call the terminal as 127.0.0.1, localhost or [::1].")
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && !s.origins[origin] {
		return newProblem(client.CodeOriginRefused, "This web page may not call the terminal: add its origin to api.allowed_origins.")
	}
	return nil
}

// isLoopbackHost takes any loopback address written as numbers, which no name
// server can redirect, and localhost (RFC 6761), each with or without a port.
func isLoopbackHost(host string) bool {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		name = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	} else if strings.Contains(host, ":") {
		return false
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback()
}

// cors answers a configured web page's preflight and lets it read answers.
func (s *Server) cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if !s.origins[origin] || !isLoopbackHost(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Idempotency-Replayed, Location, Retry-After")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		setSafeHeaders(h)
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}

// pattern returns the route of a request, "" when there is none. A path that is
// not clean has none: the mux would redirect it and repeat it in Location.
func (s *Server) pattern(r *http.Request) string {
	if p := r.URL.Path; p == "" || p[0] != '/' || path.Clean(p) != p && path.Clean(p)+"/" != p {
		return ""
	}
	_, pattern := s.mux.Handler(r)
	return pattern
}

// noRoute tells a wrong method from a wrong path.
func (s *Server) noRoute(r *http.Request) *problem {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if s.pattern(probe) != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return newProblem(client.CodeNotFound, "There is no such path.")
	}
	p := newProblem(client.CodeMethodNotAllowed, "This path takes "+strings.Join(allowed, ", ")+".")
	return p.withHeader("Allow", strings.Join(allowed, ", "))
}

// authorise checks who calls. A path that does not exist needs a token too, so
// that strangers cannot learn which do.
func (s *Server) authorise(r *http.Request, pattern string, anonymous Role) *problem {
	route, known := s.access[pattern]
	if route.public {
		return nil
	}
	role, given := anonymous, r.Header.Values("Authorization")
	if len(given) > 0 {
		role = ""
		if token, isBearer := bearer(given); isBearer {
			role = s.tokens.role(token)
		}
	}
	if role == "" {
		s.unauthenticated.Add(1)
		p := newProblem(client.CodeUnauthenticated, "Send Authorization: Bearer and a token from the terminal's token folder.")
		return p.withHeader("WWW-Authenticate", "Bearer")
	}
	if known && !slices.Contains(route.roles, role) {
		return newProblem(client.CodeForbidden, "The token's role, "+string(role)+", does not allow this call.")
	}
	return nil
}

func bearer(given []string) (token string, ok bool) {
	if len(given) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(given[0], " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "Bearer")
}

// recovered turns a panic into an answer without detail. The panic's value is
// not logged unless it is the runtime's: it could hold what was sent.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &trackingWriter{ResponseWriter: w}
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so too
				panic(value)
			}
			text := fmt.Sprintf("panic with a %T", value)
			if err, isRuntime := value.(runtime.Error); isRuntime {
				text = err.Error()
			}
			s.log.Error("api: a request failed; please report this", "error", text, "stack", string(debug.Stack()))
			if answer.started {
				panic(http.ErrAbortHandler) // the client must not take it for whole
			}
			internalProblem().write(answer)
		}()
		next.ServeHTTP(answer, r)
	})
}

// trackingWriter knows whether an answer was begun.
type trackingWriter struct {
	http.ResponseWriter
	started bool
}

func (w *trackingWriter) WriteHeader(status int) {
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *trackingWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *trackingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError sends what was written so far, and says when the caller is gone,
// which an http.Flusher cannot.
func (w *trackingWriter) FlushError() error {
	w.started = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}
