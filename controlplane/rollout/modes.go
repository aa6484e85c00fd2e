package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// ModeChange sets the mode of an operation, of an API with all its operations
// or, with API "", of all there are and will be, over what the model says. An
// Operation goes by any of its names and needs no API where one alone has it.
type ModeChange struct {
	API, Operation string
	Mode           *violation.Mode // nil takes back what was set
}

// ModeResult is what came of a change.
type ModeResult struct {
	APIs      []API                 // that were changed, as they are now
	Following []policy.OperationKey // that had a mode of their own, and now have that of their API
	Nodes     int                   // connected, all of which have accepted it
	Target    policy.OperationKey   // what the change was about; an operation by its label
}

// maxListed bounds the operations that an error names.
const maxListed = 20

type modeRequest struct {
	change ModeChange
	reply  chan modeReply
}

type modeReply struct {
	ModeResult
	releases []*compile.Release
	err      error
}

// SetMode changes modes and waits until every connected node has accepted
// that. An error before anything was changed is an ErrMode; after another the
// change stands, but a node has not accepted it.
func (r *Rollout) SetMode(ctx context.Context, change ModeChange) (*ModeResult, error) {
	request := modeRequest{change, make(chan modeReply, 1)}
	select {
	case r.modes <- request:
	case <-r.done:
		return nil, ErrMode{"the control plane is stopping"}
	case <-ctx.Done():
		return nil, ErrMode{"the control plane is busy"}
	}
	reply := <-request.reply
	if reply.err != nil {
		return nil, reply.err
	}
	result := &reply.ModeResult
	for _, node := range r.config.Server.Nodes() {
		if node.Connected {
			result.Nodes++
		}
	}
	if result.Nodes == 0 || len(reply.releases) == 0 {
		return result, nil
	}
	snap, err := snapshot.Build(reply.releases, r.config.Environment)
	if err != nil {
		return nil, err
	}
	if err := r.config.Server.WaitAcked(ctx, snap); err != nil {
		return nil, fmt.Errorf("the mode is set, but not accepted everywhere: %w", err)
	}
	return result, nil
}

// ErrMode says why a change of modes was not made.
type ErrMode struct{ reason string }

func (e ErrMode) Error() string { return e.reason }

func (r *Rollout) changeModes(ctx context.Context, change ModeChange) modeReply {
	target, err := r.target(change)
	if err != nil {
		return modeReply{err: err}
	}
	modes, following := set(r.state.Modes, target, change.Mode)
	out, diags := r.build(modes)
	if out == nil {
		return modeReply{err: ErrMode{"the policy can't be compiled:\n" + diags.Err().Error()}}
	}
	if err := r.install(ctx, out, modes, diags); err != nil {
		return modeReply{err: ErrMode{err.Error()}}
	}
	reply := modeReply{ModeResult: ModeResult{Target: target, Following: following}}
	for _, release := range out.Releases {
		served, ok := r.state.Releases[release.Service]
		if !ok || !covers(target, release.Service) {
			continue
		}
		if served.Release.Digest != release.Digest {
			problems := r.status.Load().problems
			return modeReply{err: errors.New("the mode is set, but not rolled out: " + strings.Join(problems, "\n"))}
		}
		reply.releases = append(reply.releases, release)
	}
	for _, api := range r.status.Load().apis {
		if covers(target, api.ID) {
			reply.APIs = append(reply.APIs, api)
		}
	}
	return reply
}

// covers reports whether a change of target is about the service.
func covers(target policy.OperationKey, service string) bool {
	return target.API == "" || target.API == service
}

// set returns modes with that of target set or, if mode is nil, taken back.
// That of an API replaces those of its operations.
func set(modes policy.Modes, target policy.OperationKey, mode *violation.Mode) (changed policy.Modes, following []policy.OperationKey) {
	changed = policy.Modes{APIs: maps.Clone(modes.APIs), Operations: maps.Clone(modes.Operations)}
	for key := range modes.Operations {
		if key == target && mode == nil || target.Operation == "" && covers(target, key.API) {
			delete(changed.Operations, key)
			following = append(following, key)
		}
	}
	slices.SortFunc(following, compareKeys)
	switch {
	case target.Operation == "":
		maps.DeleteFunc(changed.APIs, func(api string, _ violation.Mode) bool { return covers(target, api) })
		if mode != nil {
			changed.APIs[target.API] = *mode
		}
	case mode != nil:
		changed.Operations[target] = *mode
	}
	return changed, following
}

