package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payscand/api"
	"payscand/api/client"
	"payscand/payment"
)

type described struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Summary     string                `json:"summary"`
		Description string                `json:"description"`
		Security    []map[string][]string `json:"security"`
		Parameters  []struct {
			Name     string `json:"name"`
			In       string `json:"in"`
			Required bool   `json:"required"`
		} `json:"parameters"`
		RequestBody *struct {
			Required bool `json:"required"`
			Content  map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				} `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				} `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		SecuritySchemes map[string]struct {
			Type, Scheme string
		} `json:"securitySchemes"`
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Properties map[string]struct {
		Enum []string `json:"enum"`
	} `json:"properties"`
	Additional any      `json:"additionalProperties"`
	Required   []string `json:"required"`
}

func describedAPI(t *testing.T, c *counter) described {
	t.Helper()
	var d described
	if err := json.Unmarshal([]byte(c.send(t, "GET", "/openapi.json", "").body), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every call is described: who may make it, what it takes, what it answers.
func TestOpenAPI(t *testing.T) {
	c := serve(t)
	d := describedAPI(t, c)
	calls := map[string]struct{ success, body, parameters string }{
		"POST /v1/sales":                 {"201 200", "NewSale", "Idempotency-Key!"},
		"GET /v1/sales/{id}":             {"200", "", "wait after id!"},
		"POST /v1/sales/{id}/code":       {"200", "PresentedCode", "id!"},
		"POST /v1/sales/{id}/qr":         {"200", "", "id!"},
		"POST /v1/sales/{id}/cancel":     {"202", "", "id!"},
		"POST /v1/sales/{id}/check":      {"200", "", "id!"},
		"GET /v1/sales":                  {"200", "", "status reference from to limit cursor"},
		"POST /v1/sales/{id}/refunds":    {"201 200", "NewRefund", "Idempotency-Key! id!"},
		"GET /v1/sales/{id}/refunds/{n}": {"200", "", "wait after id! n!"},
		"POST /v1/refunds":               {"201 200", "NewRefundElsewhere", "Idempotency-Key!"},
		"POST /v1/sales/{id}/resolve":    {"200", "Resolution", "id!"},
		"POST /v1/backups":               {"201", "", ""},
		"GET /v1/events":                 {"200", "", "Last-Event-ID after"},
		"GET /v1/terminal":               {"200", "", ""},
		"GET /healthz":                   {"200", "", ""},
		"GET /readyz":                    {"200", "", ""},
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Errorf("version %s", d.OpenAPI)
	}
	if scheme := d.Components.SecuritySchemes["bearer"]; scheme.Type != "http" || scheme.Scheme != "bearer" {
		t.Errorf("security scheme %+v", scheme)
	}
	seen := make(map[string]bool)
	for path, methods := range d.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + path
			seen[name] = true
			want, known := calls[name]
			if !known {
				t.Errorf("%s is described, but not in this test", name)
			}
			if op.OperationID == "" || op.Summary == "" || op.Description == "" {
				t.Errorf("%s has no words", name)
			}
			private := strings.HasPrefix(path, "/v1/")
			if secured := len(op.Security) == 1 && op.Security[0]["bearer"] != nil; secured != private || (op.Responses["401"].Content != nil) != private {
				t.Errorf("%s: security %v", name, op.Security)
			}
			var parameters []string
			for _, p := range op.Parameters {
				text := p.Name
				if p.Required {
					text += "!"
				}
				parameters = append(parameters, text)
			}
			if got := strings.Join(parameters, " "); got != want.parameters {
				t.Errorf("%s: parameters %q, want %q", name, got, want.parameters)
			}
			if (op.RequestBody != nil) != (want.body != "") ||
				op.RequestBody != nil && op.RequestBody.Content["application/json"].Schema.Ref != "#/components/schemas/"+want.body {
				t.Errorf("%s: body %+v", name, op.RequestBody)
			}
			for success := range strings.FieldsSeq(want.success) {
				mediaType := "application/json"
				if name == "GET /v1/events" {
					mediaType = "text/event-stream"
				}
				if op.Responses[success].Content[mediaType].Schema.Ref == "" {
					t.Errorf("%s: success %s is not described", name, success)
				}
			}
			for status, response := range op.Responses {
				if status >= "4" && response.Content["application/problem+json"].Schema.Ref != "#/components/schemas/Problem" {
					t.Errorf("%s: %s is no problem: %+v", name, status, response)
				}
			}
		}
	}
	for name := range calls {
		if !seen[name] {
			t.Errorf("%s is not described", name)
		}
	}
}

