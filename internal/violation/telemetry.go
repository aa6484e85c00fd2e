package violation

// Names of the filter's counters, as the control plane's page has them. In
// Envoy each begins with EnvoyPrefix, and its labels are part of the name:
// see AppendLabel.
const (
	RequestsTotal       = "threatgate_requests_total"   // requests that were judged, by LabelDecision
	ViolationsTotal     = "threatgate_violations_total" // requests with a violation, by the one that decided
	RecordsDroppedTotal = "threatgate_violation_records_dropped_total"

	EnvoyPrefix = "envoy_"
)

// Labels of the counters.
const (
	LabelAPI       = "api"
	LabelDecision  = "decision"
	LabelFamily    = "family"
	LabelCode      = "code"
	LabelThreat    = "threat"
	LabelMode      = "mode"
	LabelOperation = "operation" // always the last: its value may hold anything
)

// Labels lists all of them.
func Labels() []string {
	return []string{LabelAPI, LabelDecision, LabelFamily, LabelCode, LabelThreat, LabelMode, LabelOperation}
}

// LabelStart begins each label in the name of a counter, and ends the name of
// one with labels, so that no rule that looks at the end of a name takes the
// end of a value for its own.
const LabelStart = ';'

// AppendLabel appends ";name=value" to the name of a counter. Control
// characters in the value become spaces.
func AppendLabel(dst []byte, name string, value []byte) []byte {
	dst = append(append(append(dst, LabelStart), name...), '=')
	for _, c := range value {
		dst = append(dst, max(c, ' '))
	}
	return dst
}

// Attributes of the filter's log records (OTLP); all values are strings.
const (
	AttributeNode = "node_name" // of the resource: the Envoy that it comes from

	AttributeAPI          = "api"
	AttributeOperation    = "tg.operation" // the operation's label
	AttributeDecision     = "tg.decision"
	AttributeMode         = "tg.mode"
	AttributeViolations   = "tg.records" // see AppendWire; the one that decided is among them
	AttributeRequestID    = "request_id"
	AttributeResponseCode = "response_code" // 0 where there was no response

	AttributeReport = "tg.report" // "<revision> <nanoseconds>": now and then, the policy in use and the time that judging took
)

// ControlPlaneCluster is the cluster in Envoy that leads to the control
// plane: for xDS, and for what the filter and Envoy have to tell.
const ControlPlaneCluster = "threatgate_control_plane"
