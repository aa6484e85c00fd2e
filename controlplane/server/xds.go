package server

import (
	"context"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/delta/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/threatgate/threatgate/controlplane/snapshot"
)

// ads is the aggregated discovery service, in its delta form only.
type ads struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	delta delta.Server
}

// DeltaAggregatedResources implements the service.
func (a *ads) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return a.delta.DeltaStreamHandler(stream, resource.AnyType)
}

// Event is one answer of a node to a resource that it was sent.
type Event struct {
	Time          time.Time
	Node          string
	TypeURL, Name string
	Version       string
	Nack          bool
	Detail        string // of a NACK, in Envoy's words
}

// bookkeeper follows the streams, as go-control-plane's delta callbacks. All
// calls for one stream come from one goroutine.
type bookkeeper struct {
	ledger  *ledger
	onNode  func(node string, connected bool)
	onShare func(*Shared)
	onEvent func(Event)
}

// OnDeltaStreamOpen implements delta.Callbacks.
func (b *bookkeeper) OnDeltaStreamOpen(ctx context.Context, id int64, _ string) error {
	address := ""
	if p, ok := peer.FromContext(ctx); ok {
		address = p.Addr.String()
	}
	b.ledger.update(func() {
		b.ledger.streams[id] = &stream{peer: address, pending: map[string]*discoveryv3.DeltaDiscoveryResponse{}}
	})
	return nil
}

// OnDeltaStreamClosed implements delta.Callbacks.
func (b *bookkeeper) OnDeltaStreamClosed(id int64, _ *corev3.Node) {
	var gone *Node
	b.ledger.update(func() {
		s := b.ledger.streams[id]
		delete(b.ledger.streams, id)
		if s.node == nil {
			return
		}
		// A node that reconnects may be back before its old stream ends.
		for _, other := range b.ledger.streams {
			if other.node == s.node {
				return
			}
		}
		s.node.Connected, s.node.Since = false, time.Now()
		gone = s.node
	})
	if gone != nil {
		b.onNode(gone.ID, false)
	}
}

// OnStreamDeltaRequest implements delta.Callbacks.
func (b *bookkeeper) OnStreamDeltaRequest(id int64, request *discoveryv3.DeltaDiscoveryRequest) error {
	if !slices.Contains(snapshot.Types(), request.GetTypeUrl()) {
		return status.Errorf(codes.InvalidArgument, "no resources of type %q", request.GetTypeUrl())
	}
	var events []Event
	var came *Node
	var err error
	b.ledger.update(func() {
		s := b.ledger.streams[id]
		if s.node == nil {
			if s.node, err = b.ledger.connect(request.GetNode().GetId()); err != nil {
				return
			}
			came, s.since = s.node, time.Now()
		}
		if len(s.pending) > maxPending {
			err = status.Error(codes.ResourceExhausted, "too many responses are neither accepted nor refused")
			return
		}
		s.node.holds(request)
		if response, ok := s.pending[request.GetResponseNonce()]; ok {
			delete(s.pending, request.GetResponseNonce())
			events = s.node.answered(response, request)
		}
	})
	if came != nil {
		b.onNode(came.ID, true)
		time.AfterFunc(sharedAfter, func() { b.lookForOthers(id, came) })
	}
	for _, e := range events {
		b.onEvent(e)
	}
	return err
}

// lookForOthers reports a node if, besides the stream id, another of it is open.
func (b *bookkeeper) lookForOthers(id int64, node *Node) {
	b.ledger.mu.Lock()
	var shared *Shared
	if b.ledger.streams[id] != nil {
		shared = b.ledger.shared(node)
	}
	b.ledger.mu.Unlock()
	if shared != nil {
		b.onShare(shared)
	}
}

// OnStreamDeltaResponse implements delta.Callbacks.
func (b *bookkeeper) OnStreamDeltaResponse(id int64, _ *discoveryv3.DeltaDiscoveryRequest, response *discoveryv3.DeltaDiscoveryResponse) {
	b.ledger.update(func() {
		s := b.ledger.streams[id]
		s.pending[response.GetNonce()] = response
		for _, r := range response.GetResources() {
			s.node.edit(response.GetTypeUrl(), r.GetName(), func(d *Delivery) { d.Sent = r.GetVersion() })
		}
	})
}

// Bounds on what a client can make us remember: by ever new node ids, by
// asking without end and never answering, and by reports of nodes that never
// come.
const (
	maxNodes   = 10_000
	maxPending = 100
	maxEarly   = 1_000
	maxName    = 256 // bytes
)

// connect finds or makes the node called id. What was known of its resources
// is forgotten, for it may be another process: it says itself what it has.
func (s *ledger) connect(id string) (*Node, error) {
	if id == "" || len(id) > maxName {
		return nil, status.Error(codes.InvalidArgument, "the first request must name its node, in at most 256 bytes")
	}
	n := s.nodes[id]
	if n == nil {
		if len(s.nodes) == maxNodes {
			return nil, status.Error(codes.ResourceExhausted, "too many nodes")
		}
		n = &Node{ID: id, Revisions: s.takeEarly(id)}
		s.nodes[id] = n
	}
	n.Connected, n.Since = true, time.Now()
	n.Resources = map[ResourceKey]Delivery{}
	return n, nil
}

// holds notes what a node has from an earlier stream, and what it lets go.
func (n *Node) holds(request *discoveryv3.DeltaDiscoveryRequest) {
	for name, version := range request.GetInitialResourceVersions() {
		n.edit(request.GetTypeUrl(), name, func(d *Delivery) { d.Acked = version })
	}
	for _, name := range request.GetResourceNamesUnsubscribe() {
		delete(n.Resources, ResourceKey{request.GetTypeUrl(), name})
	}
}

// answered notes a node's ACK or NACK of response.
func (n *Node) answered(response *discoveryv3.DeltaDiscoveryResponse, request *discoveryv3.DeltaDiscoveryRequest) []Event {
	var events []Event
	refusal := request.GetErrorDetail()
	for _, r := range response.GetResources() {
		e := Event{Time: time.Now(), Node: n.ID, TypeURL: response.GetTypeUrl(), Name: r.GetName(), Version: r.GetVersion(), Nack: refusal != nil, Detail: refusal.GetMessage()}
		n.edit(e.TypeURL, e.Name, func(d *Delivery) {
			if e.Nack {
				d.Nacked, d.Detail = e.Version, e.Detail
			} else {
				d.Acked, d.Nacked, d.Detail = e.Version, "", ""
			}
		})
		events = append(events, e)
	}
	for _, name := range response.GetRemovedResources() {
		delete(n.Resources, ResourceKey{response.GetTypeUrl(), name})
	}
	return events
}

func (n *Node) edit(typeURL, name string, f func(*Delivery)) {
	key := ResourceKey{typeURL, name}
	d := n.Resources[key]
	f(&d)
	d.Time = time.Now()
	n.Resources[key] = d
}
