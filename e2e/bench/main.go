// Command bench measures what judging costs: the processor time that a
// request takes over an Envoy without a filter, for Threatgate, for a filter
// that only reads, and for an external processor on a well-known validator.
// docs/benchmarks.md says how to read its table.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	duration time.Duration
	rounds   int
	rows     string
	json     bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == peerCommand {
		exit(runPeer(os.Args[2:]))
	}
	var o options
	flag.DurationVar(&o.duration, "duration", time.Second, "of one measurement")
	flag.IntVar(&o.rounds, "rounds", 9, "measurements of each system with each kind of request")
	flag.StringVar(&o.rows, "rows", "", "only kinds of requests whose name contains one of these `texts`, separated by commas")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, o, os.Stdout, os.Stderr))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o options, stdout, progress io.Writer) error {
	chosen := slices.DeleteFunc(rows(), func(r row) bool {
		return !slices.ContainsFunc(strings.Split(o.rows, ","), func(text string) bool { return strings.Contains(r.name, text) })
	})
	if len(chosen) == 0 || o.rounds < 1 || o.duration <= 0 || flag.NArg() > 0 {
		return errors.New("nothing to measure; -help lists the options")
	}
	out := report{Rounds: o.rounds}
	failed := out.measure(ctx, chosen, o, progress)
	if o.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return errors.Join(failed, encoder.Encode(out))
	}
	out.print(stdout)
	return failed
}

// measure fills the report. What fails keeps nothing else from being measured
// but the rows behind it.
func (r *report) measure(ctx context.Context, rows []row, o options, progress io.Writer) error {
	fmt.Fprintln(progress, "judging without Envoy")
	var inWasm, natively error
	r.Judging, inWasm = alone(slices.Insert(requests(), 1, smallPost()), progress)
	r.Native, natively = native()
	return errors.Join(inWasm, natively, r.compare(ctx, rows, o, progress))
}

// compare measures the systems with each row.
func (r *report) compare(ctx context.Context, rows []row, o options, progress io.Writer) error {
	fmt.Fprintln(progress, "starting the systems")
	lab, err := open(ctx)
	if err != nil {
		return err
	}
	defer lab.close()
	for _, row := range rows {
		results, err := lab.compare(ctx, row, o, progress)
		if err != nil {
			return err
		}
		r.Results = append(r.Results, results...)
	}
	return nil
}

// compare measures all systems with one kind of request. They take turns, so
// that whatever else the machine does meets all of them alike. The first
// round only warms up: V8 compiles, heaps find their size.
func (lab *laboratory) compare(ctx context.Context, r row, o options, progress io.Writer) ([]result, error) {
	cells := make([][]cell, len(lab.systems))
	for round := range 1 + o.rounds {
		fmt.Fprintf(progress, "%s, round %d of %d\n", r.name, round, o.rounds)
		for i, s := range lab.systems {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			c, err := lab.measure(s, r, o.duration)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", r.name, s.name, err)
			}
			if round > 0 {
				cells[i] = append(cells[i], c)
			}
		}
	}
	return summarize(r, lab.systems, cells), nil
}
