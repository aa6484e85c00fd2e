package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is timed must be what is meant: requests that all judges accept, of
// the sizes in their names, and judges that look.
func TestRows(t *testing.T) {
	v, err := newValidator(spec)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{"GET": 0, "POST 0.9 KB": 900, "POST 8.7 KB": 8_700, "POST 100 KB": 100_000, "POST 196 B": 196, "both 0.9 KB": 900}
	for _, r := range append(rows(), smallPost()) {
		t.Run(r.name, func(t *testing.T) {
			changed := 0
			if len(r.body) != sizes[r.name] {
				t.Errorf("%d bytes, want %d", len(r.body), sizes[r.name])
			}
			if err := v.validate(r.request()); err != nil {
				t.Errorf("kin-openapi: %v", err)
			}
			if err := judgeOnce(t, r); err != nil {
				t.Errorf("Threatgate: %v", err)
			}
			for _, change := range [][2]string{{"limit=50", "limit=500"}, {`"price":12`, `"price":-2`}, {"0b9fd2ad-", "0b9fd2ad_"}, {"@example", "@@example"}} {
				wrong := r
				wrong.target = strings.Replace(r.target, change[0], change[1], 1)
				wrong.body = bytes.Replace(r.body, []byte(change[0]), []byte(change[1]), 1)
				if wrong.target == r.target && bytes.Equal(wrong.body, r.body) {
					continue
				}
				if v.validate(wrong.request()) == nil {
					t.Errorf("kin-openapi accepts %s", change[1])
				}
				if judgeOnce(t, wrong) == nil {
					t.Errorf("Threatgate accepts %s", change[1])
				}
				changed++
			}
			if changed == 0 {
				t.Error("nothing was made wrong")
			}
		})
	}
}

func judgeOnce(t *testing.T, r row) error {
	t.Helper()
	judge, err := engineJudge(r)
	if err != nil {
		t.Fatal(err)
	}
	return judge()
}

func TestClientTakesNoOtherAnswer(t *testing.T) {
	u, err := newUpstream()
	if err != nil {
		t.Fatal(err)
	}
	defer u.server.Close()
	c, err := dial(u.address, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	r := post("", 900)
	u.answer.Store(&r.answer)
	n, err := c.run(r.wire(), len(r.answer), 50*time.Millisecond)
	if err != nil || n == 0 || u.requests.Load() != n || u.bytes.Load() != 900*n {
		t.Errorf("%d answered (%v), %d of %d bytes arrived", n, err, u.requests.Load(), u.bytes.Load())
	}
	if n, err := c.run([]byte("nonsense\r\n\r\n"), len(r.answer), time.Second); err == nil || n != 0 {
		t.Errorf("%d answers to nonsense: %v", n, err)
	}
}

func TestCPUTimeRuns(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 20*time.Millisecond; {
	}
	if after, err := cpuTime(os.Getpid()); err != nil || after <= before {
		t.Errorf("from %v to %v: %v", before, after, err)
	}
	// Linux has no larger ids than 1<<22.
	if _, err := cpuTime(1<<22 + 1); err == nil {
		t.Error("a process that isn't there has used time")
	}
}

// What has been measured is kept when Node fails.
func TestFailingNode(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "node"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // no systems are measured
	var out report
	err := out.measure(ctx, nil, options{rounds: 1}, io.Discard)
	if err == nil || len(out.Judging) == 0 || out.Judging[0].Native == 0 || len(out.Native) == 0 {
		t.Errorf("%v: %d and %d measurements", err, len(out.Judging), len(out.Native))
	}
}

func TestReport(t *testing.T) {
	ms := func(values ...int) (cells []cell) {
		for _, v := range values {
			cells = append(cells, cell{1000, time.Duration(v) * time.Millisecond})
		}
		return cells
	}
	systems := []*system{{name: bareEnvoy}, {name: readsOnly}, {name: enforcing}, {name: shadowing}, {name: extProc}}
	r := report{
		Rounds:  3,
		Results: summarize(row{name: "GET"}, systems, [][]cell{ms(40, 50, 60), ms(60, 75, 70), ms(80, 70, 120), ms(80, 90, 90), ms(140, 170, 160)}),
		Judging: []judging{{"GET", 0, 700, 0}, {"POST 0.9 KB", 900, 1500, 6000}},
		Native:  []timing{{"one", 1871, 0, 0}, {"other", 1094752, 7754, 584375}},
	}
	var out strings.Builder
	r.print(&out)
	const want = `Processor time per request in µs, medians of 3 rounds (least to most)

request      system                    total  over bare                       requests
GET          bare Envoy                 50.0                                      3000
             reads only, Go SDK         70.0       20.0       (10.0 to 25.0)      3000
             Threatgate, enforce        80.0       40.0       (20.0 to 60.0)      3000
             Threatgate, shadow         90.0       40.0       (30.0 to 40.0)      3000
             ext_proc, kin-openapi     160.0      100.0     (100.0 to 120.0)      3000
             enforce costs 2.0 times what reading does, ext_proc 2.5 times what enforce does

Judging by Threatgate's engine without Envoy, best of many rounds

request       native ns       MB/s    Wasm ns       MB/s
GET                 700          -          -          -
POST 0.9 KB        1500        600       6000        150

Judging a POST of 196 bytes natively, without Envoy

judge                                ns  allocations      bytes
one                                1871            0          0
other                           1094752         7754     584375
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
