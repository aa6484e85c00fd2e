//go:build !wasip1

package main_test

import (
	"encoding/binary"
	"maps"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

func expectCount(t *testing.T, host proxytest.HostEmulator, name string, want uint64) {
	t.Helper()
	if got, err := host.GetCounterMetric(name); err != nil || got != want {
		t.Errorf("%s is %d (%v), want %d", name, got, err, want)
	}
}

// calls are what the module has sent and not had an answer to.
func calls(host proxytest.HostEmulator) []proxytest.HttpCalloutAttribute {
	return host.GetCalloutAttributesFromContext(proxytest.PluginContextID)
}

// sent returns the last call and the attributes of the last record in it.
func sent(t *testing.T, host proxytest.HostEmulator) (*logsv1.ExportLogsServiceRequest, map[string]string) {
	t.Helper()
	all := calls(host)
	if len(all) == 0 {
		t.Fatal("nothing was sent")
	}
	body := all[len(all)-1].Body
	if len(body) < 5 || body[0] != 0 || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
		t.Fatalf("not one gRPC message: % x", body)
	}
	request := &logsv1.ExportLogsServiceRequest{}
	if err := proto.Unmarshal(body[5:], request); err != nil {
		t.Fatal(err)
	}
	records := request.ResourceLogs[0].ScopeLogs[0].LogRecords
	attributes := map[string]string{}
	for _, a := range records[len(records)-1].Attributes {
		attributes[a.Key] = a.Value.GetStringValue()
	}
	return request, attributes
}

// violate sends a request that is rejected, to the end of its stream.
func violate(host proxytest.HostEmulator) {
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, headers("GET", "/nowhere"), true)
	host.CompleteHttpContext(id)
}

// TestRecord asserts all that is told of one rejected request, which is also
// the first by its policy.
func TestRecord(t *testing.T) {
	config := bundle(t, violation.Enforce)
	decoded, err := artifact.Decode(config)
	if err != nil {
		t.Fatal(err)
	}
	host, _ := start(t, config)
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, headers("POST", "/orders", typed), false)
	host.CallOnRequestBody(id, []byte(`{"item":"pencil"`), false)
	if len(calls(host)) != 0 {
		t.Error("the record is sent before the answer is")
	}
	host.CompleteHttpContext(id)
	const labels = ";operation=createOrder;"
	expectCount(t, host, "envoy_threatgate_requests_total;api=orders;decision=rejected"+labels, 1)
	expectCount(t, host, "envoy_threatgate_violations_total;api=orders;family=validation;code=max-length;threat=contract;mode=enforce"+labels, 1)

	call := calls(host)[0]
	if call.Upstream != violation.ControlPlaneCluster {
		t.Errorf("sent to %s", call.Upstream)
	}
	request, got := sent(t, host)
	resource := request.ResourceLogs[0].Resource.Attributes[0]
	if resource.Key != violation.AttributeNode || resource.Value.GetStringValue() != "node" {
		t.Errorf("resource %v", resource)
	}
	if record := request.ResourceLogs[0].ScopeLogs[0].LogRecords[0]; record.TimeUnixNano != requestTime || record.ObservedTimeUnixNano == 0 {
		t.Errorf("times of %v", record)
	}
	want := map[string]string{
		"api":           "orders",
		"request_id":    "id-1",
		"response_code": "418",
		"tg.operation":  "createOrder",
		"tg.decision":   "rejected",
		"tg.mode":       "enforce",
		"tg.records":    "validation\tmax-length\tbody\t/item\t#/paths/~1orders/post/requestBody/content/application~1json/schema/properties/item\tcontract\n",
		"tg.report":     got["tg.report"],
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if report := got["tg.report"]; len(report) < artifact.RevisionSize+2 || report[:artifact.RevisionSize+1] != decoded.Revision+" " {
		t.Errorf("report %q, want revision %s", report, decoded.Revision)
	}
}

// TestOutbox: there is one call at a time, what fails is sent again when the
// timer has run off, and what is refused or finds no room is counted.
func TestOutbox(t *testing.T) {
	host, _ := start(t, bundle(t, violation.Enforce))
	answer := func(status string) {
		host.CallOnHttpCallResponse(calls(host)[len(calls(host))-1].CalloutID, [][2]string{{":status", "200"}}, [][2]string{{"grpc-status", status}}, nil)
	}
	expect := func(what string, wantCalls, wantRecords int) {
		t.Helper()
		request, _ := sent(t, host)
		if got := len(request.ResourceLogs[0].ScopeLogs[0].LogRecords); len(calls(host)) != wantCalls || got != wantRecords {
			t.Fatalf("%s: %d calls, the last with %d records, want %d and %d", what, len(calls(host)), got, wantCalls, wantRecords)
		}
	}
	violate(host)
	expect("the first leaves at once", 1, 1)
	violate(host)
	violate(host)
	expect("while it is under way others wait", 1, 1)
	answer("0")
	expect("they go together", 2, 2)
	violate(host)
	answer("14")
	expect("a failure is not met with haste", 2, 2)
	if host.GetTickPeriod() != 1000 {
		t.Errorf("the timer is at %d ms", host.GetTickPeriod())
	}
	host.Tick()
	expect("but with the same again", 3, 2)
	if host.GetTickPeriod() != 0 {
		t.Errorf("the timer goes on, at %d ms", host.GetTickPeriod())
	}
	answer("8")
	expect("what is refused is not sent again", 4, 1)
	expectCount(t, host, "envoy_threatgate_violation_records_dropped_total", 2)
	const many = 2000 // more than there is room for
	for range many {
		violate(host)
	}
	answer("0")
	request, _ := sent(t, host)
	kept := len(request.ResourceLogs[0].ScopeLogs[0].LogRecords)
	if size := len(calls(host)[4].Body); size > 257<<10 || size < 255<<10 {
		t.Errorf("a full batch has %d bytes", size)
	}
	expectCount(t, host, "envoy_threatgate_violation_records_dropped_total", uint64(2+many-kept))
}
