//go:build linux

package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"

	"payscand/test/lab/wire"
)

// handle answers a call.
func handle[In, Out any](mux *http.ServeMux, path string, do func(context.Context, In) (Out, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(r.Body).Decode(&in)
		var out Out
		if err == nil {
			out, err = do(r.Context(), in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(out) // who asked is gone then
	})
}

// forward passes requests below path on to a server in the guest.
func forward(mux *http.ServeMux, path, network, address string) {
	mux.Handle(path, http.StripPrefix(path[:len(path)-1], &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "localhost", "localhost"
		},
		FlushInterval: -1,
		Transport: &http.Transport{
			DisableKeepAlives: true, // servers are killed and started again
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		},
	}))
}

func serveFiles(mux *http.ServeMux) {
	handle(mux, wire.WriteFile, func(_ context.Context, f wire.File) (wire.Nothing, error) {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil { //nolint:gosec // in a guest of one's own
			return wire.Nothing{}, err
		}
		return wire.Nothing{}, os.WriteFile(f.Name, f.Content, os.FileMode(f.Mode))
	})
	handle(mux, wire.ReadFile, func(_ context.Context, n wire.Name) (wire.Text, error) {
		content, err := os.ReadFile(n.Name)
		return wire.Text{Text: string(content)}, err
	})
}
