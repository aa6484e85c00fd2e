package admin

import (
	"sync"
	"time"

	"github.com/threatgate/threatgate/controlplane/server"
)

// Violation is one violation of one request, as `threatgate tail` gets it.
type Violation struct {
	Time      time.Time `json:"time"`
	Node      string    `json:"node"`
	API       string    `json:"api"`
	Operation string    `json:"operation"`
	Mode      string    `json:"mode"`
	Decision  string    `json:"decision"`
	Family    string    `json:"family"`
	Code      string    `json:"code"`
	In        string    `json:"in"`
	Pointer   string    `json:"pointer"`
	Schema    string    `json:"schema"`
	Threat    string    `json:"threat"`
	Request   string    `json:"request"`
}

// Feed hands every violation to those who are listening at the time. The
// zero Feed is ready to use.
type Feed struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
}

// backlog is how many violations wait for one listener.
const backlog = 1024

type listener struct {
	violations chan Violation
	missed     int // since the last that was queued; under the feed's lock
}

// Publish hands on a record. A listener that is too slow misses it.
func (f *Feed) Publish(r server.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.listeners {
		for _, v := range r.Violations {
			select {
			case l.violations <- Violation{
				Time: r.Time.UTC(), Node: r.Node, API: r.API, Operation: r.Operation, Mode: r.Mode, Decision: r.Decision,
				Family: v.Code.Family().String(), Code: v.Code.String(), In: v.In.String(),
				Pointer: v.Pointer, Schema: v.Schema, Threat: v.Threat, Request: r.RequestID,
			}:
			default:
				l.missed++
			}
		}
	}
}

func (f *Feed) listen() *listener {
	l := &listener{violations: make(chan Violation, backlog)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listeners == nil {
		f.listeners = map[*listener]struct{}{}
	}
	f.listeners[l] = struct{}{}
	return l
}

func (f *Feed) leave(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.listeners, l)
}

// takeMissed returns how many l has missed since it was asked last.
func (f *Feed) takeMissed(l *listener) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	missed := l.missed
	l.missed = 0
	return missed
}
