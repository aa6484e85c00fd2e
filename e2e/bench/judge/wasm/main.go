// Command wasm reads a judge.Task from its input and writes to its output how
// long each request takes. It is built for wasip1, with the filter's profile.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/threatgate/threatgate/e2e/bench/judge"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var task judge.Task
	if err := json.NewDecoder(os.Stdin).Decode(&task); err != nil {
		return err
	}
	times := make([]int64, len(task.Requests))
	for i, r := range task.Requests {
		run, err := judge.New(task.Bundle, r)
		if err != nil {
			return err
		}
		if times[i], err = judge.Time(run); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(times)
}
