package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"payscand/api/client"
)

const bearerScheme = "bearer"

const aboutAPI = `The register's API of one payment terminal.

Over TCP every call but health needs ` + "`Authorization: Bearer`" + ` with a token of role register or operator; what only an operator may do says so. On the terminal's Unix socket no token is needed; the role is register then.

Amounts are integers in minor units of their currency, times are UTC. Every refusal is a problem (RFC 9457) with a stable ` + "`code`" + ` and never repeats what was sent.`

// newHuma returns the API without its routes. Huma routes, writes answers and
// keeps the description. It validates nothing: its errors hold what was sent,
// so requests are read by this package.
func newHuma(mux *http.ServeMux, version string) huma.API {
	muteHuma()
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "payscand", Version: version, Description: aboutAPI},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearerScheme: {Type: "http", Scheme: "bearer", Description: "A line of a file in the terminal's token folder."},
				},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": {Marshal: marshal}, "json": {Marshal: marshal},
		},
		DefaultFormat: "application/json",
	}
	// Answers may gain fields; requests are closed one by one, in describeBody.
	config.AllowAdditionalPropertiesByDefault = true
	return humago.New(mux, config)
}

// marshal ignores a failed write: the caller went away, which huma would make a
// panic of.
func marshal(w io.Writer, v any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // payment URLs stay readable
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, _ = w.Write(b.Bytes())
	return nil
}

// operation is one route, as it is served and as it is described.
type operation struct {
	method, path, id     string
	summary, description string
	public               bool   // everybody may call
	roles                []Role // who may call, unless public
	status               int    // of success; 0: 200
	replays              string // what 200 with Idempotency-Replayed stands for, where that is a success too
	body                 any    // zero value of the body's type, nil for none
	stream               any    // zero value of the events' type, where the answer is a stream of them
	parameters           []*huma.Param
	errors               []int // statuses beside 401, 403, 421, 422 and 500
}

func (op operation) success() int {
	if op.status == 0 {
		return http.StatusOK
	}
	return op.status
}

// register adds a route. It is a function because methods have no type parameters.
func register[I, O any](s *Server, op operation, handle func(context.Context, *request, *I) (*O, *problem)) {
	described := huma.Operation{
		Method: op.method, Path: op.path, OperationID: op.id, Summary: op.summary, Description: op.description,
		DefaultStatus: op.success(), Parameters: op.parameters,
		Errors:             append([]int{http.StatusMisdirectedRequest, http.StatusUnprocessableEntity}, op.errors...),
		SkipValidateParams: true, SkipValidateBody: true,
	}
	if !op.public {
		described.Security = []map[string][]string{{bearerScheme: {}}}
		described.Errors = append(described.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	s.access[op.method+" "+op.path] = access{op.public, op.roles}
	reads := slices.ContainsFunc(op.parameters, func(p *huma.Param) bool { return p.In == "query" })
	huma.Register(s.api, described, func(ctx context.Context, input *I) (*O, error) {
		in := requestOf(ctx)
		if !reads && !op.public {
			if _, p := queryValues(in.query); p != nil {
				return nil, p
			}
		}
		if op.body == nil {
			if p := noBody(in.body); p != nil {
				return nil, p
			}
		}
		out, p := handle(ctx, in, input)
		if p != nil {
			return nil, p
		}
		return out, nil
	})
	s.describe(op)
}

// describe completes what huma described by itself. The body is added only now,
// or huma would read and check it.
func (s *Server) describe(op operation) {
	doc := s.api.OpenAPI()
	item := doc.Paths[op.path]
	described := item.Get
	if op.method == http.MethodPost {
		described = item.Post
	}
	if op.replays != "" {
		created := described.Responses[strconv.Itoa(op.success())]
		created.Headers = map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}}
		described.Responses["200"] = &huma.Response{
			Description: op.replays,
			Content:     created.Content,
			Headers:     map[string]*huma.Param{"Idempotency-Replayed": {Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}}}},
		}
	}
	registry := doc.Components.Schemas
	if op.stream != nil {
		described.Responses[strconv.Itoa(op.success())].Content = map[string]*huma.MediaType{
			"text/event-stream": {Schema: registry.Schema(reflect.TypeOf(op.stream), true, "")},
		}
	}
	if op.body == nil {
		return
	}
	schema := registry.Schema(reflect.TypeOf(op.body), true, "")
	registry.SchemaFromRef(schema.Ref).AdditionalProperties = false
	described.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}

const (
	descriptionPath = "/openapi.json"
	docsPath        = "/docs"
)

// addDescription serves the description, and a page to read it and try it out.
// Call it when all routes are there.
func (s *Server) addDescription() error {
	codes := make([]string, 0, len(kinds))
	for code := range kinds {
		codes = append(codes, string(code))
	}
	slices.Sort(codes)
	problemCode := s.api.OpenAPI().Components.Schemas.Map()["Problem"].Properties["code"]
	for _, code := range codes {
		problemCode.Enum = append(problemCode.Enum, code)
	}
	description, err := s.OpenAPI()
	if err != nil {
		return fmt.Errorf("api: its description: %w", err)
	}
	s.public("GET "+descriptionPath, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(description)
	}))
	return s.addDocs()
}

func (s *Server) public(pattern string, handler http.Handler) {
	s.access[pattern] = access{public: true}
	s.mux.Handle(pattern, handler)
}

// docsAssets are the files that the page loads, all from here.
var docsAssets = []string{
	"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "favicon-16x16.png", "favicon-32x32.png",
}

// addDocs serves swgui's page, made once so that a Content-Security-Policy can
// name its inline scripts by their hash and forbid everything from outside.
func (s *Server) addDocs() error {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "payscand", SwaggerJSON: descriptionPath, BasePath: docsPath + "/",
		SettingsUI: map[string]string{"supportedSubmitMethods": "['get', 'post']"},
	})
	var rendered renderedPage
	page.ServeHTTP(&rendered, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: docsPath}})
	html := rendered.Bytes()
	policy, err := docsPolicy(html)
	if err != nil {
		return err
	}
	index := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(html)
	})
	s.public("GET "+docsPath, index)
	s.public("GET "+docsPath+"/{$}", index)
	for _, asset := range docsAssets {
		s.public("GET "+docsPath+"/"+asset, page)
	}
	return nil
}

// renderedPage is an http.ResponseWriter that keeps the body.
type renderedPage struct{ bytes.Buffer }

func (*renderedPage) Header() http.Header { return http.Header{} }
func (*renderedPage) WriteHeader(int)     {}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

func docsPolicy(html []byte) (string, error) {
	scripts := inlineScript.FindAllSubmatch(html, -1)
	if len(scripts) == 0 {
		return "", errors.New("api: the docs page has no inline script, so it is not the page that was expected")
	}
	var hashes strings.Builder
	for _, script := range scripts {
		// Browsers hash a script after turning CR LF into LF.
		sum := sha256.Sum256(bytes.ReplaceAll(script[1], []byte("\r\n"), []byte("\n")))
		hashes.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return "default-src 'none'; script-src 'self'" + hashes.String() +
		"; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nil
}

var _ huma.StatusError = (*problem)(nil)
var _ huma.HeadersError = (*problem)(nil)
var _ error = (*client.Problem)(nil)
