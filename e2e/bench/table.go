package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report is the outcome of a run; its JSON form is what -json prints.
type report struct {
	Rounds  int      `json:"rounds"`
	Results []result `json:"results"`
	Native  []timing `json:"native"`
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

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "Processor time per request, in µs: medians of %d rounds (least to most)\n\n", r.Rounds)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "request\tsystem\ttotal\tover bare\t\trequests\t")
	var row string
	over := map[string]float64{} // of the row, by system
	for i, one := range r.Results {
		name := ""
		if one.Row != row {
			row, name = one.Row, one.Row
		}
		over[one.System] = one.Over.Median
		gained, between := "", ""
		if one.System != bareEnvoy {
			gained = fmt.Sprintf("%.1f", one.Over.Median)
			between = fmt.Sprintf("(%.1f to %.1f)", one.Over.Min, one.Over.Max)
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%s\t%s\t%d\t\n", name, one.System, one.Total.Median, gained, between, one.Requests)
		if i+1 == len(r.Results) || r.Results[i+1].Row != row {
			fmt.Fprintf(t, "\tenforce is %.1f × reading only, ext_proc %.1f × enforce\t\t\t\t\t\n", over[enforcing]/over[readsOnly], over[extProc]/over[enforcing])
			fmt.Fprintln(t, "\t\t\t\t\t\t")
		}
	}
	t.Flush()

	fmt.Fprintf(w, "Judging a POST of %d bytes natively, without Envoy\n\n", len(smallOrder))
	fmt.Fprintln(t, "judge\tns\tallocations\tbytes\t")
	for _, one := range r.Native {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t\n", one.Name, one.Nanoseconds, one.Allocations, one.Bytes)
	}
	t.Flush()
}
