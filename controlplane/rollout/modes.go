package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// ModeChange sets the mode of an operation or an API, over what the model
// says. API "" is every API or, with an Operation, the one that has it. The
// mode of an operation stands over that of its API.
type ModeChange struct {
	API, Operation string
	Mode           violation.Mode
}

// ModeResult is what came of a change.
type ModeResult struct {
	APIs  []API // that were changed, as they are now
	Nodes int   // connected, all of which have accepted it
}

type modeRequest struct {
	change ModeChange
	reply  chan modeReply
}

type modeReply struct {
	apis     []API
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
	result := &ModeResult{APIs: reply.apis}
	for _, node := range r.config.Server.Nodes() {
		if node.Connected {
			result.Nodes++
		}
	}
	if result.Nodes == 0 {
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
	services, err := r.concerned(change)
	if err != nil {
		return modeReply{err: err}
	}
	modes := policy.Modes{APIs: maps.Clone(r.state.Modes.APIs), Operations: maps.Clone(r.state.Modes.Operations)}
	for _, service := range services {
		if change.Operation == "" {
			modes.APIs[service] = change.Mode
		} else {
			modes.Operations[policy.OperationKey{API: service, Operation: change.Operation}] = change.Mode
		}
	}
	out, diags := r.build(modes)
	if out == nil {
		return modeReply{err: ErrMode{"the policy can't be compiled:\n" + diags.Err().Error()}}
	}
	if err := r.install(ctx, out, modes, diags); err != nil {
		return modeReply{err: ErrMode{err.Error()}}
	}
	var reply modeReply
	for _, release := range out.Releases {
		if !slices.Contains(services, release.Service) {
			continue
		}
		if r.state.Releases[release.Service].Release.Digest != release.Digest {
			problems := r.status.Load().problems
			return modeReply{err: errors.New("the mode is set, but not rolled out: " + strings.Join(problems, "\n"))}
		}
		reply.releases = append(reply.releases, release)
	}
	for _, api := range r.status.Load().apis {
		if slices.Contains(services, api.ID) {
			reply.apis = append(reply.apis, api)
		}
	}
	return reply
}

// concerned lists the services that a change is about.
func (r *Rollout) concerned(change ModeChange) ([]string, error) {
	var services []string
	for _, api := range r.status.Load().apis {
		has := change.Operation == "" || slices.ContainsFunc(api.Operations, func(o Operation) bool { return o.Label == change.Operation })
		if has && (change.API == "" || change.API == api.ID) {
			services = append(services, api.ID)
		}
	}
	switch {
	case len(services) == 0 && change.Operation != "" && change.API != "":
		return nil, ErrMode{fmt.Sprintf("API %q has no operation %q", change.API, change.Operation)}
	case len(services) == 0 && change.Operation != "":
		return nil, ErrMode{fmt.Sprintf("no API has an operation %q", change.Operation)}
	case len(services) == 0:
		return nil, ErrMode{fmt.Sprintf("there is no API %q", change.API)}
	case len(services) > 1 && change.Operation != "":
		return nil, ErrMode{fmt.Sprintf("several APIs have an operation %q: %s; name one", change.Operation, strings.Join(services, ", "))}
	}
	return services, nil
}
