package rollout

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/controlplane/store"
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/diag"
)

// Status is what is served and who has it.
type Status struct {
	APIs     []API    `json:"apis"`
	Nodes    []Node   `json:"nodes"`
	Problems []string `json:"problems"` // why not everything is as the files say, or can be told
	Stale    []string `json:"stale"`    // which modes that were set are of nothing that is served
	Warnings []string `json:"warnings"` // what the files say and no policy enforces
}

// API is a service as it is pushed.
type API struct {
	ID         string      `json:"id"`
	Revision   string      `json:"revision"`
	Digest     string      `json:"digest"`
	Since      time.Time   `json:"since"` // when the revision became the one that is served
	Listen     string      `json:"listen"`
	Mode       string      `json:"mode"` // for requests that match no operation
	Operations []Operation `json:"operations"`
}

// Operation is an operation's mode.
type Operation struct {
	Label string `json:"operation"`
	Mode  string `json:"mode"`
}

// Node is an Envoy.
type Node struct {
	ID        string    `json:"id"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	APIs      []NodeAPI `json:"apis"`
}

// NodeAPI is how far a service's current revision has come on a node.
type NodeAPI struct {
	ID       string `json:"id"`
	State    string `json:"state"` // acked, pending, refused
	Detail   string `json:"detail,omitempty"`
	Revision string `json:"revision,omitempty"` // in use, as far as is known
}

// serving is the part of Status that Run owns. It is immutable.
type serving struct {
	snapshot        *snapshot.Snapshot
	apis            []API
	stale, problems []string
	warnings        []diag.Diagnostic
}

// Status returns what is served now.
func (r *Rollout) Status() Status {
	now := r.status.Load()
	status := Status{
		APIs:     now.apis,
		Nodes:    []Node{},
		Problems: append([]string{}, now.problems...),
		Stale:    append([]string{}, now.stale...),
		Warnings: []string{},
	}
	for _, w := range now.warnings {
		status.Warnings = append(status.Warnings, w.String())
	}
	for _, n := range r.config.Server.Nodes() {
		if n.Shared != nil {
			status.Problems = append(status.Problems, n.Shared.Error())
		}
		node := Node{ID: n.ID, Connected: n.Connected, Since: n.Since.UTC(), APIs: []NodeAPI{}}
		for _, service := range now.snapshot.Services() {
			node.APIs = append(node.APIs, nodeAPI(&n, service, now.snapshot))
		}
		status.Nodes = append(status.Nodes, node)
	}
	return status
}

// nodeAPI sums up the deliveries of a service's resources. The revision is
// that which the filter last reported, or that of the snapshot where the
// node accepted all of it after that report.
func nodeAPI(n *server.Node, service string, snap *snapshot.Snapshot) NodeAPI {
	report := n.Revisions[service]
	api := NodeAPI{ID: service, State: "acked", Revision: report.Revision}
	var last time.Time
	for _, typeURL := range snapshot.Types() {
		for name, resource := range snap.Resources(typeURL) {
			if resource.Service != service {
				continue
			}
			switch d := n.Resources[server.ResourceKey{TypeURL: typeURL, Name: name}]; resource.Version {
			case d.Nacked:
				api.State, api.Detail = "refused", d.Detail
			case d.Acked:
				if d.Time.After(last) {
					last = d.Time
				}
			default:
				if api.State == "acked" {
					api.State = "pending"
				}
			}
		}
	}
	if api.State == "acked" && last.After(report.Time) {
		api.Revision = snap.Revisions()[service]
	}
	return api
}

// apis reads what is pushed from the bundles themselves.
func apis(state *store.State) []API {
	list := []API{}
	for _, service := range slices.Sorted(maps.Keys(state.Releases)) {
		saved := state.Releases[service]
		api := API{
			ID:         service,
			Revision:   saved.Release.Revision(),
			Digest:     saved.Release.Digest,
			Since:      saved.Time,
			Listen:     saved.Release.Gateway.Listen,
			Operations: []Operation{},
		}
		if bundle, err := artifact.Decode(saved.Release.Bundle); err == nil { // preflight has decoded it before
			api.Mode = bundle.Meta.Mode.String()
			for _, o := range bundle.Operations {
				api.Operations = append(api.Operations, Operation{string(bundle.String(o.Label)), o.Mode.String()})
			}
		}
		list = append(list, api)
	}
	return list
}

// Policy returns the service whose policy a resource is, and its revision, if
// it is one that is served now.
func (r *Rollout) Policy(typeURL, name, version string) (service, revision string, ok bool) {
	snap := r.status.Load().snapshot
	service, ok = snap.Policy(typeURL, name, version)
	return service, snap.Revisions()[service], ok
}

// WaitAcked waits until every connected node, and at least one, has accepted
// all that is served.
func (r *Rollout) WaitAcked(ctx context.Context) error {
	return r.config.Server.WaitAcked(ctx, r.status.Load().snapshot)
}
