package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/bench/judge"
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
	small := smallPost()
	ours, err := engineJudge(small)
	if err != nil {
		return nil, err
	}
	timings := []timing{}
	add := func(name string, run func() error) error {
		best := timing{Name: name, Nanoseconds: math.MaxInt64}
		for range 3 {
			var failed error
			result := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					if failed = run(); failed != nil {
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
	if err := add("Threatgate's engine", ours); err != nil {
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

// engineJudge returns a function that judges the row's request by our engine,
// and fails if it is not allowed.
func engineJudge(r row) (func() error, error) {
	compiled, err := release("127.0.0.1:1", "127.0.0.1:1", violation.Enforce)
	if err != nil {
		return nil, err
	}
	return judge.New(compiled.Bundle, r.asSeenByFilter())
}
