package simulation

import (
	"net/http"
	"slices"
)

// wireWay is what befalls one request or answer on the wire. Each is counted:
// one that never happened proves nothing.
type wireWay uint8

const (
	wireFine wireWay = iota

	// Nothing comes back.
	wireNotSent    // no connection
	wireLost       // the request, after its first byte
	wireAnswerLost // the answer

	// Not carried out, and said so.
	wireTooMany     // HTTP 429
	wireSystemError // U, SYSTEMERROR
	wireSignTimeout // refused for its time
	wireNotAllowed  // refused for what it asks
	wireInvalidSign // refused for its signature

	// Carried out, and answered with what nobody can read or believe.
	wireStatus500
	wireStatus503
	wireHTML            // with status 200
	wireHalf            // JSON that ends in the middle, rightly signed
	wireBroken          // the connection is lost in the middle of the answer
	wireTwice           // names given twice, the second time untrue, rightly signed
	wireUnsigned        // untrue, without a signature
	wireNoTime          // untrue, signed, the time left out
	wireTwoSignatures   // untrue, with two Signature headers
	wireStranger        // untrue, signed by another
	wireAltered         // altered after it was signed
	wireOld             // an old answer once more
	wireSystemErrorDone // F, SYSTEMERROR

	// Rightly signed, and about something else.
	wireAmount
	wireCurrency
	wireRequestID
	wirePaymentID
	wireNoAmount
	wireContradiction // status and code cannot both be right

	// wireClock: the request was late by its own clock; no fault was needed.
	wireClock
	// wireFarTime: all is right, but for times of the year 9999.
	wireFarTime

	wireWays
)

var wireNames = [wireWays]string{
	wireFine: "fine", wireNotSent: "no connection", wireLost: "request lost", wireAnswerLost: "answer lost",
	wireTooMany: "HTTP 429", wireSystemError: "U, SYSTEMERROR", wireSignTimeout: "F, refused for its time", wireInvalidSign: "F, refused for its signature", wireNotAllowed: "F, refused for what it asks",
	wireStatus500: "HTTP 500 with HTML", wireStatus503: "HTTP 503 with JSON", wireHTML: "HTML with status 200", wireHalf: "half of the JSON, signed",
	wireBroken: "connection lost in the answer", wireTwice: "names given twice", wireUnsigned: "unsigned", wireNoTime: "without Response-Time",
	wireTwoSignatures: "two signatures", wireStranger: "signed by a stranger", wireAltered: "altered after it was signed",
	wireOld: "an old answer once more", wireSystemErrorDone: "done, and F, SYSTEMERROR", wireAmount: "wrong amount", wireCurrency: "wrong currency",
	wireRequestID: "another request id", wirePaymentID: "another payment id", wireNoAmount: "no amount", wireContradiction: "S with an F's code",
	wireClock: "signed by a clock that is wrong", wireFarTime: "times of the year 9999",
}

func (x wireWay) String() string { return wireNames[x] }

// undone: the request is not carried out.
func (x wireWay) undone() bool { return x >= wireTooMany && x <= wireInvalidSign }

// malign: the answer is rightly signed and about something else.
func (x wireWay) malign() bool { return x >= wireAmount && x <= wireContradiction }

// waysOf are the ways in which a fate shows on the wire. A fate that is not here
// befalls the journey, not the bytes.
var waysOf = [fates][]wireWay{
	fateAnswerLost: {wireAnswerLost},
	fateUnverified: {wireUnsigned, wireNoTime, wireTwoSignatures, wireStranger, wireAltered, wireOld, wireOld, wireOld}, // most have no old answer yet
	fateMalformed:  {wireStatus500, wireStatus503, wireHTML, wireHalf, wireBroken, wireTwice},
	fateMalign:     {wireAmount, wireCurrency, wireRequestID, wirePaymentID, wireNoAmount, wireContradiction},
	fateBusyDone:   {wireSystemErrorDone, wireStatus500},
	fateBusy:       {wireTooMany, wireSystemError},
}

// spoil writes an answer, with what befalls it on the way. What nobody may
// believe says the opposite of the truth.
func (c *codec) spoil(r *http.Request, truth, lie []byte, way wireWay) *http.Response {
	switch way {
	case wireHalf:
		return c.write(r, truth[:len(truth)/2], way)
	case wireTwice:
		both := slices.Concat(truth[:len(truth)-1], []byte(","), lie[1:])
		return c.write(r, both, way)
	case wireUnsigned, wireNoTime, wireTwoSignatures, wireStranger, wireStatus503:
		return c.write(r, lie, way)
	case wireAltered:
		response := c.write(r, truth, way)
		altered := wireAnswer{status: http.StatusOK, header: response.Header, body: lie}
		return altered.response(r)
	case wireOld:
		c.distrusted = true
		return c.first[r.URL.Path].response(r)
	}
	return c.write(r, truth, way)
}

// write signs a body and sends it.
func (c *codec) write(r *http.Request, body []byte, way wireWay) *http.Response {
	a := &wireAnswer{status: http.StatusOK, body: body, broken: way == wireBroken, at: c.world.now}
	a.header = c.vendor.sign(c, r, body, way == wireStranger)
	a.header.Set("Date", c.world.trueTime().UTC().Format(http.TimeFormat))
	html := []byte("<html><body><h1>Internal Server Error</h1></body></html>")
	switch way {
	case wireStatus500:
		a.status, a.body = http.StatusInternalServerError, html
	case wireStatus503:
		a.status = http.StatusServiceUnavailable
	case wireTooMany:
		a.status, a.body = http.StatusTooManyRequests, html
	case wireHTML:
		a.body, a.header = html, http.Header{"Content-Type": {"text/html"}}
	case wireUnsigned:
		a.header.Del("Signature")
	case wireNoTime:
		a.header.Del("Response-Time")
	case wireTwoSignatures:
		a.header.Add("Signature", a.header.Get("Signature"))
	case wireFine:
		c.distrusted = false
		if c.first[r.URL.Path] == nil {
			c.first[r.URL.Path] = a
		}
	}
	return a.response(r)
}
