package server

import (
	"errors"
	"maps"
	"slices"
	"sync"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/threatgate/threatgate/controlplane/snapshot"
)

// resources answers watches from the current snapshot, which all nodes
// share. It departs from go-control-plane's own caches in three ways.
//
// Each answer holds at most one changed resource. Envoy refuses an answer as
// a whole and does not look at what comes after the first bad resource in
// it; so one service's bad policy would keep the others' from arriving.
//
// A cluster stays with a node for as long as the node asks for the route to
// it: until the listener that was removed has drained.
//
// Envoy asks for routes and filters by name, and stops when their listener
// is gone; so they are never taken away from under it.
type resources struct {
	mu      sync.Mutex
	current *snapshot.Snapshot
	watches map[*watch]struct{}
}

// watch is one stream's standing request for one type. It is answered at
// most once; the stream then makes another.
type watch struct {
	request  *cache.DeltaRequest
	sub      cache.Subscription
	stream   chan cache.DeltaResponse
	answered bool
}

// set makes s current and answers the watches that it has news for, those
// for what others refer to first.
func (r *resources) set(s *snapshot.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = s
	for _, typeURL := range snapshot.Types() {
		for w := range r.watches {
			if w.request.GetTypeUrl() == typeURL {
				r.answer(w)
			}
		}
	}
}

// CreateDeltaWatch implements cache.ConfigWatcher.
func (r *resources) CreateDeltaWatch(request *cache.DeltaRequest, sub cache.Subscription, stream chan cache.DeltaResponse) (func(), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &watch{request: request, sub: sub, stream: stream}
	r.watches[w] = struct{}{}
	r.answer(w)
	if request.GetTypeUrl() == resource.RouteType {
		r.answerClusters(stream)
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watches, w)
	}, nil
}

// CreateWatch implements cache.ConfigWatcher. There is no state of the world.
func (r *resources) CreateWatch(*cache.Request, cache.Subscription, chan cache.Response) (func(), error) {
	return nil, errors.New("only delta xDS is served")
}

// answerClusters looks again at a stream's clusters: it may have let go of a
// route.
func (r *resources) answerClusters(stream chan cache.DeltaResponse) {
	for w := range r.watches {
		if w.stream == stream && w.request.GetTypeUrl() == resource.ClusterType {
			r.answer(w)
		}
	}
}

// answer sends the first change, by name, that w's stream does not have. The stream's channel has room for an answer of every type, so that
// sending does not block.
func (r *resources) answer(w *watch) {
	if w.answered || r.current == nil {
		return
	}
	typeURL := w.request.GetTypeUrl()
	have := w.sub.ReturnedResources()
	want := r.current.Resources(typeURL)
	response := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: typeURL}
	next := make(map[string]string, len(have)+1)
	for name, version := range have {
		_, wanted := want[name]
		if w.sub.IsWildcard() && !wanted && !r.inUse(w, name) {
			response.RemovedResources = append(response.RemovedResources, name)
			continue
		}
		next[name] = version
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		res := want[name]
		_, named := w.sub.SubscribedResources()[name]
		if (w.sub.IsWildcard() || named) && have[name] != res.Version {
			response.Resources = []*discoveryv3.Resource{{Name: name, Version: res.Version, Resource: res.Body}}
			next[name] = res.Version
			break
		}
	}
	if len(response.Resources)+len(response.RemovedResources) == 0 && !r.first(w) {
		return
	}
	w.answered = true
	w.stream <- &cache.DeltaPassthroughResponse{DeltaRequest: w.request, NextVersionMap: next, DeltaDiscoveryResponse: response}
}

// first reports whether w opens its type on its stream. Envoy waits for an
// answer to that before it goes on, be it empty.
func (r *resources) first(w *watch) bool {
	return w.sub.IsWildcard() && w.request.GetResponseNonce() == ""
}

// inUse reports whether w is for clusters and its stream still asks for the
// route to the cluster called name.
func (r *resources) inUse(w *watch, name string) bool {
	if w.request.GetTypeUrl() != resource.ClusterType {
		return false
	}
	for other := range r.watches {
		if other.stream == w.stream && other.request.GetTypeUrl() == resource.RouteType {
			if _, ok := other.sub.SubscribedResources()[name]; ok {
				return true
			}
		}
	}
	return false
}
