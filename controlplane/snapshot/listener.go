package snapshot

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	httpwasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/violation"
)

const (
	connectionBuffer = 1 << 20 // bytes, about the most that is read at once

	requestHeadersTimeout = 10 * time.Second
	streamIdleTimeout     = 5 * time.Minute
	connectionIdleTimeout = 5 * time.Minute
	maxRequestHeadersKiB  = 60
	maxHeaders            = 100
	maxStreams            = 100 // of one HTTP/2 connection
	streamWindow          = 64 << 10
	connectionWindow      = 1 << 20
)

// newListener is where a service's clients come in. It changes only if the
// service's address, upgrades, issuers or limits do.
func newListener(g *compile.Gateway) (*listenerv3.Listener, error) {
	host, text, err := net.SplitHostPort(g.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening address: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if _, ipErr := netip.ParseAddr(host); ipErr != nil || err != nil {
		return nil, fmt.Errorf("listening address %s: not IP:port", g.Listen)
	}
	return &listenerv3.Listener{
		Name:                          g.Service,
		Address:                       tcpAddress(host, uint32(port)),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBuffer),
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(newConnectionManager(g))},
		}}}},
	}, nil
}

// bufferLimit is how many bytes of a body Envoy holds for judging. It refuses
// a body over that before the filter sees what came last. So that the filter
// is the one to refuse what is too large for the policy, there is room for
// all that a read may bring on top of it.
func bufferLimit(g *compile.Gateway) uint64 {
	return uint64(g.MaxBody) + 2*connectionBuffer
}

// newConnectionManager sets what Envoy itself makes of HTTP. It refuses only
// what is malformed or over a limit; all else is the policy's business, or
// shadow would change what passes.
func newConnectionManager(g *compile.Gateway) *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		StatPrefix: g.Service,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{
			RouteConfigName: g.Service,
			ConfigSource:    byADS(),
		}},
		HttpFilters: httpFilters(g),
		AccessLog:   accessLogs(g.Service),

		// Paths: normal where that is certain; the policy judges the rest.
		NormalizePath:                wrapperspb.Bool(true),
		MergeSlashes:                 true,
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_KEEP_UNCHANGED,
		StripTrailingHostDot:         true,

		// Identity: the peer's address, and no header of the client's.
		UseRemoteAddress:              wrapperspb.Bool(true),
		InternalAddressConfig:         &hcmv3.HttpConnectionManager_InternalAddressConfig{CidrRanges: nobody()},
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{removeReserved()},
		ServerHeaderTransformation:    hcmv3.HttpConnectionManager_PASS_THROUGH,

		// Limits.
		RequestHeadersTimeout: durationpb.New(requestHeadersTimeout),
		StreamIdleTimeout:     durationpb.New(streamIdleTimeout),
		MaxRequestHeadersKb:   wrapperspb.UInt32(maxRequestHeadersKiB),
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:                  durationpb.New(connectionIdleTimeout),
			MaxHeadersCount:              wrapperspb.UInt32(maxHeaders),
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_ALLOW,
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(maxStreams),
			InitialStreamWindowSize:     wrapperspb.UInt32(streamWindow),
			InitialConnectionWindowSize: wrapperspb.UInt32(connectionWindow),
			AllowConnect:                true, // WebSockets over HTTP/2, RFC 8441
		},

		HttpProtocolOptions: &corev3.Http1ProtocolOptions{
			// Else Envoy closes the connection with every 400, the filter's too.
			// Where it has lost track of the message it does so in any case.
			OverrideStreamErrorOnInvalidHttpMessage: wrapperspb.Bool(true),
			EnableTrailers:                          true,
			AcceptHttp_10:                           true, // old, but neither malformed nor over a limit
			// Some clients offer TLS with every request (RFC 2817), and mean
			// nothing by it. Envoy would refuse them.
			IgnoreHttp_11Upgrade: []*matcherv3.StringMatcher{{
				MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: "TLS/"},
				IgnoreCase:   true,
			}},
		},
		// Without this Envoy refuses WebSockets before the policy sees them.
		UpgradeConfigs: []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}},

		LocalReplyConfig: localReplies(),
	}
}

func httpFilters(g *compile.Gateway) []*hcmv3.HttpFilter {
	var filters []*hcmv3.HttpFilter
	for _, name := range filterNames(g) {
		var config proto.Message = &httpwasmv3.Wasm{}
		if name == tokenFilter(g) {
			config = &jwtv3.JwtAuthentication{}
		}
		filters = append(filters, discovered(name, pack(config).TypeUrl))
	}
	return append(filters, &hcmv3.HttpFilter{
		Name: "envoy.filters.http.router",
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(&routerv3.Router{
			SuppressEnvoyHeaders: true,
		})},
	})
}

// nobody is a range without clients: were there none, all private addresses
// would count as internal, and theirs x-envoy headers be obeyed.
func nobody() []*corev3.CidrRange {
	return []*corev3.CidrRange{{AddressPrefix: "255.255.255.255", PrefixLen: wrapperspb.UInt32(32)}}
}

// removeReserved runs before anything else looks at a request.
func removeReserved() *corev3.TypedExtensionConfig {
	return &corev3.TypedExtensionConfig{
		Name: "envoy.http.early_header_mutation.header_mutation",
		TypedConfig: pack(&earlyv3.HeaderMutation{Mutations: []*mutationv3.HeaderMutation{{
			Action: &mutationv3.HeaderMutation_RemoveOnMatch_{RemoveOnMatch: &mutationv3.HeaderMutation_RemoveOnMatch{
				KeyMatcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: violation.ReservedHeaders}},
			}},
		}}}),
	}
}