// filled returns a described path as it can be called.
func filled(path string) string { return strings.NewReplacer("{id}", saleID, "{n}", "1").Replace(path) }

// The description is true: each described path answers to its method and to no
// other, with a status that is described.
func TestOpenAPIIsTrue(t *testing.T) {
	c := serve(t)
	for path, methods := range describedAPI(t, c).Paths {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
			a := c.open(t, filled(path), func(r *http.Request) { r.Method = method })
			op, known := methods[strings.ToLower(method)]
			if known == (a.StatusCode == http.StatusMethodNotAllowed) {
				t.Errorf("%s %s: status %d", method, path, a.StatusCode)
			}
			if _, told := op.Responses[strconv.Itoa(a.StatusCode)]; known && !told {
				t.Errorf("%s %s: status %d is not described", method, path, a.StatusCode)
			}
		}
	}
}

// No call under /v1 is open without a token, or to one of the role metrics.
func TestEveryCallNeedsAToken(t *testing.T) {
	c := serve(t)
	private := 0
	for path, methods := range describedAPI(t, c).Paths {
		if !strings.HasPrefix(path, "/v1/") {
			continue
		}
		for method := range methods {
			private++
			method, path := strings.ToUpper(method), filled(path)
			if a := c.send(t, method, path, "", without("Authorization")); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s %s without a token: status %d", method, path, a.StatusCode)
			}
			if a := c.send(t, method, path, "", header("Authorization", "Bearer "+c.tokens[api.RoleMetrics])); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s of role metrics: status %d", method, path, a.StatusCode)
			}
		}
	}
	if private == 0 || len(c.terminal.calls) != 0 {
		t.Errorf("%d private calls; the terminal was asked for %v", private, c.terminal.calls)
	}
}

