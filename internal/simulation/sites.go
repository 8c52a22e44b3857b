package simulation

// site is a place where a run can go one way or another.
type site uint8

const (
	siteRates site = iota

	// The shop.
	siteGateways
	siteSecondSend // what the gateway makes of a second pay with one request id
	siteUnlisted   // orders that nobody paid are not in the transaction list
	siteListLag
	siteForgetsCancels // a cancel of an unknown order leaves no trace
	siteShortCodes     // payment codes end after two minutes
	siteCancelWindow   // when the day's cancels end

	// The machine.
	siteCrash
	sitePowerCut
	siteDowntime
	siteClock
	siteClockStep
	siteFull
	siteSlowTurn
	siteScannerLost

	// The network.
	siteFate
	siteDelay
	siteLateBy
	siteMalign
	siteOutage
	siteOutageKind
	siteOutageLength
	siteCompose
	siteCrashedSend

	// The customer.
	siteVisit
	siteMode
	siteSum
	siteReference
	siteScanDelay
	siteScan
	siteWallet
	siteWalletDelay
	sitePhone // paying a QR
	sitePhoneDelay
	siteCancelRace
	siteCodeTwice
	sitePaidAfterClosed

	// The cashier.
	siteRepeat
	siteOtherDigest
	siteTwin
	siteBusy
	siteCancel
	siteCheck
	siteAsksQR
	sitePost
	siteImpatient
	siteGoesOn
	siteRefund
	siteRefundAgain
	siteRefundAtOnce
	siteRefundTwice // another, with a key of its own
	siteOverride

	siteRefundWay // what the gateway makes of it

	siteCodec  // the gateways are asked through their real clients
	siteWire   // what befalls an answer there
	siteWireAt // the exchange of a lookup that it befalls

	sitePortal    // a person refunds in the vendor's portal
	siteLateCheck // the cashier asks about a sale that is over

	siteNotifies   // the shop relays the gateway's notifications
	siteNotify     // how it tells of an order
	siteBoth       // the customer scans the QR and shows a code too
	sitePaysFirst  // the customer pays just before a cancel arrives
	siteOtherSum   // another amount is taken than was asked for
	siteTriesAgain // another sale in the place of one that came to nothing
	siteElsewhere  // a refund by payment id
	siteElsewhereAgain
	siteElsewhereWhich
	siteElsewhereSum
	siteElsewhereTwice // the same one twice at once
	siteElsewhereRest  // what is left, by the record's sale
	siteReconfigure
	siteReconfigureHow
	siteMoved // the database wakes up on another machine
	siteAdopted
	siteFarTime // an answer whose times are those of the year 9999

	sites
)

var siteNames = [sites]string{
	siteRates:    "rates",
	siteGateways: "gateways", siteSecondSend: "second-send", siteUnlisted: "unlisted", siteListLag: "list-lag",
	siteForgetsCancels: "forgets-cancels", siteShortCodes: "short-codes", siteCancelWindow: "cancel-window",
	siteCrash: "crash", sitePowerCut: "power-cut", siteDowntime: "downtime", siteClock: "clock", siteClockStep: "clock-step",
	siteFull: "disk-full", siteSlowTurn: "slow-turn", siteScannerLost: "scanner-lost",
	siteFate: "fate", siteDelay: "delay", siteLateBy: "late-by", siteMalign: "malign", siteOutage: "outage",
	siteOutageKind: "outage-kind", siteOutageLength: "outage-length", siteCompose: "compose", siteCrashedSend: "crashed-send",
	siteVisit: "visit", siteMode: "mode", siteSum: "sum", siteReference: "reference", siteScanDelay: "scan-delay", siteScan: "scan",
	siteWallet: "wallet", siteWalletDelay: "wallet-delay", sitePhone: "phone", sitePhoneDelay: "phone-delay",
	siteCancelRace: "cancel-race", siteCodeTwice: "code-twice", sitePaidAfterClosed: "paid-after-closed",
	siteRepeat: "repeat", siteOtherDigest: "other-digest", siteTwin: "twin", siteBusy: "busy", siteCancel: "cancel",
	siteCheck: "check", siteAsksQR: "asks-qr", sitePost: "post", siteImpatient: "impatient", siteGoesOn: "goes-on",
	siteRefund: "refund", siteRefundAgain: "refund-again", siteRefundTwice: "refund-twice", siteRefundAtOnce: "refund-at-once", siteOverride: "override", siteRefundWay: "refund-way",
	siteCodec: "codec", siteWire: "wire", siteWireAt: "wire-at",
	sitePortal: "portal", siteLateCheck: "late-check",
	siteNotifies: "notifies", siteNotify: "notify", siteOtherSum: "other-sum", sitePaysFirst: "pays-first", siteBoth: "both", siteTriesAgain: "tries-again",
	siteElsewhere: "elsewhere", siteElsewhereAgain: "elsewhere-again", siteElsewhereWhich: "elsewhere-which", siteElsewhereSum: "elsewhere-sum", siteElsewhereTwice: "elsewhere-twice", siteElsewhereRest: "elsewhere-rest",
	siteReconfigure: "reconfigure", siteReconfigureHow: "reconfigure-how", siteMoved: "moved", siteAdopted: "adopted", siteFarTime: "far-time",
}

