// Package judge times the engine alone, where there is no Envoy: natively,
// and in Wasm by the command in its directory wasm.
package judge

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/enforce/json"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// Task is what the command reads, as JSON. It answers with nanoseconds, one
// number for each request.
type Task struct {
	Bundle   []byte
	Requests []Request
}

// Request is a request that the bundle's policies allow.
type Request struct {
	Headers [][2]string
	Body    []byte
}

// New returns a function that judges r as the filter does, and fails if it is
// not allowed.
func New(bundle []byte, r Request) (func() error, error) {
	decoded, err := artifact.Decode(bundle)
	if err != nil {
		return nil, err
	}
	headers := []enforce.Header{{Name: []byte("content-length"), Value: fmt.Append(nil, len(r.Body))}}
	for _, h := range r.Headers {
		headers = append(headers, enforce.Header{Name: []byte(h[0]), Value: []byte(h[1])})
	}
	body := slices.Grow(r.Body, json.Lookahead) // as the filter has it
	engine := enforce.New(decoded)
	return func() error {
		request := engine.Begin()
		defer request.End()
		end := len(r.Body) == 0
		action := request.Headers(headers, end, world{})
		if !end && action == enforce.Hold {
			action = request.Body(body, true)
		}
		if action != enforce.Pass || len(request.Violations()) != 0 {
			return errors.New(string(request.AppendProblem(nil)))
		}
		return nil
	}, nil
}

// Time returns how long judge takes, in nanoseconds, in the best of many
// rounds, each shorter than what a scheduler gives a process at a time.
func Time(judge func() error) (int64, error) {
	const rounds, round = 300, 2 * time.Millisecond
	best, n := int64(1)<<62, int64(1)
	for done := 0; done < rounds; {
		start := time.Now()
		for range n {
			if err := judge(); err != nil {
				return 0, err
			}
		}
		took := time.Since(start)
		if took < round/2 {
			n *= 2
			continue
		}
		best = min(best, took.Nanoseconds()/n)
		done++
	}
	return best, nil
}

// world has nothing to say: the specification declares no limit.
type world struct{}

func (world) Now() int64                      { return 0 }
func (world) ClientAddress() []byte           { return nil }
func (world) HashKey() siphash.Key            { return siphash.Key{} }
func (world) FromUpstream() bool              { return true }
func (world) Get([]byte) ([]byte, uint32)     { return nil, 0 }
func (world) Set([]byte, []byte, uint32) bool { return true }
