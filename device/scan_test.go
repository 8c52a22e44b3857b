package device

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// P8: no way of printing a scan shows its text whole.
func TestScanPrintsMasked(t *testing.T) {
	const code = "281234567890123456"
	scan := Scan{Text: code, Symbology: "qr", Device: "test", At: epoch, Arming: 9}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c"} {
		printed[verb] = fmt.Sprintf(verb, scan)
		printed["pointer "+verb] = fmt.Sprintf(verb, &scan)
		printed["frame "+verb] = fmt.Sprintf(verb, Frame{Scan: scan})
	}
	printed["print"] = fmt.Sprint(scan, []Scan{scan}, map[string]Scan{"a": scan})
	marshalled, err := json.Marshal(map[string]any{"scan": scan, "frames": []Frame{{Scan: scan}}})
	if err != nil {
		t.Fatal(err)
	}
	printed["json"] = string(marshalled)
	var text, jsonLog bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("scan", "scan", scan, "frame", Frame{Scan: scan})
	slog.New(slog.NewJSONHandler(&jsonLog, nil)).Info("scan", "scan", scan, "frame", Frame{Scan: scan})
	printed["slog text"], printed["slog json"] = text.String(), jsonLog.String()

	for how, out := range printed {
		for _, whole := range []string{code, fmt.Sprintf("%x", code), fmt.Sprintf("%X", code), code[2:14]} {
			if strings.Contains(out, whole) {
				t.Errorf("%s shows the code: %s", how, out)
			}
		}
		if !strings.Contains(out, "28…3456") {
			t.Errorf("%s does not show which scan it is: %s", how, out)
		}
	}
}

// Ten characters and more show two and four of them, fewer show none.
func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "…",
		"123456789":          "…",
		"1234567890":         "12…7890",
		"281234567890123456": "28…3456",
		"一二三四五六七八九":          "…",
		"一二三四五六七八九十":         "一二…七八九十",
	} {
		if got := (Scan{Text: text}).Masked(); got != want {
			t.Errorf("%d characters: %q, want %q", len([]rune(text)), got, want)
		}
	}
}
