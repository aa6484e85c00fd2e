package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/threatgate/threatgate/e2e/bench/judge"
	"github.com/threatgate/threatgate/internal/violation"
)

// judging is how long our engine takes for one kind of request where there is
// no Envoy.
type judging struct {
	Row    string `json:"row"`
	Bytes  int    `json:"bytes"`          // of the body
	Native int64  `json:"native"`         // nanoseconds
	Wasm   int64  `json:"wasm,omitempty"` // in Node's V8; 0 if there is no Node
}

// alone times the judging of each row by our engine.
func alone(rows []row, progress io.Writer) ([]judging, error) {
	compiled, err := release("127.0.0.1:1", "127.0.0.1:1", violation.Enforce)
	if err != nil {
		return nil, err
	}
	task := judge.Task{Bundle: compiled.Bundle}
	var out []judging
	for _, r := range rows {
		task.Requests = append(task.Requests, r.asSeenByFilter())
		run, err := judge.New(task.Bundle, r.asSeenByFilter())
		if err != nil {
			return nil, err
		}
		ns, err := judge.Time(run)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		out = append(out, judging{Row: r.name, Bytes: len(r.body), Native: ns})
	}
	node, err := exec.LookPath("node")
	if err != nil {
		fmt.Fprintln(progress, "no Node here: Wasm is measured in Envoy only")
		return out, nil
	}
	times, err := inWasm(node, task)
	for i := range times {
		out[i].Wasm = times[i]
	}
	return out, err
}

// inWasm has the command beside this one, built for Wasm, do the task.
func inWasm(node string, task judge.Task) (times []int64, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	input, err := os.CreateTemp("", "bench") // Node's WASI can't wait for a pipe
	if err != nil {
		return nil, err
	}
	defer os.Remove(input.Name())
	defer input.Close()
	if err := json.NewEncoder(input).Encode(task); err != nil {
		return nil, err
	}
	if _, err := input.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	beside := filepath.Dir(self)
	command := exec.Command(node, "--no-liftoff", "--no-warnings", filepath.Join(beside, "bench-judge.mjs"), filepath.Join(beside, "bench-judge.wasm"))
	command.Stdin, command.Stderr = input, os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", command.Args, err)
	}
	if err := json.Unmarshal(output, &times); err != nil || len(times) != len(task.Requests) {
		return nil, fmt.Errorf("%v: not an answer: %q", command.Args, output)
	}
	return times, nil
}

func (r *row) asSeenByFilter() judge.Request {
	headers := [][2]string{{":method", r.method}, {":path", r.target}, {":authority", "orders.example"}}
	return judge.Request{Headers: append(headers, r.headers...), Body: r.body}
}
