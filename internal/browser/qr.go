package browser

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// ReadQR takes a picture of the QR code as it stands on the page, and reads it with a library that did not draw it. As a
// customer's phone does, it looks again while there is none to be read, until ctx ends: the page may just be changing.
func (p *Page) ReadQR(ctx context.Context) (string, error) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		var picture []byte
		if err := p.run(ctx, chromedp.Screenshot("#card", &picture, chromedp.ByQuery)); err != nil {
			return "", fmt.Errorf("picture of the QR code: %w", err)
		}
		text, err := decodeQR(picture)
		if err == nil {
			return text, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", err
		}
	}
}

const lookAgain = 200 * time.Millisecond

func decodeQR(picture []byte) (string, error) {
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return "", fmt.Errorf("picture of the QR code: %w", err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(decoded)
	if err != nil {
		return "", fmt.Errorf("picture of the QR code: %w", err)
	}
	// The picture is straight and holds nothing else. The search for a code in a photograph, which the library makes
	// otherwise, fails at one in some hundred codes, however clear the picture is.
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		return "", fmt.Errorf("no QR code can be read in the picture: %w", err)
	}
	return found.GetText(), nil
}
