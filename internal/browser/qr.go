package browser

import (
	"bytes"
	"fmt"
	"image/png"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// DecodeQR reads the QR code in a screenshot, with a library that did not draw it.
func DecodeQR(screenshot []byte) (string, error) {
	picture, err := png.Decode(bytes.NewReader(screenshot))
	if err != nil {
		return "", fmt.Errorf("screenshot: %w", err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", fmt.Errorf("screenshot: %w", err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		return "", fmt.Errorf("no QR code can be read in the screenshot: %w", err)
	}
	return found.GetText(), nil
}
