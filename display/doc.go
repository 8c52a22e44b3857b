// Package display is what the customer sees at the counter: the Screen as a function of the committed sale, its words in
// every language, the drawing of QR codes, and the Board that tells the outputs which screen is up.
//
// A screen says only what is certain. While nobody knows whether money moved, it asks for patience or sends the customer
// to the cashier: never "paid", "failed" or "cancelled".
package display
