package simulation

import (
	"fmt"
	"strings"
	"time"
)

// story is a run told line by line.
type story struct {
	lines []string
}

// tell adds a line to the story, if one is told.
func (w *world) tell(format string, args ...any) {
	if w.story == nil {
		return
	}
	w.story.lines = append(w.story.lines, fmt.Sprintf("%14s  ", clockFace(w.now))+fmt.Sprintf(format, args...))
}

func (s *story) String() string { return strings.Join(s.lines, "\n") }

// clockFace writes a time since the beginning as hours, minutes and seconds.
func clockFace(d time.Duration) string {
	d = d.Round(time.Millisecond)
	return fmt.Sprintf("%d:%02d:%02d.%03d", d/time.Hour, d/time.Minute%60, d/time.Second%60, d/time.Millisecond%1000)
}
