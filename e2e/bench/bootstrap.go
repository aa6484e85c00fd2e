package main

import (
	"fmt"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	httpwasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// release compiles the specification, as `threatgate run` does.
func release(listen, upstream string, mode violation.Mode) (*compile.Release, error) {
	diags := &diag.List{}
	rules := threat.LoadCatalogue(policies.FS, diags)
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	out := pipeline.Run(pipeline.Input{
		Spec: "spec.yaml", Upstream: upstream, Listen: listen, Mode: &mode, Catalogue: rules,
		ReadFile: func(string) ([]byte, error) { return spec, nil },
	})
	if out.Diags.HasErrors() {
		return nil, out.Diags.Err()
	}
	return out.Releases[0], nil
}

// bootstrap is what Envoy needs for a peer of ours: the listener, route and
// cluster that the control plane would give it, with another filter or none,
// and without access loggers.
func bootstrap(listen, upstream string, filters []*hcmv3.HttpFilter, clusters []*clusterv3.Cluster) ([]byte, error) {
	r, err := release(listen, upstream, violation.Enforce)
	if err != nil {
		return nil, err
	}
	s, err := snapshot.Build([]*compile.Release{r}, snapshot.Environment{WasmPath: "/unused"})
	if err != nil {
		return nil, err
	}
	listener, route, cluster, manager := &listenerv3.Listener{}, &routev3.RouteConfiguration{}, &clusterv3.Cluster{}, &hcmv3.HttpConnectionManager{}
	for typeURL, m := range map[string]proto.Message{resource.ListenerType: listener, resource.RouteType: route, resource.ClusterType: cluster} {
		if err := s.Resources(typeURL)[r.Service].Body.UnmarshalTo(m); err != nil {
			return nil, err
		}
	}
	network := listener.FilterChains[0].Filters[0]
	if err := network.GetTypedConfig().UnmarshalTo(manager); err != nil {
		return nil, err
	}
	manager.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: route}
	manager.AccessLog = nil
	router := manager.HttpFilters[len(manager.HttpFilters)-1]
	manager.HttpFilters = append(filters, router)
	network.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: pack(manager)}
	return protojson.Marshal(&bootstrapv3.Bootstrap{StaticResources: &bootstrapv3.Bootstrap_StaticResources{
		Listeners: []*listenerv3.Listener{listener},
		Clusters:  append(clusters, cluster),
	}})
}

// readerFilter is the filter that only reads. Its VM is set up as ours.
func readerFilter(path string) *hcmv3.HttpFilter {
	return filter("reader", &httpwasmv3.Wasm{Config: &wasmv3.PluginConfig{
		Name: "reader",
		Vm: &wasmv3.PluginConfig_VmConfig{VmConfig: &wasmv3.VmConfig{
			VmId:    "reader",
			Runtime: "envoy.wasm.runtime.v8",
			Code: &corev3.AsyncDataSource{Specifier: &corev3.AsyncDataSource_Local{Local: &corev3.DataSource{
				Specifier: &corev3.DataSource_Filename{Filename: path},
			}}},
			EnvironmentVariables: &wasmv3.EnvironmentVariables{KeyValues: map[string]string{"GOGC": "50"}},
		}},
		AllowOnHeadersStopIteration: wrapperspb.Bool(true),
	}})
}

const peerCluster = "peer"

// peerFilter sends requests, and no responses, to the peer.
func peerFilter() *hcmv3.HttpFilter {
	return filter("peer", &extprocv3.ExternalProcessor{
		GrpcService: &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
			EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: peerCluster},
		}},
		ProcessingMode: &extprocv3.ProcessingMode{
			RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
			RequestBodyMode:     extprocv3.ProcessingMode_BUFFERED,
			RequestTrailerMode:  extprocv3.ProcessingMode_SKIP,
			ResponseHeaderMode:  extprocv3.ProcessingMode_SKIP,
			ResponseBodyMode:    extprocv3.ProcessingMode_NONE,
			ResponseTrailerMode: extprocv3.ProcessingMode_SKIP,
		},
		MessageTimeout: durationpb.New(10 * time.Second), // the machine may be busy
	})
}

func newPeerCluster(socket string) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:           peerCluster,
		ConnectTimeout: durationpb.New(time.Second),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{ClusterName: peerCluster, Endpoints: []*endpointv3.LocalityLbEndpoints{{
			LbEndpoints: []*endpointv3.LbEndpoint{{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
				Address: &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: socket}}},
			}}}},
		}}},
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(&httpv3.HttpProtocolOptions{
				UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: &corev3.Http2ProtocolOptions{}},
				}},
			}),
		},
	}
}

func filter(name string, config proto.Message) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(config)}}
}

func pack(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		panic(fmt.Sprintf("%T: %v", m, err)) // a message of ours
	}
	return a
}
