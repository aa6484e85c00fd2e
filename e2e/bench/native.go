package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/violation"
)

// timing is what judging one request takes where there is no Envoy, in the
// fastest of three runs.
type timing struct {
	Name        string `json:"name"`
	Nanoseconds int64  `json:"nanoseconds"`
	Allocations int64  `json:"allocations"`
	Bytes       int64  `json:"bytes"`
}

// native times the judging of a small order, by our engine and by
// kin-openapi's validator, for both versions of OpenAPI.
func native() ([]timing, error) {
	small := post("", 0)
	small.body = []byte(smallOrder)
	judge, err := engineJudge(small)
	if err != nil {
		return nil, err
	}
	timings := []timing{}
	add := func(name string, judge func() error) error {
		best := timing{Name: name, Nanoseconds: math.MaxInt64}
		for range 3 {
			var failed error
			result := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					if failed = judge(); failed != nil {
						b.FailNow()
					}
				}
			})
			if failed != nil {
				return failed
			}
			if ns := result.NsPerOp(); ns < best.Nanoseconds {
				best = timing{name, ns, result.AllocsPerOp(), result.AllocedBytesPerOp()}
			}
		}
		timings = append(timings, best)
		return nil
	}
	if err := add("Threatgate's engine", judge); err != nil {
		return nil, err
	}
	for _, version := range []string{"3.0.3", "3.1.0"} {
		v, err := newValidator([]byte(strings.Replace(string(spec), "openapi: 3.0.3", "openapi: "+version, 1)))
		if err != nil {
			return nil, err
		}
		request := small.request()
		err = add("kin-openapi, OpenAPI "+version, func() error {
			request.Body = readCloser{bytes.NewReader(small.body)}
			return v.validate(request)
		})
		if err != nil {
			return nil, err
		}
	}
	return timings, nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// engineJudge returns a function that judges the row's request as the filter
// does, and fails if it is not allowed.
func engineJudge(r row) (func() error, error) {
	compiled, err := release("127.0.0.1:1", "127.0.0.1:1", violation.Enforce)
	if err != nil {
		return nil, err
	}
	bundle, err := artifact.Decode(compiled.Bundle)
	if err != nil {
		return nil, err
	}
	headers := []enforce.Header{
		{Name: []byte(":method"), Value: []byte(r.method)},
		{Name: []byte(":path"), Value: []byte(r.target)},
		{Name: []byte(":authority"), Value: []byte("orders.example")},
		{Name: []byte("content-length"), Value: fmt.Append(nil, len(r.body))},
	}
	for _, h := range r.headers {
		headers = append(headers, enforce.Header{Name: []byte(h[0]), Value: []byte(h[1])})
	}
	engine := enforce.New(bundle)
	return func() error {
		request := engine.Begin()
		defer request.End()
		end := len(r.body) == 0
		action := request.Headers(headers, end, world{})
		if !end && action == enforce.Hold {
			action = request.Body(r.body, true)
		}
		if action != enforce.Pass || len(request.Violations()) != 0 {
			return errors.New(string(request.AppendProblem(nil)))
		}
		return nil
	}, nil
}

// world has nothing to say: the specification declares no limit.
type world struct{}

func (world) Now() int64                      { return 0 }
func (world) ClientAddress() []byte           { return nil }
func (world) HashKey() siphash.Key            { return siphash.Key{} }
func (world) Get([]byte) ([]byte, uint32)     { return nil, 0 }
func (world) Set([]byte, []byte, uint32) bool { return true }
