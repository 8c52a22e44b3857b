package display

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/skip2/go-qrcode"

	"payscand/payment"
)

// Limits of what is drawn.
const (
	// maxScale bounds the pixels of a module: the largest code (version 40) is then 5,920 pixels wide.
	maxScale = 32
	// maxReadyImage bounds a gateway's ready-made image, in bytes and in pixels a side.
	maxReadyImage, maxReadySide = 256 << 10, 1024
)

// QRCode is a code that can be drawn: error correction level M and a quiet zone of 4 modules on every side, as ISO/IEC
// 18004 asks for. Scanners need both.
type QRCode struct {
	modules [][]bool // true is dark; quiet zone included
	ready   []byte   // the gateway's own PNG, where modules is nil
}

// NewQRCode encodes the payment URL. If that cannot be done (it is empty, or over 2,331 bytes), the gateway's ready-made
// image is taken as it is; the error says why neither can be.
func NewQRCode(qr payment.QR) (*QRCode, error) {
	code, err := qrcode.New(qr.Payload, qrcode.Medium)
	if err == nil {
		return &QRCode{modules: code.Bitmap()}, nil
	}
	ready, readyErr := readyImage(qr.Image)
	if readyErr != nil {
		// The library's error would repeat the payload.
		return nil, fmt.Errorf("a payment URL of %d bytes cannot be drawn as a QR code, and the gateway's image is of no use: %w",
			len(qr.Payload), readyErr)
	}
	return &QRCode{ready: ready}, nil
}

// Modules is the number of modules a side, the quiet zone included; 0 for a gateway's ready-made image.
func (c *QRCode) Modules() int { return len(c.modules) }

// PNG draws the code with scale pixels to a module, 1 to 32. A gateway's ready-made image is returned as it came.
func (c *QRCode) PNG(scale int) ([]byte, error) {
	if c.modules == nil {
		return c.ready, nil
	}
	img, err := c.Image(scale)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("qr code: %w", err)
	}
	return b.Bytes(), nil
}

// Image draws the code, black on white, with scale pixels to a module, 1 to 32. A gateway's ready-made image is returned
// in its own size.
func (c *QRCode) Image(scale int) (image.Image, error) {
	if c.modules == nil {
		return png.Decode(bytes.NewReader(c.ready))
	}
	if scale < 1 || scale > maxScale {
		return nil, fmt.Errorf("qr code: %d pixels to a module: give 1 to %d", scale, maxScale)
	}
	side := len(c.modules) * scale
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		row := c.modules[y/scale]
		for x := range side {
			if row[x/scale] {
				img.Pix[y*img.Stride+x] = 1
			}
		}
	}
	return img, nil
}

// readyImage takes the PNG out of a data URI. It must be whole, and of a size that a screen can use.
func readyImage(dataURI string) ([]byte, error) {
	const prefix = "data:image/png;base64,"
	switch {
	case dataURI == "":
		return nil, errors.New("it gave none")
	case !strings.HasPrefix(dataURI, prefix):
		return nil, errors.New("it is no data URI with a PNG in base64")
	case len(dataURI) > maxReadyImage:
		return nil, fmt.Errorf("it is larger than %d bytes", maxReadyImage)
	}
	ready, err := base64.StdEncoding.DecodeString(dataURI[len(prefix):])
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	size, err := png.DecodeConfig(bytes.NewReader(ready))
	if err != nil {
		return nil, errors.New("it is not a PNG")
	}
	if size.Width > maxReadySide || size.Height > maxReadySide {
		return nil, fmt.Errorf("it is larger than %d pixels a side", maxReadySide)
	}
	if _, err := png.Decode(bytes.NewReader(ready)); err != nil {
		return nil, errors.New("it is not a whole PNG")
	}
	return ready, nil
}
