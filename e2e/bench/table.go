package main

import (
	"fmt"
	"io"
	"slices"
)

// report is the outcome of a run; its JSON form is what -json prints.
type report struct {
	Rounds  int       `json:"rounds"`
	Results []result  `json:"results"`
	Judging []judging `json:"judging"`
	Native  []timing  `json:"native"`
}

// result is one system under one kind of request. Times are processor
// microseconds per request.
type result struct {
	Row      string `json:"row"`
	System   string `json:"system"`
	Requests int64  `json:"requests"`
	Total    spread `json:"total"`
	Over     spread `json:"over"` // what it takes over bare Envoy in the same round
}

// spread is a quantity over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func newSpread(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]}
}

// summarize turns the cells of one row, those of each system by round, into
// results. The first system is the bare one.
func summarize(r row, systems []*system, cells [][]cell) []result {
	var results []result
	for i, s := range systems {
		one := result{Row: r.name, System: s.name}
		var total, over []float64
		for round, c := range cells[i] {
			one.Requests += c.requests
			total = append(total, c.perRequest())
			over = append(over, c.perRequest()-cells[0][round].perRequest())
		}
		one.Total, one.Over = newSpread(total), newSpread(over)
		results = append(results, one)
	}
	return results
}

// print writes the tables that people read.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "Processor time per request in µs, medians of %d rounds (least to most)\n\n", r.Rounds)
	const line = "%-12s %-22s %8s %10s %20s %9s\n"
	fmt.Fprintf(w, line, "request", "system", "total", "over bare", "", "requests")
	over := map[string]float64{} // of one row, by system
	for i, one := range r.Results {
		row, gain, between := one.Row, "", ""
		if i > 0 && r.Results[i-1].Row == row {
			row = ""
		}
		if one.System != bareEnvoy {
			gain = fmt.Sprintf("%.1f", one.Over.Median)
			between = fmt.Sprintf("(%.1f to %.1f)", one.Over.Min, one.Over.Max)
		}
		fmt.Fprintf(w, line, row, one.System, fmt.Sprintf("%.1f", one.Total.Median), gain, between, fmt.Sprint(one.Requests))
		over[one.System] = one.Over.Median
		if one.System == extProc {
			fmt.Fprintf(w, "%-12s enforce costs %.1f times what reading does, ext_proc %.1f times what enforce does\n\n",
				"", over[enforcing]/over[readsOnly], over[extProc]/over[enforcing])
		}
	}

	fmt.Fprint(w, "Judging by Threatgate's engine without Envoy, best of many rounds\n\n")
	const judgingLine = "%-12s %10v %10v %10v %10v\n"
	fmt.Fprintf(w, judgingLine, "request", "native ns", "MB/s", "Wasm ns", "MB/s")
	for _, one := range r.Judging {
		fmt.Fprintf(w, judgingLine, one.Row, one.Native, one.rate(one.Native), measured(one.Wasm), one.rate(one.Wasm))
	}

	fmt.Fprintf(w, "\nJudging a POST of %d bytes natively, without Envoy\n\n", len(smallOrder))
	const nativeLine = "%-28s %10v %12v %10v\n"
	fmt.Fprintf(w, nativeLine, "judge", "ns", "allocations", "bytes")
	for _, one := range r.Native {
		fmt.Fprintf(w, nativeLine, one.Name, one.Nanoseconds, one.Allocations, one.Bytes)
	}
}

// rate is what so many nanoseconds for the body are in megabytes a second.
func (j *judging) rate(ns int64) string {
	if ns == 0 || j.Bytes == 0 {
		return "-"
	}
	return fmt.Sprint(int64(j.Bytes) * 1000 / ns)
}

func measured(ns int64) string {
	if ns == 0 {
		return "-"
	}
	return fmt.Sprint(ns)
}