// The description's lists of values are the domain's; requests are closed to
// unknown fields, answers are open to new ones.
func TestOpenAPISchemas(t *testing.T) {
	schemas := describedAPI(t, serve(t)).Components.Schemas
	enums := []struct {
		schema, property string
		want             []string
	}{
		{"Sale", "status", texts(payment.SaleStatuses())},
		{"Attempt", "status", texts(payment.AttemptStatuses())},
		{"Attempt", "instrument", texts([]payment.Instrument{payment.InstrumentCode, payment.InstrumentQR, payment.InstrumentElsewhere})},
		{"NewSale", "mode", texts([]payment.Mode{payment.ModeAuto, payment.ModeScan, payment.ModeQR})},
		{"Refund", "status", texts([]payment.RefundStatus{
			payment.RefundSubmitting, payment.RefundPending, payment.RefundUnknown, payment.RefundSucceeded, payment.RefundFailed,
		})},
		{"SaleRefund", "status", schemas["Refund"].Properties["status"].Enum},
		{"Resolution", "outcome", texts([]payment.OverrideOutcome{payment.OverridePaid, payment.OverrideNotPaid})},
		{"Override", "outcome", texts([]payment.OverrideOutcome{payment.OverridePaid, payment.OverrideNotPaid})},
		{"Returned", "extent", texts([]payment.Extent{payment.ReturnedInPart, payment.ReturnedInFull})},
		{"LateCapture", "kept", texts([]payment.CaptureKept{payment.KeptByPolicy, payment.KeptByLimit, payment.KeptByAmount, payment.KeptByRefund, payment.KeptUnconfirmed})},
		{"Sale", "mode", texts([]payment.Mode{payment.ModeAuto, payment.ModeScan, payment.ModeQR})},
	}
	for _, enum := range enums {
		if got := schemas[enum.schema].Properties[enum.property].Enum; !slices.Equal(got, enum.want) {
			t.Errorf("%s.%s is one of %v, in the domain %v", enum.schema, enum.property, got, enum.want)
		}
	}
	codes := schemas["Problem"].Properties["code"].Enum
	for code := range refusals {
		if !slices.Contains(codes, string(code)) {
			t.Errorf("problem code %s is not described", code)
		}
	}
	for name, s := range schemas {
		if closed := s.Additional == false; closed != slices.Contains([]string{"NewSale", "PresentedCode", "NewRefund", "NewRefundElsewhere", "Resolution"}, name) {
			t.Errorf("%s: additionalProperties %v", name, s.Additional)
		}
	}
	if got := schemas["NewSale"].Required; !slices.Equal(slices.Sorted(slices.Values(got)), []string{"amount", "currency"}) {
		t.Errorf("a new sale needs %v", got)
	}
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// The description names every type of event that the journal has.
func TestOpenAPINamesEveryEvent(t *testing.T) {
	types, err := os.ReadFile("../payment/event.go")
	if err != nil {
		t.Fatal(err)
	}
	event, _ := reflect.TypeFor[client.Event]().FieldByName("Type")
	named := event.Tag.Get("doc")
	all := regexp.MustCompile(`RecordType(?: = |\()"([a-z_.]+)"`).FindAllSubmatch(types, -1)
	if len(all) < 7 {
		t.Fatalf("%d types of records were found", len(all))
	}
	for _, one := range all {
		if name := strings.TrimSuffix(string(one[1]), "submitting"); !strings.Contains(named, name) {
			t.Errorf("the description of an event's type does not name %s", name)
		}
	}
}

var update = flag.Bool("update", false, "write docs/openapi.json anew")

// The committed description is that of this program, but for the version. To
// write it anew: go test ./api -run TestOpenAPIFile -update.
func TestOpenAPIFile(t *testing.T) {
	const path = "../docs/openapi.json"
	tokens, err := api.OpenTokens(filepath.Join(t.TempDir(), "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := api.NewServer(api.Config{Terminal: newFake(), Words: words, Tokens: tokens, Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	description, err := server.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, description, "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("docs/openapi.json is not this program's (-program +file); write it anew with: go test ./api -run TestOpenAPIFile -update\n%s", diff)
	}
}

// The description does not depend on the run: it can be committed.
func TestOpenAPIIsStable(t *testing.T) {
	a, b := serve(t), serve(t)
	one, err := a.server.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.server.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(two) || string(one) != a.send(t, "GET", "/openapi.json", "").body {
		t.Error("two descriptions differ")
	}
	if strings.Contains(string(one), "$schema") {
		t.Error("the description has a $schema")
	}
}

// The docs page loads everything from this server; its policy allows nothing else.
func TestDocsPageIsOffline(t *testing.T) {
	c := serve(t)
	a := c.send(t, "GET", "/docs", "")
	links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(a.body, -1)
	assets := make(map[string]bool)
	for _, link := range links {
		assets[link[1]] = true
	}
	if len(assets) < 4 {
		t.Errorf("the page loads %v", slices.Collect(maps.Keys(assets)))
	}
	for asset := range assets {
		if !strings.HasPrefix(asset, "/docs/") {
			t.Errorf("the page loads %s", asset)
			continue
		}
		if got := c.send(t, "GET", asset, "", without("Authorization")); got.StatusCode != 200 || got.body == "" {
			t.Errorf("%s: status %d", asset, got.StatusCode)
		}
	}
	policy := a.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "http:") || strings.Contains(policy, "https:") || strings.Contains(policy, "*") ||
		!strings.HasPrefix(policy, "default-src 'none';") || regexp.MustCompile(`script-src[^;]*unsafe`).MatchString(policy) {
		t.Errorf("policy %s", policy)
	}
	if hashes := strings.Count(policy, "'sha256-"); hashes != strings.Count(a.body, "<script>") {
		t.Errorf("%d hashes for the inline scripts of %s", hashes, a.body)
	}
}
