//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"sync"

	"payscand/test/lab/wire"
)

// recorder stands between the daemon and the practice gateway, changes nothing,
// and remembers which payment codes were to be charged: the end of the line, where
// a wrong character would cost somebody money.
type recorder struct {
	mu    sync.Mutex
	codes []string
}

func startRecorder() (*recorder, error) {
	listener, err := net.Listen("tcp", wire.RecorderAddress)
	if err != nil {
		return nil, err
	}
	r := new(recorder)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host = "http", wire.GatewayAddress
	}}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) { //nolint:gosec // one client
		r.note(request)
		proxy.ServeHTTP(w, request)
	})}
	go func() {
		// It ends only with an error, and without it no test could be believed.
		_ = server.Serve(listener)
		os.Exit(1)
	}()
	return r, nil
}

// note remembers the payment code in a request, if there is one.
func (r *recorder) note(request *http.Request) {
	body, err := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return // what was read goes on, and the gateway refuses it
	}
	var pay struct {
		Method struct {
			Code string `json:"paymentCode"`
		} `json:"paymentMethod"`
	}
	if err := json.Unmarshal(body, &pay); err != nil || pay.Method.Code == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes = append(r.codes, pay.Method.Code)
}

func (r *recorder) charged(context.Context, wire.Nothing) (wire.Codes, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return wire.Codes{Codes: append([]string{}, r.codes...)}, nil
}
