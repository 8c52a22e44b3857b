package devices

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	qrcode "github.com/skip2/go-qrcode"
)

// Code is a test code of the sheet. None of them is a payment code of any wallet.
type Code struct {
	// Name is what the sheet and the commands call it, such as "A".
	Name string
	// Text is what a scanner must send for it.
	Text string
	// Shows says what it is for.
	Shows  string
	linear bool // Code 128, else a QR code
}

// Codes are the codes of the sheet in the order in which they are scanned. The
// first one reads differently under each keyboard layout.
func Codes() []Code {
	return []Code{
		{Name: "A", Text: `payscand-A qwzaym QWZAYM 0123456789 +/=:;_#"`, Shows: "a QR code: letters, digits and signs"},
		{Name: "B", Text: "payscand-B " + strings.Repeat("0123456789", 12), Shows: "a QR code that is longer than one USB report"},
		{Name: "C", Text: "0123456789012345", Shows: "a Code 128, as wallets show beside their QR code", linear: true},
	}
}

//go:embed sheet.html
var sheetHTML string

var sheet = template.Must(template.New("sheet").Parse(sheetHTML))

// WriteSheet writes a page to print with all the codes; it needs nothing from
// outside.
func WriteSheet(w io.Writer) error {
	type printed struct {
		Code
		Picture template.URL
	}
	var codes []printed
	for _, c := range Codes() {
		picture, err := c.PNG()
		if err != nil {
			return err
		}
		url := "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)
		codes = append(codes, printed{c, template.URL(url)}) //nolint:gosec // made here, of base64
	}
	return sheet.Execute(w, codes)
}

// PNG draws the code with its quiet zone.
func (c Code) PNG() ([]byte, error) {
	if !c.linear {
		q, err := qrcode.New(c.Text, qrcode.Medium)
		if err != nil {
			return nil, fmt.Errorf("test code %s: %w", c.Name, err)
		}
		return q.PNG(-6) // six pixels a module
	}
	const width, height, quiet = 600, 140, 40
	bars, err := oned.NewCode128Writer().Encode(c.Text, gozxing.BarcodeFormat_CODE_128, width, height, nil)
	if err != nil {
		return nil, fmt.Errorf("test code %s: %w", c.Name, err)
	}
	picture := image.NewGray(image.Rect(0, 0, bars.GetWidth()+2*quiet, bars.GetHeight()+2*quiet))
	for i := range picture.Pix {
		picture.Pix[i] = 0xff
	}
	for y := range bars.GetHeight() {
		for x := range bars.GetWidth() {
			if bars.Get(x, y) {
				picture.SetGray(x+quiet, y+quiet, color.Gray{})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("test code %s: %w", c.Name, err)
	}
	return out.Bytes(), nil
}
