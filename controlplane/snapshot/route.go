package snapshot

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/threatgate/threatgate/internal/compile"
)

// newRoute sends everything to the service's upstream, without a time limit
// and without retries: what the client and the upstream agree on stays theirs.
func newRoute(r *compile.Release) *routev3.RouteConfiguration {
	service := r.Gateway.Service
	return &routev3.RouteConfiguration{
		Name: service,
		VirtualHosts: []*routev3.VirtualHost{{
			Name:    service,
			Domains: []string{"*"},
			Routes: []*routev3.Route{{
				Name:  service,
				Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
				// Without this it is the listener's buffer or, for HTTP/2, a
				// stream's window that limits a body.
				RequestBodyBufferLimit: wrapperspb.UInt64(bufferLimit(&r.Gateway)),
				Action: &routev3.Route_Route{Route: &routev3.RouteAction{
					ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: service},
					Timeout:          durationpb.New(0),
				}},
				Metadata: &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{
					"threatgate": {Fields: map[string]*structpb.Value{"revision": structpb.NewStringValue(r.Revision())}},
				}},
			}},
		}},
	}
}
