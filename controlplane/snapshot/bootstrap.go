package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/threatgate/threatgate/internal/violation"
)

// maxConnections limits the clients' connections to one Envoy, over all
// listeners.
const maxConnections = 20_000

// BootstrapOptions are what differs between one Envoy's bootstrap and
// another's. Addresses are IP:port, or absolute paths of Unix sockets.
type BootstrapOptions struct {
	Node         string // unique among the control plane's nodes
	Admin        string
	ControlPlane string
	TLS          *TLSFiles // to the control plane; nil: plain text, for loopback and Unix sockets
	PushCounters bool      // to the control plane, where that cannot read them at Admin
}

// TLSFiles are paths of PEM files, as Envoy sees them.
type TLSFiles struct {
	Certificate, Key string // the node's own
	CA               string // whose certificates the control plane may have
	ServerName       string // that the control plane's certificate must have
}

// DefaultBootstrap is for an Envoy beside its control plane.
func DefaultBootstrap() BootstrapOptions {
	return BootstrapOptions{Node: "threatgate-local", Admin: "127.0.0.1:9901", ControlPlane: "127.0.0.1:18000", PushCounters: true}
}

const bootstrapHeader = `# Envoy's bootstrap: where its control plane is. Everything else comes from there.
#
#     envoy --disable-hot-restart -c envoy.yaml
#
# Without --disable-hot-restart a second Envoy on this machine does not start.
`

// Bootstrap writes Envoy's bootstrap configuration as YAML.
func Bootstrap(o BootstrapOptions) ([]byte, error) {
	if o.Node == "" {
		return nil, errors.New("the id of the node (--node) is empty")
	}
	admin, err := parseAddress(o.Admin)
	if err != nil {
		return nil, fmt.Errorf("admin address (--envoy-admin): %w", err)
	}
	controlPlane, err := parseAddress(o.ControlPlane)
	if err != nil {
		return nil, fmt.Errorf("control plane address (--xds): %w", err)
	}
	b := &bootstrapv3.Bootstrap{
		Node:  &corev3.Node{Id: o.Node, Cluster: "threatgate"},
		Admin: &bootstrapv3.Admin{Address: admin},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			AdsConfig: adsConfig(),
			LdsConfig: byADS(),
			CdsConfig: byADS(),
		},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Clusters: []*clusterv3.Cluster{controlPlaneCluster(controlPlane, o.TLS)},
		},
		OverloadManager: &overloadv3.OverloadManager{
			ResourceMonitors: []*overloadv3.ResourceMonitor{{
				Name: "envoy.resource_monitors.global_downstream_max_connections",
				ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: pack(&connectionsv3.DownstreamConnectionsConfig{
					MaxActiveDownstreamConnections: maxConnections,
				})},
			}},
		},
	}
	b.StatsConfig = counterTags()
	if o.PushCounters {
		b.StatsSinks = []*metricsv3.StatsSink{counterSink(o.Node)}
		b.StatsFlushInterval = durationpb.New(time.Second)
	}
	if err := b.ValidateAll(); err != nil {
		return nil, err
	}
	text, err := toYAML(b)
	return append([]byte(bootstrapHeader), text...), err
}

// adsConfig keeps one stream for all types. After a restart of the control
// plane Envoy is back within seconds, not the half minute of its default.
func adsConfig() *corev3.ApiConfigSource {
	return &corev3.ApiConfigSource{
		ApiType:                   corev3.ApiConfigSource_DELTA_GRPC,
		TransportApiVersion:       corev3.ApiVersion_V3,
		SetNodeOnFirstMessageOnly: true,
		GrpcServices: []*corev3.GrpcService{{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
			EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
				ClusterName: violation.ControlPlaneCluster,
				RetryPolicy: &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
					BaseInterval: durationpb.New(200 * time.Millisecond),
					MaxInterval:  durationpb.New(2 * time.Second),
				}},
			},
		}}},
	}
}

func controlPlaneCluster(address *corev3.Address, files *TLSFiles) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                 violation.ControlPlaneCluster,
		ConnectTimeout:       durationpb.New(time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		LoadAssignment:       endpoints(violation.ControlPlaneCluster, address),
		TypedExtensionProtocolOptions: httpOptions(&httpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &corev3.Http2ProtocolOptions{ConnectionKeepalive: &corev3.KeepaliveSettings{
						Interval: durationpb.New(30 * time.Second),
						Timeout:  durationpb.New(5 * time.Second),
					}},
				},
			}},
		}),
	}
	if files != nil {
		c.TransportSocket = controlPlaneTLS(files)
	}
	return c
}

func controlPlaneTLS(f *TLSFiles) *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name: "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(&tlsv3.UpstreamTlsContext{
			Sni: f.ServerName,
			CommonTlsContext: &tlsv3.CommonTlsContext{
				TlsParams:       &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_3, TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3},
				TlsCertificates: []*tlsv3.TlsCertificate{{CertificateChain: file(f.Certificate), PrivateKey: file(f.Key)}},
				ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
					TrustedCa:                 file(f.CA),
					MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{serverName(f.ServerName)},
				}},
			},
		})},
	}
}

func file(path string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: path}}
}

// parseAddress reads IP:port or the absolute path of a Unix socket.
func parseAddress(s string) (*corev3.Address, error) {
	if filepath.IsAbs(s) {
		return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: s}}}, nil
	}
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || net.ParseIP(host) == nil {
		return nil, fmt.Errorf("%s: neither IP:port nor an absolute path", s)
	}
	return tcpAddress(host, uint32(port)), nil
}

// toYAML keeps the fields in their order in Envoy's own definitions.
func toYAML(m proto.Message) ([]byte, error) {
	json, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(json, &document); err != nil {
		return nil, err
	}
	blockStyle(&document)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err = encoder.Encode(&document)
	return out.Bytes(), err
}

// blockStyle undoes the style that the nodes have from JSON.
func blockStyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		blockStyle(child)
	}
}
