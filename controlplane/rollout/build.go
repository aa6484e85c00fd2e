package rollout

import (
	"bytes"
	"path/filepath"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/policy"
)

// build runs the pipeline on the files as they are and, while that gives
// errors, with the last good content in place of more and more of those that
// have changed. It returns nil if nothing helps, and in any case the
// diagnostics of the files as they are.
func (r *Rollout) build(modes policy.Modes) (*pipeline.Output, *diag.List) {
	held := map[string][]byte{}
	in := r.config.Input
	in.Modes = modes
	in.ReadFile = func(name string) ([]byte, error) {
		if _, hold := held[key(name)]; hold {
			return r.state.Inputs[key(name)], nil
		}
		return pipeline.ReadFile(name)
	}
	first := pipeline.Run(in)
	before := r.files
	r.files = r.look(first)
	r.config.Watcher.Watch(r.files)

	// hold holds the changed files for which when is true, and reports
	// whether there is one more than before.
	hold := func(when func(name string, now []byte) bool) (more bool) {
		for name, now := range r.files {
			good, known := r.state.Inputs[name]
			if _, already := held[name]; known && !already && !same(now, good) && when(name, now) {
				held[name], more = now, true
			}
		}
		return more
	}
	out := first
	for out.Diags.HasErrors() {
		// Where an error shows is not always where its cause is: the change
		// of one file may make another wrong.
		more := out == first && hold(func(name string, now []byte) bool {
			then, was := r.held[name]
			return was && same(now, then)
		})
		faulty := faultyFiles(&out.Diags)
		more = hold(func(name string, _ []byte) bool { return faulty[name] }) || more
		more = more || hold(func(name string, now []byte) bool { return !same(now, before[name]) })
		more = more || hold(func(string, []byte) bool { return true })
		if !more {
			return nil, &first.Diags
		}
		out = pipeline.Run(in)
	}
	r.held = held
	if out == first {
		return out, &out.Diags
	}
	diags := first.Diags.Errors() // what else is said of files that are held is of no policy
	diags.Merge(&out.Diags)
	return out, diags
}

// look returns the files as a run of the pipeline found them. Where that has
// errors it may not have come to all files, so those that were good before
// are added.
func (r *Rollout) look(out *pipeline.Output) map[string][]byte {
	files := map[string][]byte{}
	for name, content := range out.Files {
		files[key(name)] = content
	}
	if out.Diags.HasErrors() {
		for name := range r.state.Inputs {
			if _, read := files[name]; !read {
				files[name], _ = pipeline.ReadFile(name)
			}
		}
	}
	return files
}

func faultyFiles(diags *diag.List) map[string]bool {
	faulty := map[string]bool{}
	for _, d := range diags.Sorted() {
		if d.Severity == diag.Error {
			faulty[key(d.Pos.File)] = true
		}
	}
	return faulty
}

// key is how a file is remembered: names may be relative.
func key(name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		return filepath.Clean(name)
	}
	return path
}

// same compares contents; nil is that of a file that can't be read.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// remembered reports whether the store's content came from this input.
func (r *Rollout) remembered() bool {
	_, ok := r.state.Inputs[key(r.config.Input.Root())]
	return ok
}
