package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/threatgate/threatgate/controlplane/snapshot"
)

// Node is what is known of one Envoy.
type Node struct {
	ID        string
	Connected bool
	Since     time.Time // of Connected
	Resources map[ResourceKey]Delivery
	Revisions map[string]Report // by service: the policy that the filter itself says it judges by
	Shared    *Shared           // nil unless several Envoys have the id
}

// ResourceKey names a resource.
type ResourceKey struct{ TypeURL, Name string }

// Delivery is how far a resource has come. Versions are snapshot.Resource's.
type Delivery struct {
	Sent, Acked, Nacked string // the last version of each; "" if there was none
	Detail              string // why Nacked was refused, in Envoy's words
	Time                time.Time
}

// Report is what a filter says of the policy that it judges by.
type Report struct {
	Revision string
	Judged   time.Duration // what judging the reported request took
	Time     time.Time
}

// Refused is the error of a resource that a node did not accept. The node
// goes on with what it had.
type Refused struct{ Node, TypeURL, Name, Version, Detail string }

func (e *Refused) Error() string {
	return fmt.Sprintf("node %s refused %s %s: %s", e.Node, e.TypeURL, e.Name, e.Detail)
}

// Shared is the error of a node id that several connected Envoys have. The
// books can't tell them apart.
type Shared struct {
	Node  string
	Peers []string // their addresses
}

func (e *Shared) Error() string {
	return fmt.Sprintf("%d Envoys have the node id %q, so that what they accept and count is mixed up: %s; give each an id of its own, by `threatgate bootstrap --node NAME`",
		len(e.Peers), e.Node, strings.Join(e.Peers, ", "))
}

// ledger is the book of all nodes.
type ledger struct {
	mu      sync.Mutex
	nodes   map[string]*Node
	early   map[reporter]Report // of nodes that are not known yet
	changed chan struct{}       // closed and replaced at each change
	streams map[int64]*stream
}

// reporter is a filter that judges by a policy of its own.
type reporter struct{ node, service string }

// stream is one xDS stream.
type stream struct {
	peer    string // address
	node    *Node
	since   time.Time                                      // of node
	pending map[string]*discoveryv3.DeltaDiscoveryResponse // by nonce
}

func newLedger() *ledger {
	return &ledger{nodes: map[string]*Node{}, early: map[reporter]Report{}, changed: make(chan struct{}), streams: map[int64]*stream{}}
}

// update runs f under the lock and wakes those who wait.
func (s *ledger) update(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// report notes what a filter says, and reports whether there was room for it.
// Where the control plane starts anew under Envoys that judge, a report can be
// there before its node is: it waits, for the next is 1,024 requests away.
func (s *ledger) report(node, service string, r Report) bool {
	if n := s.nodes[node]; n != nil {
		n.Revisions[service] = r
		return true
	}
	by := reporter{node, service}
	if _, again := s.early[by]; !again && len(s.early) == maxEarly || node == "" || len(node) > maxName || len(service) > maxName {
		return false
	}
	s.early[by] = r
	return true
}

// takeEarly returns what filters of a node have said before it was known.
func (s *ledger) takeEarly(node string) map[string]Report {
	revisions := map[string]Report{}
	for by, r := range s.early {
		if by.node == node {
			revisions[by.service] = r
			delete(s.early, by)
		}
	}
	return revisions
}

// knows says whether a node of that id has ever connected.
func (s *ledger) knows(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[id] != nil
}

// all returns a copy of every node, sorted by id.
func (s *ledger) all() []Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Node
	for _, n := range s.nodes {
		c := *n
		c.Resources, c.Revisions, c.Shared = maps.Clone(n.Resources), maps.Clone(n.Revisions), s.shared(n)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// sharedAfter is how long two streams of a node must both have been open to be
// those of two Envoys. The old stream of one that has come back, even by another
// network, is found dead before.
const sharedAfter = keepaliveTime + keepaliveTimeout + 5*time.Second

// shared is nil unless several Envoys have the id of n.
func (s *ledger) shared(n *Node) *Shared {
	var peers []string
	for _, stream := range s.streams {
		if stream.node == n && time.Since(stream.since) >= sharedAfter {
			peers = append(peers, stream.peer)
		}
	}
	if len(peers) < 2 {
		return nil
	}
	slices.Sort(peers)
	return &Shared{n.ID, peers}
}

// wait blocks until every connected node, and at least one, has accepted all
// of want, or one has refused some of it.
func (s *ledger) wait(ctx context.Context, want *snapshot.Snapshot) error {
	for {
		s.mu.Lock()
		done, err := s.accepted(want)
		changed := s.changed
		s.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (s *ledger) accepted(want *snapshot.Snapshot) (bool, error) {
	connected, missing := 0, 0
	for _, n := range s.nodes {
		if !n.Connected {
			continue
		}
		connected++
		for _, typeURL := range snapshot.Types() {
			for name, r := range want.Resources(typeURL) {
				switch d := n.Resources[ResourceKey{typeURL, name}]; r.Version {
				case d.Nacked:
					return false, &Refused{n.ID, typeURL, name, d.Nacked, d.Detail}
				case d.Acked:
				default:
					missing++
				}
			}
		}
	}
	return connected > 0 && missing == 0, nil
}
