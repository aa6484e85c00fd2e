package snapshot

import (
	"net/netip"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/threatgate/threatgate/internal/compile"
)

const (
	connectTimeout = 2 * time.Second

	// upstreamIdle is less than the five seconds after which common servers
	// close an idle connection: of two that close, the loser's request fails.
	upstreamIdle = 4 * time.Second

	upstreamBuffer = 1 << 20 // bytes
)

// newCluster leads to a service's upstream, by HTTP/1.1.
func newCluster(g *compile.Gateway, env Environment) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                 g.Service,
		ConnectTimeout:       durationpb.New(connectTimeout),
		ClusterDiscoveryType: discovery(g.Upstream.Host),
		// Where localhost is ::1 as well, most servers listen on 127.0.0.1.
		DnsLookupFamily:               clusterv3.Cluster_V4_PREFERRED,
		LoadAssignment:                endpoints(g.Service, tcpAddress(g.Upstream.Host, uint32(g.Upstream.Port))),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(upstreamBuffer),
		// How many connections there are is limited where they come in.
		CircuitBreakers: &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
			MaxConnections:     wrapperspb.UInt32(maxConnections),
			MaxPendingRequests: wrapperspb.UInt32(maxConnections),
			MaxRequests:        wrapperspb.UInt32(maxConnections),
		}}},
		TypedExtensionProtocolOptions: httpOptions(&httpv3.HttpProtocolOptions{
			CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{IdleTimeout: durationpb.New(upstreamIdle)},
			UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
					HttpProtocolOptions: &corev3.Http1ProtocolOptions{EnableTrailers: true},
				},
			}},
		}),
	}
	if g.Upstream.TLS {
		c.TransportSocket = upstreamTLS(g.Upstream.Host, env.Roots)
	}
	return c
}

// discovery is by address, or by DNS where host is a name.
func discovery(host string) *clusterv3.Cluster_Type {
	if isIP(host) {
		return &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
	}
	return &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS}
}

// upstreamTLS verifies that the server is host. Envoy has no system roots of
// its own; without roots it would trust anyone.
func upstreamTLS(host, roots string) *corev3.TransportSocket {
	sni := host
	if isIP(host) {
		sni = "" // RFC 6066, section 3: no literal addresses
	}
	return &corev3.TransportSocket{
		Name: "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(&tlsv3.UpstreamTlsContext{
			Sni: sni,
			CommonTlsContext: &tlsv3.CommonTlsContext{
				ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
					TrustedCa:                 file(roots),
					MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{serverName(host)},
				}},
			},
		})},
	}
}

// serverName matches a certificate for a DNS name or an IP address.
func serverName(name string) *tlsv3.SubjectAltNameMatcher {
	san := tlsv3.SubjectAltNameMatcher_DNS
	if isIP(name) {
		san = tlsv3.SubjectAltNameMatcher_IP_ADDRESS
	}
	return &tlsv3.SubjectAltNameMatcher{
		SanType: san,
		Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: name}},
	}
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// endpoints is a cluster's single endpoint.
func endpoints(cluster string, address *corev3.Address) *endpointv3.ClusterLoadAssignment {
	return &endpointv3.ClusterLoadAssignment{
		ClusterName: cluster,
		Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: address}},
		}}}},
	}
}

func httpOptions(o *httpv3.HttpProtocolOptions) map[string]*anypb.Any {
	return map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(o)}
}

func tcpAddress(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}