func compareKeys(a, b policy.OperationKey) int {
	return cmp.Or(strings.Compare(a.API, b.API), strings.Compare(a.Operation, b.Operation))
}

// target finds what a change is about; Operation "" is an API, and API "" all.
func (r *Rollout) target(change ModeChange) (policy.OperationKey, error) {
	if key := (policy.OperationKey{API: change.API, Operation: change.Operation}); change.Mode == nil && isSet(r.state.Modes, key) {
		return key, nil // of what is no more, too
	}
	var services, labels, names []string
	var found []policy.OperationKey
	for _, api := range r.status.Load().apis {
		services = append(services, api.ID)
		for _, o := range api.Operations {
			key := policy.OperationKey{API: api.ID, Operation: o.Label}
			if own := append([]string{o.Label}, r.names[key]...); change.API == "" || change.API == api.ID {
				labels, names = append(labels, o.Label), append(names, own...)
				if slices.Contains(own, change.Operation) {
					found = append(found, key)
				}
			}
		}
	}
	if len(found) == 0 && change.Mode == nil && change.API == "" {
		for key := range r.state.Modes.Operations {
			if key.Operation == change.Operation {
				found = append(found, key) // of what is no more
			}
		}
		slices.SortFunc(found, compareKeys)
	}
	switch {
	case change.API != "" && !slices.Contains(services, change.API):
		return policy.OperationKey{}, ErrMode{fmt.Sprintf("there is no API %q, only: %s", change.API, strings.Join(services, ", "))}
	case change.Operation == "":
		return policy.OperationKey{API: change.API}, nil
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return policy.OperationKey{}, ErrMode{fmt.Sprintf("%q fits %d operations: %s; name one", change.Operation, len(found), list(found))}
	}
	slices.Sort(names)
	slices.Sort(labels)
	hint := diag.DidYouMean(change.Operation, slices.Compact(names))
	switch labels = slices.Compact(labels); {
	case hint != "":
	case len(labels) <= maxListed:
		hint = ", only: " + strings.Join(labels, ", ")
	default:
		hint = fmt.Sprintf(" among the %d, which /v1/status lists", len(labels))
	}
	return policy.OperationKey{}, ErrMode{fmt.Sprintf("there is no operation %q%s", change.Operation, hint)}
}

func isSet(modes policy.Modes, key policy.OperationKey) (set bool) {
	if key.Operation == "" {
		_, set = modes.APIs[key.API]
	} else {
		_, set = modes.Operations[key]
	}
	return set
}

func list(keys []policy.OperationKey) string {
	var texts []string
	for _, k := range keys {
		texts = append(texts, fmt.Sprintf("%q of API %q", k.Operation, k.API))
	}
	return strings.Join(texts, ", ")
}

// namesOf are the ways to call each operation.
func namesOf(policies *policy.Set) map[policy.OperationKey][]string {
	names := map[policy.OperationKey][]string{}
	for _, s := range policies.Services {
		for _, o := range s.Operations {
			names[policy.OperationKey{API: s.ID, Operation: o.Label}] = o.Names()
		}
	}
	return names
}

// stale says which modes apply to none of apis any more.
func stale(modes policy.Modes, apis []API) (lines []string) {
	there := map[policy.OperationKey]bool{{}: true}
	for _, api := range apis {
		there[policy.OperationKey{API: api.ID}] = true
		for _, o := range api.Operations {
			there[policy.OperationKey{API: api.ID, Operation: o.Label}] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(modes.APIs)) {
		if !there[policy.OperationKey{API: id}] {
			lines = append(lines, fmt.Sprintf("the mode %q that was set for API %q no longer applies: there is no such API", modes.APIs[id], id))
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(modes.Operations), compareKeys) {
		if !there[key] {
			lines = append(lines, fmt.Sprintf("the mode %q that was set for operation %q of API %q no longer applies: there is no such operation", modes.Operations[key], key.Operation, key.API))
		}
	}
	return lines
}
