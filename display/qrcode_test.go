package display

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"payscand/payment"
)

// read decodes a QR with a library that did not draw it.
func read(t *testing.T, img image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatalf("no QR code found in %v: %v", img.Bounds(), err)
	}
	if level := result.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]; level != "M" {
		t.Errorf("error correction level %v, want M", level)
	}
	return result.GetText()
}

var payloads = map[string]string{
	"short":          "https://pay.example/1",
	"AlphaPay":       "https://gateway.example/qr/2188120012345678?channel=ALIPAYPLUS&order=01JZX8",
	"Alipay+":        "https://qr.example/281002040093LT5rKGkTtGJ4pQ7ZpqnNw2fB",
	"EMV, digits":    "00020101021226520016COM.EXAMPLE.QR0128281002040093000000000000000053031245402125802CA6304ABCD",
	"long":           "https://pay.example/" + strings.Repeat("0aB-_", 60),
	"beyond Latin 1": "https://pay.example/收银/é",
}

// What a reader finds is the payment URL, at every size, also on a second look at the PNG that is sent.
func TestQRCodeIsReadBack(t *testing.T) {
	for name, payload := range payloads {
		code, err := NewQRCode(payment.QR{Payload: payload})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, scale := range []int{2, 3, 5, 8} {
			b, err := code.PNG(scale)
			if err != nil {
				t.Fatalf("%s at %d: %v", name, scale, err)
			}
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, img); got != payload {
				t.Errorf("%s at %d: read %q, want %q", name, scale, got, payload)
			}
		}
	}
}

// Every module is a square of whole pixels, and four modules on each side are white.
func TestQRCodeModulesAreWholePixels(t *testing.T) {
	code, err := NewQRCode(payment.QR{Payload: payloads["Alipay+"]})
	if err != nil {
		t.Fatal(err)
	}
	small, err := code.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	n := code.Modules()
	dark := func(img image.Image, x, y int) bool {
		r, g, b, _ := img.At(x, y).RGBA()
		return r+g+b == 0
	}
	for _, scale := range []int{1, 5, maxScale} {
		img, err := code.Image(scale)
		if err != nil {
			t.Fatal(err)
		}
		if side := n * scale; img.Bounds() != image.Rect(0, 0, side, side) {
			t.Fatalf("at %d the image is %v", scale, img.Bounds())
		}
		for y := range n * scale {
			for x := range n * scale {
				if dark(img, x, y) != dark(small, x/scale, y/scale) {
					t.Fatalf("at %d the pixel %d,%d is not its module's colour", scale, x, y)
				}
			}
		}
	}
	for i := range n {
		for d := range 4 {
			if dark(small, i, d) || dark(small, d, i) || dark(small, i, n-1-d) || dark(small, n-1-d, i) {
				t.Fatal("the quiet zone is not white")
			}
		}
	}
	for _, scale := range []int{-1, 0, maxScale + 1} {
		if _, err := code.PNG(scale); err == nil {
			t.Errorf("%d pixels to a module are drawn", scale)
		}
	}
}

func dataURI(t *testing.T, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// The gateway's own image is used where the payload cannot be encoded, and only there.
func TestReadyImageIsOnlyTheFallback(t *testing.T) {
	other, err := NewQRCode(payment.QR{Payload: "https://pay.example/ready"})
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := other.Image(4)
	if err != nil {
		t.Fatal(err)
	}
	ready := dataURI(t, drawn)
	for _, payload := range []string{"", strings.Repeat("x", 2332)} {
		code, err := NewQRCode(payment.QR{Payload: payload, Image: ready})
		if err != nil {
			t.Fatal(err)
		}
		img, err := code.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, img); got != "https://pay.example/ready" || code.Modules() != 0 {
			t.Errorf("fallback: read %q, %d modules", got, code.Modules())
		}
	}
	code, err := NewQRCode(payment.QR{Payload: strings.Repeat("x", 2331), Image: ready})
	if err != nil || code.Modules() != 177+8 {
		t.Errorf("the longest payload is not encoded: %v", err)
	}
}

// What cannot be drawn gives an error that says why and holds nothing of the payload.
func TestUndrawableQRIsRefused(t *testing.T) {
	secret := strings.Repeat("payload-", 300)
	whole := dataURI(t, image.NewGray(image.Rect(0, 0, 8, 8)))
	tests := map[string]string{
		"none":      "",
		"not PNG":   "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("GIF89a")),
		"an SVG":    "data:image/svg+xml;base64,PHN2Zy8+",
		"a link":    "https://gateway.example/qr.png",
		"no base64": "data:image/png;base64,%%%",
		"cut":       whole[:len(whole)-32],
		"too wide":  dataURI(t, image.NewGray(image.Rect(0, 0, 1025, 1))),
		"too large": "data:image/png;base64," + strings.Repeat("A", 256<<10),
	}
	for name, ready := range tests {
		_, err := NewQRCode(payment.QR{Payload: secret, Image: ready})
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "payload-") || len(err.Error()) > 300 {
			t.Errorf("%s: the error repeats what it was given: %v", name, err)
		}
	}
}

// No ready-made image, whatever its bytes, makes a code that cannot be drawn.
func FuzzReadyImage(f *testing.F) {
	f.Add("")
	f.Add("data:image/png;base64,AAAA")
	f.Add("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := NewQRCode(payment.QR{Image: text})
		if err != nil {
			return
		}
		img, err := code.Image(1)
		if err != nil {
			t.Fatalf("accepted and not drawn: %v", err)
		}
		if b := img.Bounds(); b.Dx() > maxReadySide || b.Dy() > maxReadySide {
			t.Fatalf("%v", b)
		}
	})
}
