package display //nolint:dupl // a catalogue is alike in every language

import "payscand/payment"

var english = words{
	screens: map[Kind]ScreenWords{
		KindIdle:       {"Welcome", "Your total will appear here."},
		KindAmount:     {"Please show your payment code", "Open your wallet app and hold the code up to the scanner."},
		KindQR:         {"Scan to pay", "Scan this code with your wallet app."},
		KindProcessing: {"Please check your phone", "If your app asks you to, confirm the payment there."},
		KindWait:       {"One moment, please", "We will be right with you."},
		KindUnresolved: {"Please ask the cashier", "We are still checking this payment."},
		KindAskCashier: {"Please ask the cashier", "Your cashier will help you."},
		KindApproved:   {"Payment approved", "Thank you!"},
		KindDeclined:   {Title: "Payment not completed"},
		KindCancelled:  {"Payment cancelled", "Your cashier will help you."},
		KindOutOfOrder: {"Out of order", "Please ask the cashier how to pay."},
	},
	offline:  ScreenWords{"Please wait", "We will be back in a moment."},
	timeLeft: "Time left",
	reasons: map[payment.Reason]ReasonWords{
		payment.ReasonInsufficientFunds: {
			"The wallet could not cover this amount. Ask the customer to choose another card or balance in the app, then scan a new code.",
			"Your wallet could not cover this amount. Please choose another card or balance in your app.",
		},
		payment.ReasonDeclined: {
			"The wallet declined the payment. Ask the customer to look at the app, then scan a new code, or use another way to pay.",
			"Your wallet did not approve the payment. Please check your app or pay another way.",
		},
		payment.ReasonAmountLimit: {
			"The amount is above a limit of the customer's wallet. Ask the customer to raise the limit in the app or to use another wallet, or split the sale, then scan a new code.",
			"This amount is above your wallet's limit. Please use another wallet or pay another way.",
		},
		payment.ReasonCountLimit: {
			"The customer's wallet allows no more payments for now. Ask the customer to use another wallet or another way to pay.",
			"Your wallet allows no more payments for now. Please use another wallet or pay another way.",
		},
		payment.ReasonMethodUnavailable: {
			"The customer's wallet cannot pay here with what was chosen. Ask the customer to choose another card or balance in the app, or to use another wallet.",
			"This way to pay is not available in your wallet. Please choose another one or pay another way.",
		},
		payment.ReasonWalletAccount: {
			"The wallet asks the customer to put something right with the account, such as proof of identity. Ask the customer to open the app, or to use another way to pay.",
			"Your wallet needs your attention first. Please open your app or pay another way.",
		},
		payment.ReasonNotVerified: {
			"The customer did not pass the wallet's check (PIN, password or the like). Nothing was charged: ask the customer for a new code and scan it.",
			"The payment was not confirmed in your app. Please show a new code and try again.",
		},
		payment.ReasonInvalidCode: {
			"The wallet does not know this code. Ask the customer to open the payment code in the app, then scan it again.",
			"We could not use that code. Please open the payment code in your app again.",
		},
		payment.ReasonExpiredCode: {
			"The code was too old or had been used. Ask the customer to refresh it in the app, then scan the new one.",
			"That code is no longer valid. Please refresh it in your app and show it again.",
		},
		payment.ReasonNotPaidInTime: {
			"The customer did not pay in time and the order is closed. Scan a new code, or start a new sale.",
			"The time to pay has run out. Please try again.",
		},
		payment.ReasonCancelled: {
			"The payment was cancelled at the gateway. Scan a new code to go on, or start a new sale.",
			"The payment was cancelled.",
		},
		payment.ReasonQRNotShown: {
			"The QR code could not be obtained and nobody saw it, so it cannot be paid. Scan the customer's code, or ask for a QR code again.",
			"The QR code is not available right now. Please show your own payment code.",
		},
		payment.ReasonAbsent: {
			"The gateway never had this order, so nothing was charged. Scan a new code, or start a new sale.",
			"No payment reached us. Please try again.",
		},
		payment.ReasonOverridden: {
			"A person decided how this sale ended; the gateway had not said. The terminal keeps checking and will show it if the truth is another.",
			"The shop has settled this payment. Please ask the cashier if you have questions.",
		},
		payment.ReasonScanDamaged: {
			"What was scanned did not arrive whole, so nothing was sent. Scan the code again; if it happens often, the terminal's status says what to mend at the scanner.",
			"We could not read that code. Please hold your phone still and show it again.",
		},
		payment.ReasonNotEnoughBalance: {
			"The shop's balance at the gateway does not cover this refund. Tell the operator, who can top it up. Give the money back another way only once this refund has failed.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonAlreadyRefunded: {
			"The gateway has given this payment back in full already. Do not give it back again: compare the order in the gateway's portal.",
			"This payment was refunded before. Please check your app.",
		},
		payment.ReasonRefundTooLate: {
			"The gateway no longer refunds this payment: its time is over. Once this refund has failed, give the money back another way.",
			"A refund to your app is no longer possible. Please ask the cashier.",
		},
		payment.ReasonRefundInProcess: {
			"Another refund of this payment is under way at the gateway, so it did not take this one. Refund again only once this one has failed and the other one is over.",
			"Another refund of this payment is being processed. Please ask the cashier.",
		},
		payment.ReasonRefundInReview: {
			"The gateway reviews this refund before it gives the money back. Do not give it back another way: the terminal keeps checking and will show the result.",
			"Your refund is being reviewed. This may take a few days.",
		},
		payment.ReasonRefundAmount: {
			"The gateway refuses this amount: it is more than is left of the payment. Compare the order in the gateway's portal before you give money back another way.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonRefundFailed: {
			"The gateway could not make this refund. Once it has failed here, refund again or give the money back another way.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonRefundUnproved: {
			"For a month no trace of this refund was found, so the terminal has stopped looking; its amount stays reserved. Compare the payment in the gateway's portal: only there it can be seen whether the money went back.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonBadSignature: {
			"The gateway refused our signature. Use another way to pay and tell the operator: the private key must match the one registered with the gateway.",
			"This way to pay is not available right now. Please ask the cashier.",
		},
		payment.ReasonUnknownMerchant: {
			"The gateway does not know this merchant. Use another way to pay and tell the operator: the merchant code or client id in the configuration must be corrected.",
			"This way to pay is not available right now. Please ask the cashier.",
		},
		payment.ReasonClockWrong: {
			"The gateway refused the time of the request. Use another way to pay and tell the operator: this machine's clock must be set right.",
			"This way to pay is not available right now. Please ask the cashier.",
		},
		payment.ReasonRequestRefused: {
			"The gateway refused the request. Use another way to pay and give the operator the gateway's code: the configuration does not fit the contract.",
			"This way to pay is not available right now. Please ask the cashier.",
		},
		payment.ReasonNotPermitted: {
			"The shop's contract does not allow this payment. Use another way to pay and tell the operator, who can ask the gateway to permit it.",
			"This way to pay is not accepted here. Please pay another way.",
		},
		payment.ReasonGatewayUnreachable: {
			"The gateway could not be reached and nothing was sent, so nothing was charged. Check the network, then scan a new code or use another way to pay.",
			"We have no connection right now. Please wait a moment or pay another way.",
		},
		payment.ReasonNoAnswer: {
			"The gateway has not answered, so the payment may or may not have been made. Do not charge again yet: the terminal keeps checking and will show the result.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
		payment.ReasonAnswerUnverified: {
			"The gateway's answer could not be verified, so it was not counted. Do not charge again yet. If this goes on, tell the operator: the gateway's public key must be checked.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
		payment.ReasonAnswerMalformed: {
			"The gateway's answer could not be read, so it was not counted. Do not charge again yet: the terminal keeps checking and will show the result.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
		payment.ReasonAnswerMismatch: {
			"The gateway's answer does not match this sale's order, amount or currency. Do not charge again yet, and tell the operator: compare the order in the gateway's portal.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
		payment.ReasonGatewayError: {
			"The gateway has trouble of its own and gave no result. Do not charge again yet: the terminal keeps checking and will show the result.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
		payment.ReasonRateLimited: {
			"The gateway asks us to slow down and gave no result. Do not charge again yet: the terminal keeps checking and will show the result.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
		payment.ReasonNotFound: {
			"The gateway does not know this order at the moment. Do not charge again before the terminal says how the sale ended.",
			"We are still checking your payment. Please ask the cashier before you pay again.",
		},
	},
}