func (s site) String() string { return siteNames[s] }

// rarest is the highest rate, per mille, that a seed may draw for a site.
var rarest = [sites]int{
	siteCrash: 40, sitePowerCut: 400, siteClock: 400, siteFull: 200, siteSlowTurn: 100, siteScannerLost: 400, siteOutage: 500,
	siteCompose: 60, siteCodeTwice: 300, sitePaidAfterClosed: 200, siteRepeat: 500, siteOtherDigest: 100, siteCancel: 400,
	siteCheck: 500, siteAsksQR: 300, sitePost: 500, siteImpatient: 300,
	siteRefund: 400, siteRefundAgain: 300, siteRefundTwice: 300, siteRefundAtOnce: 200, siteOverride: 300,
	sitePortal: 300, siteLateCheck: 300,
	siteOtherSum: 200, sitePaysFirst: 400, siteBoth: 300, siteTriesAgain: 400, siteElsewhere: 300, siteElsewhereAgain: 300, siteElsewhereTwice: 500, siteElsewhereRest: 700, siteReconfigure: 600, siteMoved: 200, siteFarTime: 100,
}

// fate is what becomes of one gateway call on its way there and back.
type fate uint8

const (
	fateFine         fate = iota
	fateRequestLost       // nothing arrives; silence
	fateAnswerLost        // it is done; silence
	fateLate              // it arrives long after the caller gave up
	fateNotSent           // the connection was refused
	fateDoubled           // it arrives a second time, a while later
	fateUnverified        // it is done; the answer's signature is wrong or missing
	fateMalformed         // it is done; the answer is HTML, cut or has a name twice
	fateMalign            // it is done; the answer is about another amount or order
	fateStale             // an inquiry is answered as things stood a while ago
	fateBusy              // not done: rate limit or system error
	fateBusyDone          // done, yet answered as a system error
	fateClockRefused      // refused for the clock
	fateRefused           // refused for signature or merchant
	fateNotAllowed        // refused for what it asks: the contract lacks that
	fates
)

var fateNames = [fates]string{
	fateFine: "fine", fateRequestLost: "request lost", fateAnswerLost: "answer lost", fateLate: "request late", fateNotSent: "not sent",
	fateDoubled: "request doubled", fateUnverified: "answer unverified", fateMalformed: "answer malformed", fateMalign: "answer malign",
	fateStale: "answer stale", fateBusy: "rate limited", fateBusyDone: "done but system error", fateClockRefused: "clock refused",
	fateRefused: "call refused", fateNotAllowed: "call not allowed",
}

func (f fate) String() string { return fateNames[f] }

// fateRates is the highest rate, per mille, that a seed may draw for a fate.
var fateRates = [fates]int{
	fateRequestLost: 200, fateAnswerLost: 250, fateLate: 200, fateNotSent: 150, fateDoubled: 100, fateUnverified: 100, fateMalformed: 100,
	fateMalign: 100, fateStale: 150, fateBusy: 200, fateBusyDone: 100, fateClockRefused: 30, fateRefused: 20, fateNotAllowed: 30,
}
