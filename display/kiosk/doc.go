// Package kiosk shows the customer's screens as a web page on a listener of its own. The page and all that it needs is
// embedded; it asks nothing of anybody but this server.
//
// Who can reach the listener sees what the customer at the counter sees, and can do nothing: there are no tokens, and
// every request but GET is refused. Screens come as server-sent events, at every change and at every heartbeat;
// a page that misses two heartbeats, or loses the stream, takes its QR down and asks for patience until it is back.
package kiosk
