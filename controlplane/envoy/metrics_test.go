package envoy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// What Envoy 1.40 says of its counters.
const page = `# TYPE envoy_access_logs_open_telemetry_access_log_threatgate_logs_dropped counter
envoy_access_logs_open_telemetry_access_log_threatgate_logs_dropped{} 7
# TYPE envoy_access_logs_open_telemetry_access_log_threatgate_logs_written counter
envoy_access_logs_open_telemetry_access_log_threatgate_logs_written{} 5
# TYPE envoy_threatgate_requests_total counter
envoy_threatgate_requests_total{decision="rejected",api="pets",operation="GET /pets/{id}"} 9007199254740991
envoy_threatgate_requests_total{decision="allowed",api="pets",operation="a \"b\" \\ c"} 1
# TYPE envoy_cluster_version gauge
envoy_cluster_version{envoy_cluster_name="threatgate_control_plane"} 3
`

func TestGather(t *testing.T) {
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket, err := net.Listen("unix", filepath.Join(dir, "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stats/prometheus" && r.URL.Query().Get("filter") == "threatgate" {
			io.WriteString(w, page)
		}
	})}
	go server.Serve(socket)
	families, err := prometheus.Gatherers{NewAdmin(filepath.Join(dir, "admin.sock"))}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&got, family); err != nil {
			t.Fatal(err)
		}
	}
	want := `# TYPE threatgate_requests_total counter
threatgate_requests_total{api="pets",decision="allowed",operation="a \"b\" \\ c"} 1
threatgate_requests_total{api="pets",decision="rejected",operation="GET /pets/{id}"} 9.007199254740991e+15
# HELP threatgate_violation_records_dropped_total Violation records that Envoy could not send.
# TYPE threatgate_violation_records_dropped_total counter
threatgate_violation_records_dropped_total 7
`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &got, want)
	}
	server.Close()
	if _, err := NewAdmin(filepath.Join(dir, "admin.sock")).Gather(); err == nil {
		t.Error("without an Envoy there are metrics, want an error")
	}
}
