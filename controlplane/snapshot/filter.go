package snapshot

import (
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	httpwasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/threatgate/threatgate/internal/compile"
)

// reloadInterval is how long a failed VM stays down before Envoy tries
// another.
const reloadInterval = time.Second

// Names of a service's ECDS resources.
func policyFilter(service string) string    { return service + "/policy" }
func tokenFilter(g *compile.Gateway) string { return g.Service + "/tokens" }

// filterNames lists the filters that a request passes, in order, before the
// router.
func filterNames(g *compile.Gateway) []string {
	if len(g.Issuers) > 0 {
		return []string{tokenFilter(g), policyFilter(g.Service)}
	}
	return []string{policyFilter(g.Service)}
}

// discovered is a filter whose configuration comes by ECDS. The listener
// waits for it however long that takes: it must not serve unjudged.
func discovered(name, typeURL string) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{
		Name: name,
		ConfigType: &hcmv3.HttpFilter_ConfigDiscovery{ConfigDiscovery: &corev3.ExtensionConfigSource{
			ConfigSource: byADS(),
			TypeUrls:     []string{typeURL},
		}},
	}
}

func byADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		InitialFetchTimeout:   durationpb.New(0),
	}
}

// newPolicyFilter is the Wasm filter with its policy. All but the policy and
// the failure policy is the same for every service and release, so that one
// VM for each worker serves them all; another those whose responses are
// judged, for each callback costs every request, needed or not.
func newPolicyFilter(r *compile.Release, env Environment) *corev3.TypedExtensionConfig {
	g := &r.Gateway
	failure := wasmv3.FailurePolicy_FAIL_RELOAD
	if g.AllShadow {
		failure = wasmv3.FailurePolicy_FAIL_OPEN
	}
	vm := "threatgate"
	if g.Responses {
		vm = "threatgate/responses"
	}
	return &corev3.TypedExtensionConfig{
		Name: policyFilter(g.Service),
		TypedConfig: pack(&httpwasmv3.Wasm{Config: &wasmv3.PluginConfig{
			Name:   g.Service,
			RootId: g.Service,
			Vm: &wasmv3.PluginConfig_VmConfig{VmConfig: &wasmv3.VmConfig{
				VmId:    vm,
				Runtime: "envoy.wasm.runtime.v8",
				Code: &corev3.AsyncDataSource{Specifier: &corev3.AsyncDataSource_Local{Local: &corev3.DataSource{
					Specifier: &corev3.DataSource_Filename{Filename: env.WasmPath},
				}}},
				// Linear memory never shrinks, so the heap's peak is what counts.
				EnvironmentVariables:        &wasmv3.EnvironmentVariables{KeyValues: map[string]string{"GOGC": "50"}},
				CapabilityRestrictionConfig: capabilities(g.Responses),
			}},
			Configuration:               pack(wrapperspb.Bytes(r.Bundle)),
			FailurePolicy:               failure,
			ReloadConfig:                &wasmv3.ReloadConfig{Backoff: &corev3.BackoffStrategy{BaseInterval: durationpb.New(reloadInterval)}},
			AllowOnHeadersStopIteration: wrapperspb.Bool(true),
		}}),
	}
}

// capabilities allows the module exactly what it uses: its host calls, what
// Go's runtime asks of WASI, and its callbacks, those for responses if there
// is a use for them. A host call that is not listed fails, and a callback that
// is not listed is never called; a test compares the lists with the module.
func capabilities(responses bool) *wasmv3.CapabilityRestrictionConfig {
	names := alwaysAllowed
	if responses {
		names = slices.Concat(names, allowedForResponses)
	}
	allowed := map[string]*wasmv3.SanitizationConfig{}
	for _, name := range names {
		allowed[name] = &wasmv3.SanitizationConfig{}
	}
	return &wasmv3.CapabilityRestrictionConfig{AllowedCapabilities: allowed}
}

var (
	alwaysAllowed = []string{
		"proxy_log",
		"proxy_get_header_map_pairs",
		"proxy_remove_header_map_value",
		"proxy_get_buffer_bytes",
		"proxy_send_local_response",
		"proxy_get_property",
		"proxy_get_shared_data",
		"proxy_set_shared_data",
		"proxy_define_metric",
		"proxy_increment_metric",
		"proxy_set_effective_context",
		"proxy_http_call",
		"proxy_set_tick_period_milliseconds",

		"args_get",
		"args_sizes_get",
		"clock_time_get",
		"environ_get",
		"environ_sizes_get",
		"fd_write",
		"poll_oneoff",
		"proc_exit",
		"random_get",
		"sched_yield",

		"proxy_on_vm_start",
		"proxy_on_configure",
		"proxy_on_context_create",
		"proxy_on_request_headers",
		"proxy_on_request_body",
		"proxy_on_request_trailers",
		"proxy_on_http_call_response",
		"proxy_on_tick",
		"proxy_on_delete",
	}
	allowedForResponses = []string{
		"proxy_replace_header_map_value",

		"proxy_on_response_headers",
		"proxy_on_response_body",
		"proxy_on_response_trailers",
	}
)

// newTokenFilter verifies bearer tokens and refuses nothing: what it finds
// goes to the policy filter, which decides for each operation. A token that
// does not verify leaves no payload header.
func newTokenFilter(g *compile.Gateway) *corev3.TypedExtensionConfig {
	providers := map[string]*jwtv3.JwtProvider{}
	var any []*jwtv3.JwtRequirement
	for _, i := range g.Issuers {
		providers[i.ID] = &jwtv3.JwtProvider{
			Issuer:    i.Issuer,
			Audiences: i.Audiences,
			JwksSourceSpecifier: &jwtv3.JwtProvider_LocalJwks{LocalJwks: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineString{InlineString: i.JWKS},
			}},
			Forward: true,
			// Said outright, for the default also reads a query parameter.
			FromHeaders:            []*jwtv3.JwtHeader{{Name: "Authorization", ValuePrefix: "Bearer "}},
			ForwardPayloadHeader:   i.PayloadHeader,
			FailedStatusInMetadata: "status",
			ClockSkewSeconds:       clockSkew,
			RequireExpiration:      true,
		}
		any = append(any, &jwtv3.JwtRequirement{RequiresType: &jwtv3.JwtRequirement_ProviderName{ProviderName: i.ID}})
	}
	any = append(any, &jwtv3.JwtRequirement{RequiresType: &jwtv3.JwtRequirement_AllowMissingOrFailed{AllowMissingOrFailed: &emptypb.Empty{}}})
	return &corev3.TypedExtensionConfig{
		Name: tokenFilter(g),
		TypedConfig: pack(&jwtv3.JwtAuthentication{
			Providers: providers,
			Rules: []*jwtv3.RequirementRule{{
				Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
				RequirementType: &jwtv3.RequirementRule_Requires{Requires: &jwtv3.JwtRequirement{
					RequiresType: &jwtv3.JwtRequirement_RequiresAny{RequiresAny: &jwtv3.JwtRequirementOrList{Requirements: any}},
				}},
			}},
		}),
	}
}

const clockSkew = 60 // seconds
