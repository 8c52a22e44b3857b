// Package browser watches the customer's page in a headless Chromium, as a person at the counter would: each screen that
// the page shows, when it showed it by its own clock, what it looks like, and everything that it should not do. The demo
// and the end-to-end tests look through it.
package browser
