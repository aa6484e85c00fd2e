package snapshot

import (
	"fmt"
	"maps"
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// reference names another resource.
type reference struct{ typeURL, name string }

// dangling returns an error for each reference to a resource that s lacks.
// Envoy would accept such resources, and answer 500, 503 or not at all.
func (s *Snapshot) dangling() []error {
	var errs []error
	for _, typeURL := range Types() {
		for _, name := range slices.Sorted(maps.Keys(s.resources[typeURL])) {
			r := s.resources[typeURL][name]
			for _, to := range references(r) {
				if _, ok := s.resources[to.typeURL][to.name]; !ok {
					errs = append(errs, fmt.Errorf("service %s: %s %q refers to %s %q, which is missing", r.Service, typeURL, name, to.typeURL, to.name))
				}
			}
		}
	}
	return errs
}

// references lists what a resource of ours refers to.
func references(r Resource) []reference {
	switch m := unpack(r.Body).(type) {
	case *routev3.RouteConfiguration:
		return routeReferences(m)
	case *listenerv3.Listener:
		var refs []reference
		for _, chain := range m.GetFilterChains() {
			for _, filter := range chain.GetFilters() {
				refs = append(refs, managerReferences(unpack(filter.GetTypedConfig()).(*hcmv3.HttpConnectionManager))...)
			}
		}
		return refs
	}
	return nil
}

func routeReferences(c *routev3.RouteConfiguration) []reference {
	var refs []reference
	for _, host := range c.GetVirtualHosts() {
		for _, route := range host.GetRoutes() {
			refs = append(refs, reference{resource.ClusterType, route.GetRoute().GetCluster()})
		}
	}
	return refs
}

func managerReferences(m *hcmv3.HttpConnectionManager) []reference {
	refs := []reference{{resource.RouteType, m.GetRds().GetRouteConfigName()}}
	for _, filter := range m.GetHttpFilters() {
		if filter.GetConfigDiscovery() != nil {
			refs = append(refs, reference{resource.ExtensionConfigType, filter.GetName()})
		}
	}
	return refs
}
