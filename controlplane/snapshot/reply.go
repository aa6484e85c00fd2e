package snapshot

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	celv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/threatgate/threatgate/internal/violation"
)

// refusedByEnvoy matches Envoy's own 4xx replies, its 501 for an unknown
// transfer coding, and those for a filter that is down. An upstream that
// fails stays Envoy's plain 503 or 504.
func refusedByEnvoy() *accesslogv3.AccessLogFilter {
	// The status goes first, for CEL costs about a microsecond.
	return all(statusFrom(400), when(
		`(response.code < 500 || response.code == 501) && response.code_details != "via_upstream" && !response.code_details.startsWith("`+violation.ReplyDetails+`")`+
			` || response.code_details == "wasm_fail_stream"`))
}

// localReplies gives Envoy's own refusals the form of the filter's: problem
// details (RFC 9457).
func localReplies() *hcmv3.LocalReplyConfig {
	return &hcmv3.LocalReplyConfig{Mappers: []*hcmv3.ResponseMapper{{
		Filter: refusedByEnvoy(),
		BodyFormatOverride: &corev3.SubstitutionFormatString{
			Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: &structpb.Struct{Fields: map[string]*structpb.Value{
				"type":     structpb.NewStringValue("urn:threatgate:envoy:%RESPONSE_CODE_DETAILS%"),
				"title":    structpb.NewStringValue("Refused by the gateway"),
				"status":   structpb.NewStringValue("%RESPONSE_CODE%"),
				"detail":   structpb.NewStringValue("The gateway did not take the request: %RESPONSE_CODE_DETAILS%"),
				"instance": structpb.NewStringValue("%REQ(X-REQUEST-ID)%"),
			}}},
			OmitEmptyValues: true,
			ContentType:     "application/problem+json",
		},
	}}}
}

// when is an access-log filter that holds where a CEL expression does.
func when(expression string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ExtensionFilter{
		ExtensionFilter: &accesslogv3.ExtensionFilter{
			Name:       "envoy.access_loggers.extension_filters.cel",
			ConfigType: &accesslogv3.ExtensionFilter_TypedConfig{TypedConfig: pack(&celv3.ExpressionFilter{Expression: expression})},
		},
	}}
}

func all(filters ...*accesslogv3.AccessLogFilter) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_AndFilter{
		AndFilter: &accesslogv3.AndFilter{Filters: filters},
	}}
}

func statusFrom(least uint32) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_StatusCodeFilter{
		StatusCodeFilter: &accesslogv3.StatusCodeFilter{Comparison: &accesslogv3.ComparisonFilter{
			Op:    accesslogv3.ComparisonFilter_GE,
			Value: &corev3.RuntimeUInt32{DefaultValue: least, RuntimeKey: "threatgate.least_status"},
		}},
	}}
}
