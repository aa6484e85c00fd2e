// Package rollout is the control plane's loop: a change of files or modes
// goes through the pipeline, preflight, the store and into the snapshot that
// every node is served. Whatever fails on the way leaves what was there.
//
// What is broken holds back as little as it can. A file with an error keeps
// its last good content while the others change; a release that fails
// preflight or makes no valid snapshot keeps its predecessor; a service goes
// only when a model that loads no longer has it.
//
// Everything is rebuilt whole at each change, and one goroutine owns the
// state.
package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/preflight"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/controlplane/store"
	"github.com/threatgate/threatgate/controlplane/watch"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/policy"
)

// Config is what a rollout works with.
type Config struct {
	Input       pipeline.Input // without ID, Modes and ReadFile
	Environment snapshot.Environment
	Store       *store.Store
	Server      *server.Server
	Watcher     *watch.Watcher
	Log         *zap.Logger
}

// Rollout is the state of what is served. Its methods may be called from any
// goroutine.
type Rollout struct {
	config Config
	status atomic.Pointer[serving]
	modes  chan modeRequest
	done   chan struct{} // closed when Run ends

	// Owned by New, then by Run.
	state *store.State                     // what is pushed, and from what it came
	names map[policy.OperationKey][]string // of the operations
	files map[string][]byte                // as they were at the last build; nil: not readable
	held  map[string][]byte                // those of them that were not let through
}

// InputError is the error of an input that does not load, where there is no
// last good one to go on with.
type InputError struct{ Diags *diag.List }

// Error lists the diagnostics that are errors, one a line.
func (e *InputError) Error() string { return e.Diags.Err().Error() }

// New builds and pushes the first snapshot: from the files, or with what the
// store has in place of those that are broken. The error is an *InputError
// where neither loads.
func New(ctx context.Context, config Config) (*Rollout, error) {
	state, err := config.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	r := &Rollout{
		config: config,
		modes:  make(chan modeRequest),
		done:   make(chan struct{}),
		state:  state,
	}
	if r.remembered() {
		r.keepID()
	}
	out, diags := r.build(state.Modes)
	switch {
	case out != nil:
		if err := r.install(ctx, out, state.Modes, diags); err != nil {
			return nil, err
		}
	case r.remembered() && len(state.Releases) > 0:
		if err := r.restore(diags); err != nil {
			return nil, err
		}
	default:
		return nil, &InputError{diags}
	}
	return r, nil
}

// Run follows changes until ctx is done.
func (r *Rollout) Run(ctx context.Context) {
	defer close(r.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.config.Watcher.Changes:
			r.filesChanged(ctx)
		case request := <-r.modes:
			before := r.status.Load()
			request.reply <- r.changeModes(ctx, request.change)
			r.logNews(before)
		}
	}
}

func (r *Rollout) filesChanged(ctx context.Context) {
	started, before := time.Now(), r.status.Load()
	out, diags := r.build(r.state.Modes)
	if out == nil {
		r.note(*before, diags, nil)
	} else if err := r.install(ctx, out, r.state.Modes, diags); err != nil {
		r.note(*before, diags, []string{err.Error()})
	}
	r.logNews(before)
	if len(r.status.Load().problems) == 0 {
		r.config.Log.Info("the policy is as the files say", zap.Duration("took", time.Since(started)))
	}
}

// install checks, stores and pushes what the pipeline put out. After an error
// everything is as before.
func (r *Rollout) install(ctx context.Context, out *pipeline.Output, modes policy.Modes, diags *diag.List) error {
	state := &store.State{Modes: modes, Inputs: map[string][]byte{}, Releases: map[string]store.Saved{}}
	for name, content := range out.Files {
		if content != nil {
			state.Inputs[key(name)] = content
		}
	}
	var problems []string
	for _, release := range out.Releases {
		before, known := r.state.Releases[release.Service]
		if known && before.Release.Digest == release.Digest {
			state.Releases[release.Service] = before
			continue
		}
		if err := preflight.Check(release); err == nil {
			state.Releases[release.Service] = store.Saved{Release: release, Time: time.Now().UTC()}
			continue
		} else if problems = append(problems, fmt.Sprintf("preflight: %v", err)); known {
			state.Releases[release.Service] = before
		}
	}
	snap, refused, err := r.assemble(state.Releases)
	if err != nil {
		return err
	}
	if len(state.Releases) == 0 && len(problems) > 0 {
		return errors.New(problems[0])
	}
	if err := r.config.Store.Save(ctx, state); err != nil {
		return err
	}
	r.names = namesOf(out.Policies)
	r.push(state, snap, diags, append(problems, refused...))
	return nil
}

