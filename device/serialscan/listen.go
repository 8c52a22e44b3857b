package serialscan

import (
	"context"
	"time"

	"payscand/device"
)

// Listen opens the scanner, says when it is ready, and tells each Shot until ctx
// ends, then nil, or until the scanner cannot be used, with what to do. It is used
// in place of Run.
func (s *Scanner) Listen(ctx context.Context, ready func(), shot func(device.Shot)) error {
	buffer := make([]byte, readBytes)
	port, err := s.open(ctx, buffer)
	if err != nil {
		return err
	}
	defer port.close()
	ready()
	var text []byte
	quietSince := time.Now()
	for ctx.Err() == nil {
		n, err := port.read(buffer, readInterval)
		if err != nil {
			_, detail := s.explain(err)
			return &openError{state: device.StateMissing, detail: detail, cause: err}
		}
		text = append(text, buffer[:n]...)
		switch now := time.Now(); {
		case n > 0:
			quietSince = now
		case len(text) > 0 && now.Sub(quietSince) >= device.ShotSilence:
			shot(device.Shot{Texts: map[string]string{"": string(text)}, Lost: len(text) > maxShot})
			text = nil
		}
		if len(text) > maxShot {
			text = text[:maxShot+1]
		}
	}
	return nil
}

// maxShot bounds what is kept of a scanner that never stops.
const maxShot = 2 * device.MaxScanBytes
