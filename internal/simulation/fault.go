package simulation

// fault is a kind of trouble that a campaign must have seen: one that never
// fired proves nothing.
type fault uint8

const (
	faultReordered fault = fault(fates) + iota // the fates come first, under their own numbers

	faultTimedOut
	faultAborted
	faultSecondOrder
	faultSecondSendRefused
	faultSecondSendKnown
	faultAskedBeforePay
	faultPaidAfterClosed
	faultPaidAfterCancel
	faultCancelBeforePay
	faultCodeTwice
	faultCancelReversed
	faultCancelNotFound
	faultCancelTooLate
	faultUnlistedFailure
	faultOutageNotSent
	faultOutageSilence
	faultOutageUnknown
	faultOutageHours
	faultUnknownHours
	faultClockForward
	faultClockBack
	faultClockYears
	faultSuspend
	faultCrashLost
	faultCrashStuck
	faultCrashAfter
	faultCrashInRecovery
	faultPowerCut
	faultCrashedBeforeSend
	faultDiskFull
	faultSlowTurn
	faultUnsendable
	faultScannerLost
	faultScannerBack
	faultScanEarly
	faultScanLate
	faultScanDoubled
	faultScanOtherCustomer
	faultScanLastCustomer
	faultScanGoods
	faultScanDamaged
	faultCashierCancel
	faultCashierCheck
	faultCashierRepeats
	faultCashierOtherDigest
	faultCashierQR
	faultCashierPosts
	faultCashierBusy
	faultTwinReplaces
	faultTwinSeparate
	faultReplyLost
	faultQRPaidLate
	faultRefundWhole
	faultRefundPart
	faultRefundAtOnce
	faultRefundKnown
	faultRefundAgain
	faultRefundInProcess
	faultRefundInReview
	faultRefundFails
	faultRefundNoBalance
	faultOverridePaid
	faultOverrideNotPaid
	faultPortalWhole
	faultPortalPart
	faultLateCheck
	faultNotified
	faultNotifiedLate
	faultNotifiedTwice
	faultNotifiedForged
	faultNotifiedAnother
	faultBoth
	faultPaidBeforeCancel
	faultOtherSum
	faultTriesAgain
	faultElsewhere
	faultElsewhereRefused
	faultElsewhereTwice
	faultElsewhereRest
	faultGatewayGone
	faultGatewayGivenUp
	faultRoutesChanged
	faultConfigRefused
	faultMoved
	faultAdopted

	faults
)

var faultNames = [faults]string{
	faultReordered: "answers reordered", faultTimedOut: "answer after the time-out", faultAborted: "inquiry given up",
	faultSecondOrder: "second send made a second order", faultSecondSendRefused: "second send answered F",
	faultSecondSendKnown: "second send known again", faultAskedBeforePay: "pay arrived after a question about it",
	faultPaidAfterClosed: "paid after closed", faultPaidAfterCancel: "payment beat an accepted cancel",
	faultCancelBeforePay: "pay arrived after its cancel", faultCodeTwice: "one code paid two orders", faultUnlistedFailure: "F with an unlisted code",
	faultOutageNotSent: "outage: unreachable", faultOutageSilence: "outage: silence", faultOutageUnknown: "outage: U to everything",
	faultOutageHours: "outage of hours", faultUnknownHours: "U for hours", faultCancelReversed: "cancel gave the money back",
	faultCancelNotFound: "cancel of an unknown order", faultCancelTooLate: "cancel after its window",
	faultClockForward: "clock jumped forward", faultClockBack: "clock jumped back", faultClockYears: "clock jumped by years", faultSuspend: "suspended",
	faultCrashLost: "crash, commit lost", faultCrashStuck: "commit failed but stuck", faultCrashAfter: "crash after the commit",
	faultCrashInRecovery: "crash in recovery", faultPowerCut: "power cut", faultCrashedBeforeSend: "crash before the first byte",
	faultDiskFull: "disk full", faultSlowTurn: "slow disk", faultUnsendable: "sale not expressible", faultScannerLost: "scanner lost",
	faultScannerBack: "scanner back", faultScanEarly: "scan early", faultScanLate: "scan late", faultScanDoubled: "scan doubled",
	faultScanOtherCustomer: "scan of the next customer", faultScanLastCustomer: "scan of the last customer's phone", faultScanGoods: "goods scanned",
	faultScanDamaged: "scan damaged", faultCashierCancel: "cashier cancels", faultCashierCheck: "cashier checks",
	faultCashierRepeats: "cashier repeats the POST", faultCashierOtherDigest: "key with another body", faultCashierQR: "cashier asks for a QR",
	faultCashierPosts: "register posts a code", faultCashierBusy: "sale while another is live", faultTwinReplaces: "twin replaces",
	faultTwinSeparate: "twin is separate", faultReplyLost: "reply lost in a crash", faultQRPaidLate: "QR paid after it was hidden",
	faultRefundWhole: "cashier refunds all", faultRefundPart: "cashier refunds a part", faultRefundAtOnce: "cashier refunds at once", faultRefundKnown: "refund sent again, and known",
	faultRefundAgain:     "cashier repeats the refund",
	faultRefundInProcess: "refund in process", faultRefundInReview: "refund in review", faultRefundFails: "refund fails later",
	faultRefundNoBalance: "refund without balance", faultOverridePaid: "operator says paid", faultOverrideNotPaid: "operator says not paid",
	faultPortalWhole: "portal refunds all", faultPortalPart: "portal refunds a part", faultLateCheck: "cashier checks a sale that is over",
	faultNotified: "notified", faultNotifiedLate: "notified late", faultNotifiedTwice: "notified twice", faultNotifiedForged: "forged notifications",
	faultNotifiedAnother: "notified of another amount", faultBoth: "QR and code of one customer", faultPaidBeforeCancel: "paid just before its cancel", faultOtherSum: "another amount was taken", faultTriesAgain: "another sale in the place of one",
	faultElsewhere: "refund by payment id", faultElsewhereTwice: "refund by payment id, twice at once", faultElsewhereRest: "refund of the rest of another's payment", faultElsewhereRefused: "refund by payment id refused", faultGatewayGone: "gateway gone from the configuration",
	faultGatewayGivenUp: "gateway kept for refunds", faultRoutesChanged: "routes changed", faultConfigRefused: "configuration refused", faultMoved: "moved to another machine", faultAdopted: "adopted",
}

func (f fault) String() string {
	if f < fault(fates) {
		return fate(f).String()
	}
	return faultNames[f]
}
