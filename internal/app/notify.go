package app

import (
	"crypto/tls"
	"fmt"
	"net"

	"payscand/api"
	"payscand/api/notify"
	"payscand/payment"
	"payscand/terminal"
)

// serveNotify takes gateways' notifications from now on, if the configuration says
// where.
func (d *daemon) serveNotify(t *terminal.Terminal, gateways []payment.Gateway) error {
	c := d.config.Notify
	if c.Listen == "" {
		return nil
	}
	byVendor := map[string][]notify.Gateway{}
	for _, g := range gateways {
		if told, ok := g.(notify.Gateway); ok {
			vendor := string(d.config.Gateways[g.Name()].Type)
			byVendor[vendor] = append(byVendor[vendor], told)
		}
	}
	handler := notify.New(notify.Config{Terminal: t, Gateways: byVendor, Log: d.options.Log})
	server := handler.HTTPServer()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	listener = api.Limit(listener, api.MaxConnections) // strangers reach it: connections are memory
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile.Path)
		if err != nil {
			listener.Close()
			return fmt.Errorf("notify: %w", err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	d.addresses.Notify = listener.Addr().String()
	d.serve("notifications", server, listener)
	return nil
}
