package simulation

import "time"

// event is something that will happen at a time.
type event struct {
	at  time.Duration
	seq uint64 // of two events at one time the one planned first comes first
	do  func()
}

// queue is the one event queue of a world: a binary heap.
type queue struct {
	events []event
	seq    uint64
}

func (e event) before(other event) bool {
	return e.at < other.at || e.at == other.at && e.seq < other.seq
}

func (q *queue) push(at time.Duration, do func()) {
	q.seq++
	q.events = append(q.events, event{at, q.seq, do})
	for i := len(q.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.events[i].before(q.events[parent]) {
			break
		}
		q.events[i], q.events[parent] = q.events[parent], q.events[i]
		i = parent
	}
}

func (q *queue) pop() (e event, ok bool) {
	last := len(q.events) - 1
	if last < 0 {
		return event{}, false
	}
	e = q.events[0]
	q.events[0] = q.events[last]
	q.events[last] = event{}
	q.events = q.events[:last]
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < last && q.events[child].before(q.events[least]) {
				least = child
			}
		}
		if least == i {
			return e, true
		}
		q.events[i], q.events[least] = q.events[least], q.events[i]
		i = least
	}
}
