package snapshot

import (
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	statsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stats/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// accessLogs count in Envoy's own statistics what Envoy itself refuses. What
// the filter judges, it counts itself.
func accessLogs(service string) []*accesslogv3.AccessLog {
	return []*accesslogv3.AccessLog{
		counters(refusedByEnvoy(),
			counter("envoy_refusals_total", tag("api", escape(service)), tag("code", "%RESPONSE_CODE_DETAILS%"))),
	}
}

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
