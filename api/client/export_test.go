package client

import "net/http"

// SetTransport lets a test be the network.
func (c *Client) SetTransport(t http.RoundTripper) { c.http.Transport = t }