// assemble makes the snapshot of releases. Where they make none, it puts each
// that has changed back to its predecessor, or takes it out, unless it goes
// together with those before it; refused says why.
func (r *Rollout) assemble(releases map[string]store.Saved) (snap *snapshot.Snapshot, refused []string, err error) {
	snap, err = r.snapshot(releases)
	if err == nil {
		return snap, nil, nil
	}
	wanted := maps.Clone(releases)
	clear(releases)
	for service, before := range r.state.Releases {
		if _, stays := wanted[service]; stays {
			releases[service] = before
		}
	}
	for _, service := range slices.Sorted(maps.Keys(wanted)) {
		before, known := releases[service]
		releases[service] = wanted[service]
		if _, err := r.snapshot(releases); err != nil {
			refused = append(refused, err.Error())
			if releases[service] = before; !known {
				delete(releases, service)
			}
		}
	}
	if len(releases) == 0 {
		return nil, nil, err
	}
	snap, err = r.snapshot(releases)
	return snap, refused, err
}

func (r *Rollout) snapshot(releases map[string]store.Saved) (*snapshot.Snapshot, error) {
	var list []*compile.Release
	for _, service := range slices.Sorted(maps.Keys(releases)) {
		list = append(list, releases[service].Release)
	}
	return snapshot.Build(list, r.config.Environment)
}

// restore pushes what the store has, where no input loads any more.
func (r *Rollout) restore(diags *diag.List) error {
	for _, saved := range r.state.Releases {
		if err := preflight.Check(saved.Release); err != nil {
			return errors.Join(&InputError{diags}, err)
		}
	}
	snap, err := r.snapshot(r.state.Releases)
	if err != nil {
		return errors.Join(&InputError{diags}, err)
	}
	r.push(r.state, snap, diags, nil)
	return nil
}

// push serves a state that is stored.
func (r *Rollout) push(state *store.State, snap *snapshot.Snapshot, diags *diag.List, problems []string) {
	for service, saved := range state.Releases {
		if before, known := r.state.Releases[service]; !known || before.Release.Digest != saved.Release.Digest {
			r.config.Log.Info("rolling out", zap.String("api", service), zap.String("revision", saved.Release.Revision()))
		}
	}
	for service := range r.state.Releases {
		if _, stays := state.Releases[service]; !stays {
			r.config.Log.Info("removing", zap.String("api", service))
		}
	}
	r.state = state
	r.keepID()
	apis := apis(state)
	r.note(serving{snapshot: snap, apis: apis, stale: stale(state.Modes, apis)}, diags, problems) // before a node answers
	r.config.Server.Push(snap)
}

// keepID makes the id of a bare specification's service stay when its title
// changes: the modes that were set go by the id.
func (r *Rollout) keepID() {
	if r.config.Input.Model == "" && len(r.state.Releases) == 1 {
		for service := range r.state.Releases {
			r.config.Input.ID = service
		}
	}
}

// note publishes what is served, and what is wrong with the input.
func (r *Rollout) note(now serving, diags *diag.List, problems []string) {
	now.problems, now.warnings = problems, nil
	for _, d := range diags.Sorted() {
		if d.Severity == diag.Error {
			now.problems = append(now.problems, d.String())
		} else {
			now.warnings = append(now.warnings, d)
		}
	}
	r.status.Store(&now)
}

// logNews logs what was not wrong before.
func (r *Rollout) logNews(before *serving) {
	now := r.status.Load()
	for _, p := range now.problems {
		if !slices.Contains(before.problems, p) {
			r.config.Log.Error("the last good policy stays in place of this change", zap.String("cause", p))
		}
	}
	for _, w := range newWarnings(before.warnings, now.warnings) {
		r.config.Log.Warn("the files have a warning", zap.String("cause", fmt.Sprintf("%s: %s", w.Pos, w.Message)))
	}
	for _, s := range now.stale {
		if !slices.Contains(before.stale, s) {
			r.config.Log.Warn(s)
		}
	}
}

// newWarnings returns those of now that were not there before. A warning that
// stands elsewhere in its file, because of a change above it, is none.
func newWarnings(before, now []diag.Diagnostic) (news []diag.Diagnostic) {
	type warning struct{ file, message string }
	of := func(d diag.Diagnostic) warning { return warning{d.Pos.File, d.Message} }
	there, moved := map[diag.Diagnostic]bool{}, map[warning]int{}
	for _, d := range before {
		there[d] = true
		moved[of(d)]++
	}
	for _, d := range now {
		if there[d] {
			moved[of(d)]--
		}
	}
	for _, d := range now {
		if there[d] {
			continue
		}
		if moved[of(d)] == 0 {
			news = append(news, d)
		} else {
			moved[of(d)]--
		}
	}
	return news
}
