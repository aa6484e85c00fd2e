package snapshot

import (
	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	inputv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/common_inputs/stats/v3"
	sinkv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/stat_sinks/open_telemetry/v3"
	detectorsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/tracers/opentelemetry/resource_detectors/v3"
	"google.golang.org/protobuf/proto"

	"github.com/threatgate/threatgate/internal/violation"
)

// Heartbeat is a counter that every push has. Envoy lets go of some others
// with the listener that they belong to, and begins them again; and it pushes
// nothing where there is nothing, which would hide that.
const Heartbeat = "threatgate_heartbeat"

// Counter is one that Envoys push to the control plane.
type Counter struct {
	Name, Help string   // of Prometheus
	Labels     []string // which are tags in Envoy
	stat       string   // how Envoy's own name begins
}

// Counters are all that Envoys push, but for the Heartbeat.
func Counters() []Counter {
	const ofFilter = "wasmcustom." + violation.EnvoyPrefix
	return []Counter{
		{violation.RequestsTotal, "Requests that the filter has judged.",
			[]string{violation.LabelAPI, violation.LabelOperation, violation.LabelDecision},
			ofFilter + violation.RequestsTotal},
		{violation.ViolationsTotal, "Requests with a violation, by the one that decided.",
			[]string{violation.LabelAPI, violation.LabelOperation, violation.LabelFamily, violation.LabelCode, violation.LabelThreat, violation.LabelMode},
			ofFilter + violation.ViolationsTotal},
		{violation.RecordsDroppedTotal, "Violation records that the filter could not send.",
			nil, ofFilter + violation.RecordsDroppedTotal},
		{"threatgate_envoy_refusals_total", "Requests that Envoy itself has refused.",
			[]string{violation.LabelAPI, violation.LabelCode}, "threatgate.envoy_refusals_total"},
	}
}

// counterTags takes the labels out of the names of the filter's counters, for
// a filter can't give them otherwise. The expressions (ECMAScript) are of the
// form that Envoy tries on names of this prefix alone.
func counterTags() *metricsv3.StatsConfig {
	c := &metricsv3.StatsConfig{}
	for _, label := range violation.Labels() {
		part := `;` + label + `=([^;]*)`
		if label == violation.LabelOperation {
			part = `;` + label + `=([\s\S]*);` // all that is left
		}
		c.StatsTags = append(c.StatsTags, &metricsv3.TagSpecifier{
			TagName:  label,
			TagValue: &metricsv3.TagSpecifier_Regex{Regex: `^wasmcustom\.[^;]*(?:;(?!operation=)[^;]*)*?(` + part + `)`},
		})
	}
	return c
}

// counterSink pushes Counters, and nothing else of Envoy's hundreds of
// statistics: with each flush all of them in one OTLP request, as sums since
// the process began.
func counterSink(node string) *metricsv3.StatsSink {
	ours := map[string]*xdsmatcherv3.Matcher_OnMatch{
		"cluster_manager.cluster_added": act("rename", &sinkv3.SinkConfig_ConversionAction{MetricName: Heartbeat}),
	}
	for _, c := range Counters() {
		ours[c.stat] = act("rename", &sinkv3.SinkConfig_ConversionAction{MetricName: c.Name})
	}
	return &metricsv3.StatsSink{
		Name: "envoy.stat_sinks.open_telemetry",
		ConfigType: &metricsv3.StatsSink_TypedConfig{TypedConfig: pack(&sinkv3.SinkConfig{
			ProtocolSpecifier: &sinkv3.SinkConfig_GrpcService{GrpcService: &corev3.GrpcService{
				TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
					EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: violation.ControlPlaneCluster},
				},
			}},
			ResourceDetectors: []*corev3.TypedExtensionConfig{{
				Name: "envoy.tracers.opentelemetry.resource_detectors.static_config",
				TypedConfig: pack(&detectorsv3.StaticConfigResourceDetectorConfig{
					Attributes: map[string]string{violation.AttributeNode: node},
				}),
			}},
			CustomMetricConversions: &xdsmatcherv3.Matcher{
				MatcherType: &xdsmatcherv3.Matcher_MatcherTree_{MatcherTree: &xdsmatcherv3.Matcher_MatcherTree{
					Input:    &xdscorev3.TypedExtensionConfig{Name: "name", TypedConfig: pack(&inputv3.StatFullNameMatchInput{})},
					TreeType: &xdsmatcherv3.Matcher_MatcherTree_PrefixMatchMap{PrefixMatchMap: &xdsmatcherv3.Matcher_MatcherTree_MatchMap{Map: ours}},
				}},
				OnNoMatch: act("drop", &sinkv3.SinkConfig_DropAction{}),
			},
		})},
	}
}

func act(name string, action proto.Message) *xdsmatcherv3.Matcher_OnMatch {
	return &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Action{
		Action: &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: pack(action)},
	}}
}
