package kiosk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"payscand/display"
)

//go:embed page
var files embed.FS

// page serves the embedded page, made once for a display's languages.
type page struct {
	version string // of all its parts: another version loads itself anew
	html    []byte
	parts   map[string]part // by path
}

type part struct {
	contentType string
	content     []byte
}

// pageLanguage is what the page knows of a language by itself, without the daemon.
type pageLanguage struct {
	Tag      display.Language
	Offline  display.ScreenWords // the daemon is gone
	Wait     display.ScreenWords // the time of a QR is over and no new screen has come yet
	TimeLeft string
}

func newPage(shop string, languages []display.Language) (*page, error) {
	p := &page{parts: make(map[string]part)}
	digest := sha256.New()
	for name, contentType := range map[string]string{
		"kiosk.css": "text/css; charset=utf-8", "kiosk.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		content, err := fs.ReadFile(files, "page/"+name)
		if err != nil {
			return nil, fmt.Errorf("kiosk page: %w", err)
		}
		p.parts["/kiosk/"+name] = part{contentType: contentType, content: content}
	}
	for _, name := range []string{"kiosk.css", "kiosk.js", "icon.svg"} {
		digest.Write(p.parts["/kiosk/"+name].content)
	}
	t, err := template.ParseFS(files, "page/kiosk.html")
	if err != nil {
		return nil, fmt.Errorf("kiosk page: %w", err)
	}
	data := struct {
		Version   string
		Shop      string
		Languages []pageLanguage
	}{Shop: shop}
	for _, l := range languages {
		data.Languages = append(data.Languages, pageLanguage{
			Tag: l, TimeLeft: display.TimeLeft(l),
			Offline: display.OfflineWords(l), Wait: display.Screen{Kind: display.KindWait}.Words(l),
		})
	}
	render := func() ([]byte, error) {
		var b bytes.Buffer
		if err := t.Execute(&b, data); err != nil {
			return nil, fmt.Errorf("kiosk page: %w", err)
		}
		return b.Bytes(), nil
	}
	bare, err := render() // the version is part of the page, so it is taken of the page without it
	if err != nil {
		return nil, err
	}
	digest.Write(bare)
	data.Version = hex.EncodeToString(digest.Sum(nil)[:8])
	p.version = data.Version
	p.html, err = render()
	return p, err
}

// ServeHTTP serves the page at / and its parts below /kiosk/.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(p.html)
		return
	}
	found, ok := p.parts[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", found.contentType)
	_, _ = w.Write(found.content)
}
