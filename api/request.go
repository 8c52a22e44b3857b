package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payscand/api/client"
)

const (
	// MaxBody bounds a request's body, in bytes.
	MaxBody = 64 << 10
	// maxUnread is how much of a body that is too large is read and dropped, so
	// that its sender hears the refusal instead of a connection reset.
	maxUnread   = 2 << 20
	bodyTimeout = 10 * time.Second
)

// request is what a route needs beside its path parameters. The body is read
// before the route is entered: bounded, whole and not yet decoded.
type request struct {
	query  string
	header http.Header
	body   []byte
	// control is of the answer's connection.
	control *http.ResponseController
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	return ctx.Value(requestKey{}).(*request) //nolint:forcetypeassert // withBody put it there
}

// withBody reads the body and puts the request where routes find it.
func withBody(w http.ResponseWriter, r *http.Request) (*http.Request, *problem) {
	body, p := readBody(r)
	if p != nil {
		return nil, p
	}
	liftBodyTime(w)
	in := &request{query: r.URL.RawQuery, header: r.Header, body: body, control: http.NewResponseController(w)}
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, in)), nil
}

// limitBodyTime bounds the reading of the body, from now. Not every
// ResponseWriter has deadlines (httptest's has none); a server's has.
func limitBodyTime(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
}

// liftBodyTime is for when the body was read whole: a deadline that passes while
// a long poll waits would look like a caller that went away.
func liftBodyTime(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}

func readBody(r *http.Request) ([]byte, *problem) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, newProblem(client.CodeBodyTimeout, "The body did not come whole within 10 seconds.").withHeader("Connection", "close")
	case err != nil:
		return nil, newProblem(client.CodeMalformed, "The body did not come whole.").withHeader("Connection", "close")
	case len(body) > MaxBody:
		_, _ = io.CopyN(io.Discard, r.Body, maxUnread)
		return nil, newProblem(client.CodeBodyTooLarge, "A body has at most 65,536 bytes.").withHeader("Connection", "close")
	case len(body) > 0 && !isJSON(r.Header):
		return nil, newProblem(client.CodeUnsupportedMediaType, "Send Content-Type: application/json.")
	}
	return body, nil
}

func isJSON(header http.Header) bool {
	given := header.Values("Content-Type")
	if len(given) != 1 || header.Get("Content-Encoding") != "" {
		return false
	}
	mediaType, parameters, err := mime.ParseMediaType(given[0])
	if err != nil || mediaType != "application/json" {
		return false
	}
	charset, named := parameters["charset"]
	return !named || strings.EqualFold(charset, "utf-8")
}

// decode reads a JSON object strictly. encoding/json will not do: of two members
// with the same name it takes the last, and it takes names in any case, so that
// a register and this program could read two different amounts from one body.
// The library's errors hold the text that was sent; rules says instead what each
// field must be.
func decode(body []byte, into any, rules map[string]string) *problem {
	err := json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	field := knownField(err, rules)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return invalid(field, "The body names a field twice.")
	case errors.Is(err, json.ErrUnknownName):
		return invalid("", "The body has a field that this call does not know. It knows: "+names(rules)+".")
	case field != "":
		return invalid(field, field+" "+rules[field])
	}
	if semantic := new(json.SemanticError); errors.As(err, &semantic) {
		return invalid("", "The body must be a JSON object.")
	}
	return newProblem(client.CodeMalformed, "The body is not JSON, encoded as UTF-8.")
}

// knownField returns the field an error is about, "" for one that is not ours:
// its name was sent, and may be a payment code.
func knownField(err error, rules map[string]string) string {
	var pointer jsontext.Pointer
	semantic, syntactic := new(json.SemanticError), new(jsontext.SyntacticError)
	switch {
	case errors.As(err, &semantic):
		pointer = semantic.JSONPointer
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		pointer = syntactic.JSONPointer
	}
	for name := range pointer.Tokens() {
		if _, known := rules[name]; known {
			return name
		}
		break
	}
	return ""
}

func names(rules map[string]string) string {
	if len(rules) == 0 {
		return "none"
	}
	all := make([]string, 0, len(rules))
	for name := range rules {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// noBody refuses a body on a call that takes none; an empty object will do,
// because some HTTP libraries cannot send nothing.
func noBody(body []byte) *problem {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	return decode(body, new(struct{}), nil)
}

// queryValues reads the query strictly: only these names, each at most once.
func queryValues(query string, known ...string) (url.Values, *problem) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, invalid("", "The query after ? cannot be read.")
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			detail := "This call takes nothing after ?."
			if len(known) > 0 {
				detail = "The query has a parameter that this call does not know. It knows: " + strings.Join(known, ", ") + "."
			}
			return nil, invalid("", detail)
		}
		if len(given) > 1 {
			return nil, invalid(name, name+" is given twice.")
		}
	}
	return values, nil
}
