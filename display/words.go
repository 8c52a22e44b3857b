package display

import "payscand/payment"

// ReasonWords are what one reason means to people, in whole sentences.
type ReasonWords struct {
	// Cashier says to the cashier or operator what happened and what to do.
	Cashier string
	// Customer is short and plain, and blames nobody. It never calls a payment failed whose money may have moved.
	Customer string
}

// ScreenWords are what one screen says: Title at a glance, without a full stop, and Hint below it.
type ScreenWords struct {
	Title, Hint string
}

// words are everything that one language has to say.
type words struct {
	// screens by kind. That of KindDeclined has no hint: the reason is the hint.
	screens map[Kind]ScreenWords
	// offline is for an output that has lost the daemon.
	offline  ScreenWords
	timeLeft string // label of the countdown beside a QR
	reasons  map[payment.Reason]ReasonWords
}

// catalogue holds every word in every language; a test holds it complete.
var catalogue = map[Language]words{
	English:            english,
	French:             french,
	SimplifiedChinese:  simplifiedChinese,
	TraditionalChinese: traditionalChinese,
}

// Words returns what a reason means in English, for the cashier or operator and for the customer; refund says that a
// refund has it, not a payment. A reason that is not in payment.Reasons has none: both are empty.
func Words(reason payment.Reason, refund bool) (message, customerMessage string) {
	w := WordsIn(English, reason)
	if refund {
		w = RefundWordsIn(English, reason)
	}
	return w.Cashier, w.Customer
}

// RefundWordsIn returns what a reason means in a language where a refund has it.
func RefundWordsIn(l Language, reason payment.Reason) ReasonWords {
	if w, own := refundWords[l][reason]; own {
		return w
	}
	return WordsIn(l, reason)
}

// WordsIn returns what a reason means in a language; empty for a reason or language that is unknown.
func WordsIn(l Language, reason payment.Reason) ReasonWords {
	return catalogue[l].reasons[reason]
}

// Words returns what the screen says in a language; empty for a language that is unknown.
func (s Screen) Words(l Language) ScreenWords {
	w := catalogue[l].screens[s.Kind]
	if s.Kind == KindDeclined || s.Reason != "" {
		w.Hint = WordsIn(l, s.Reason).Customer
	}
	return w
}

// OfflineWords are for an output that has lost the daemon and so knows nothing.
func OfflineWords(l Language) ScreenWords { return catalogue[l].offline }

// TimeLeft is the label of the countdown beside a QR.
func TimeLeft(l Language) string { return catalogue[l].timeLeft }
