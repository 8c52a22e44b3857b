package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// This file is what both vendors' protocols have in common.

const (
	maxBodyBytes  = 64 * 1024
	maxClockSkew  = 5 * time.Minute // AlphaPay's limit; Alipay+ names none
	wantShortBody = "want at most 64 KiB"
)

// wireResult is the result object of every answer.
type wireResult struct {
	Code    string `json:"resultCode"`
	Message string `json:"resultMessage"`
	Status  string `json:"resultStatus"` // S, F or U
}

// wireCall is one call of a vendor's protocol while it is dealt with.
type wireCall struct {
	request   *http.Request
	body      []byte
	requestID string // for the log, once known
	result    wireResult
	damage    answer // what is wanted done to the answer
	raw       *reply // instead of an answer
}

// wireRefusal is the whole answer to a call that was refused.
type wireRefusal struct {
	Result wireResult `json:"result"`
}

// refuse ends a call with a bare result.
func (c *wireCall) refuse(result wireResult) any {
	c.result = result
	return wireRefusal{result}
}

// protocol is a vendor's envelope around its calls.
type protocol interface {
	gateway() Gateway
	// checkEnvelope returns why a call is refused before its content is looked at, or nil.
	checkEnvelope(r *http.Request, body []byte) *wireResult
	// illegal refuses a parameter without repeating its value.
	illegal(parameter, want string) wireResult
	// seal returns an answer's headers, and its signature apart.
	seal(r *http.Request, body []byte) (header http.Header, signature string, err error)
}

// serve serves one call of a protocol, or what a fault leaves of it.
func (s *Server) serve(vendor protocol, handle func(*wireCall) any) http.HandlerFunc {
	return s.spoiled(
		func(r *http.Request, body []byte) reply { return s.answer(vendor, r, body, handle) },
		func(r *http.Request) reply {
			return s.signed(vendor, r, wireRefusal{vendor.illegal("body", wantShortBody)}, answerRight)
		})
}

// answer checks the envelope, has the call dealt with, and signs what it says.
func (s *Server) answer(vendor protocol, r *http.Request, body []byte, handle func(*wireCall) any) reply {
	call := &wireCall{request: r, body: body}
	var content any
	if refusal := vendor.checkEnvelope(r, body); refusal != nil {
		content = call.refuse(*refusal)
	} else {
		content = handle(call)
	}
	code := call.result.Code
	if call.raw != nil {
		code = "none"
	}
	s.config.Logger.Info("call", slog.String("gateway", string(vendor.gateway())), slog.String("path", r.URL.Path),
		slog.String("request", call.requestID), slog.String("result", code), slog.String("message", call.result.Message))
	s.config.OnCall(r.URL.Path, call.requestID, code)
	if call.raw != nil {
		return *call.raw
	}
	return s.signed(vendor, r, content, call.damage)
}

// signed builds an answer, signs it, and does it the wanted damage.
func (s *Server) signed(vendor protocol, r *http.Request, content any, damage answer) reply {
	body, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("sandbox: an answer that is not JSON: %v", err)) // the answers' types are all marshalled by the tests
	}
	body, signedBody := damaged(body, damage)
	header, signature, err := vendor.seal(r, signedBody)
	if err != nil {
		s.config.Logger.Error("an answer could not be signed", slog.Any("error", err))
		return htmlReply(http.StatusInternalServerError)
	}
	header.Set("Content-Type", "application/json; charset=UTF-8")
	if damage != answerUnsigned {
		header.Set("Signature", signature)
	}
	out := reply{status: http.StatusOK, body: body, header: header}
	if damage == answerLate {
		out.late = s.config.LateBy
	}
	return out
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
}

// onlyHeader returns a header's value, or "" if it is missing or said twice.
func onlyHeader(r *http.Request, name string) string {
	if values := r.Header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// decodeStrictly reads a request: names exactly as documented, none twice, none
// unknown, no other JSON types. What is wrong it says without the value.
func decodeStrictly(body []byte, into any) (where, what string) {
	err := json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return "", ""
	}
	where, what = "body", "not the documented JSON"
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		where = "body" + string(syntactic.JSONPointer)
		if what = "not valid JSON"; errors.Is(err, jsontext.ErrDuplicateName) {
			what = "a name is given twice"
		}
	case errors.As(err, &semantic):
		where = "body" + string(semantic.JSONPointer)
		if what = "wrong JSON type"; errors.Is(err, json.ErrUnknownName) {
			what = "unknown name"
		}
	}
	return truncate(where, 100), what
}

// onlyStrings finds the first scalar of a JSON text that is no string, or an
// empty one: Alipay+ takes neither. Null is as good as left out. A text that is no
// JSON passes, for decodeStrictly to refuse.
func onlyStrings(body []byte) (where, what string) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return "", ""
		}
		where = truncate("body"+string(decoder.StackPointer()), 100)
		switch token.Kind() {
		case '0', 't', 'f':
			return where, "want a string"
		case '"':
			in, length := decoder.StackIndex(decoder.StackDepth())
			if isName := in == '{' && length%2 == 1; !isName && token.String() == "" {
				return where, "must not be empty; leave it out"
			}
		}
	}
}

const wantURL = "want an http or https URL of at most 2048 characters"

// isURL says whether a text can be the address of a shop. The length is Alipay+'s
// limit; AlphaPay names none.
func isURL(text string) bool {
	address, err := url.Parse(text)
	return err == nil && address.Host != "" && (address.Scheme == "http" || address.Scheme == "https") && utf8.RuneCountInString(text) <= 2048
}

func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// duplicated says that the request failed before it says what came of it; a
// notification has no result of the call, and AlphaPay's none at all.
func duplicated(body string) string {
	for _, twice := range [][2]string{
		{`"result":{`, `"resultStatus":"F",`}, {`"paymentResult":{`, `"resultStatus":"F",`},
		{`{`, `"paymentStatus":"FAILED",`}, {`{`, `"refundStatus":"FAILED",`},
	} {
		name, _, _ := strings.Cut(twice[1], ":")
		if at := strings.Index(body, twice[0]); at >= 0 && strings.Contains(body[at:], name) {
			at += len(twice[0])
			return body[:at] + twice[1] + body[at:]
		}
	}
	return body
}

// damaged returns what of an answer is sent and what of it is signed.
func damaged(body []byte, damage answer) (sent, signed []byte) {
	switch damage {
	case answerMalformed:
		body = body[:len(body)/2]
	case answerDuplicate:
		body = []byte(duplicated(string(body)))
	case answerMisSigned:
		return body, append([]byte(" "), body...)
	}
	return body, body
}
