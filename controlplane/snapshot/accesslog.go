package snapshot

import (
	"strings"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	otelv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/open_telemetry/v3"
	statsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stats/v3"
	transformv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/actions/transform_stat/v3"
	inputv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/common_inputs/stats/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/threatgate/threatgate/internal/violation"
)

// Attributes of a log record, besides those of the filter state, which go by
// their own keys ("tg.operation").
const (
	AttributeAPI          = "api"
	AttributeRequestID    = "request_id"
	AttributeResponseCode = "response_code"
)

// accessLogs count every judged request in Envoy's own statistics, which are
// exact, and send what was violated to the control plane, which may be lost.
// Neither holds a path, a header or any other value of the client's.
func accessLogs(service string) []*accesslogv3.AccessLog {
	api := tag("api", escape(service))
	return []*accesslogv3.AccessLog{
		counters(nil,
			counter("requests_total",
				unlessAbsent(tag("operation", state(violation.StateOperation))),
				api,
				whereAbsent(tag("decision", state(violation.StateDecision)), violation.Allowed.String())),
			counter("violations_total",
				unlessAbsent(tag("code", state(violation.StateCode))),
				api,
				tag("operation", state(violation.StateOperation)),
				tag("family", state(violation.StateFamily)),
				tag("threat", state(violation.StateThreat)),
				tag("mode", state(violation.StateMode)))),
		counters(refusedByEnvoy(),
			counter("envoy_refusals_total", api, tag("code", "%RESPONSE_CODE_DETAILS%"))),
		records(service),
	}
}

// state is the format of a value that the filter wrote.
func state(key string) string { return "%FILTER_STATE(wasm." + key + ":PLAIN)%" }

// escape is text as a format that stands for itself.
func escape(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// counters count requests that filter lets through, under Envoy's names
// threatgate.<name>, which its Prometheus page shows as envoy_threatgate_<name>.
func counters(filter *accesslogv3.AccessLogFilter, list ...*statsv3.Config_Counter) *accesslogv3.AccessLog {
	return &accesslogv3.AccessLog{
		Name:   "envoy.access_loggers.stats",
		Filter: filter,
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(&statsv3.Config{
			StatsScope: &typev3.Scope{Prefix: "threatgate"},
			Counters:   list,
		})},
	}
}

func counter(name string, tags ...*statsv3.Config_Tag) *statsv3.Config_Counter {
	return &statsv3.Config_Counter{Stat: &statsv3.Config_Stat{Name: name, Tags: tags}, ValueFixed: wrapperspb.UInt64(1)}
}

func tag(name, format string) *statsv3.Config_Tag {
	return &statsv3.Config_Tag{Name: name, ValueFormat: format}
}

// unlessAbsent drops the count where the tag has no value. It costs next to
// nothing, where a CEL filter costs as much as the counter; and it comes
// first among the tags, so that the others are not formatted in vain.
func unlessAbsent(t *statsv3.Config_Tag) *statsv3.Config_Tag {
	return absent(t, &transformv3.TransformStat{DropStat: &transformv3.TransformStat_DropStat{}})
}

// whereAbsent gives the tag this value where it has none.
func whereAbsent(t *statsv3.Config_Tag, value string) *statsv3.Config_Tag {
	return absent(t, &transformv3.TransformStat{UpdateTag: &transformv3.TransformStat_UpdateTag{NewTagValue: value}})
}

// absent says what happens where the tag has no value.
func absent(t *statsv3.Config_Tag, then *transformv3.TransformStat) *statsv3.Config_Tag {
	action := &xdscorev3.TypedExtensionConfig{Name: "absent", TypedConfig: pack(then)}
	t.Rules = &xdsmatcherv3.Matcher{MatcherType: &xdsmatcherv3.Matcher_MatcherTree_{MatcherTree: &xdsmatcherv3.Matcher_MatcherTree{
		Input: &xdscorev3.TypedExtensionConfig{Name: "value", TypedConfig: pack(&inputv3.StatTagValueInput{})},
		TreeType: &xdsmatcherv3.Matcher_MatcherTree_ExactMatchMap{ExactMatchMap: &xdsmatcherv3.Matcher_MatcherTree_MatchMap{
			Map: map[string]*xdsmatcherv3.Matcher_OnMatch{"": {OnMatch: &xdsmatcherv3.Matcher_OnMatch_Action{Action: action}}},
		}},
	}}}
	return t
}

// written is a CEL condition: the filter wrote the key.
func written(key string) string { return `"wasm.` + key + `" in filter_state` }

func records(service string) *accesslogv3.AccessLog {
	attributes := []*commonv1.KeyValue{
		attribute(AttributeAPI, escape(service)),
		attribute(AttributeRequestID, "%REQ(X-REQUEST-ID)%"),
		attribute(AttributeResponseCode, "%RESPONSE_CODE%"),
	}
	for _, key := range []string{violation.StateOperation, violation.StateDecision, violation.StateMode, violation.StateRecords, violation.StateReport} {
		attributes = append(attributes, attribute(key, state(key)))
	}
	return &accesslogv3.AccessLog{
		Name:   "envoy.access_loggers.open_telemetry",
		Filter: when(written(violation.StateRecords) + " || " + written(violation.StateReport)),
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(&otelv3.OpenTelemetryAccessLogConfig{
			GrpcService: &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
				EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: ControlPlaneCluster},
			}},
			LogName:    "threatgate",
			StatPrefix: "threatgate",
			Attributes: &commonv1.KeyValueList{Values: attributes},
		})},
	}
}

func attribute(key, format string) *commonv1.KeyValue {
	return &commonv1.KeyValue{Key: key, Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: format}}}
}
