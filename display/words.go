package display

import "payscand/payment"

// ReasonWords are what one reason means to people. Both end with a full stop and name no other reason for blame.
type ReasonWords struct {
	// Cashier says to the cashier or operator what happened and what to do.
	Cashier string
	// Customer is short and plain. It never calls a payment failed whose money may have moved.
	Customer string
}

// words are everything that one language has to say.
type words struct {
	reasons map[payment.Reason]ReasonWords
}

// catalogue holds every word in every language; a test holds it complete.
var catalogue = map[Language]words{
	English: {reasons: reasonsEnglish},
}

// Words returns what a reason means in English, for the cashier or operator and for the customer. A reason that is not
// in payment.Reasons has none: both are empty.
func Words(reason payment.Reason) (message, customerMessage string) {
	w := WordsIn(English, reason)
	return w.Cashier, w.Customer
}

// WordsIn returns what a reason means in a language; empty for a reason or language that is unknown.
func WordsIn(language Language, reason payment.Reason) ReasonWords {
	return catalogue[language].reasons[reason]
}
