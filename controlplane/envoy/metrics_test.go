package envoy

import (
	"bytes"
	"fmt"
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
const page = `# TYPE envoy_threatgate_requests_total counter
envoy_threatgate_requests_total{decision="rejected",api="pets",operation="GET /pets/{id}"} 9007199254740991
envoy_threatgate_requests_total{decision="allowed",api="pets",operation="a \"b\" \\ c"} 1
# TYPE envoy_wasm_envoy_wasm_runtime_v8_created counter
envoy_wasm_envoy_wasm_runtime_v8_created{} 2
# TYPE envoy_cluster_version gauge
envoy_cluster_version{envoy_cluster_name="threatgate_control_plane"} 3
`

// What it says besides, once a record was dropped.
const dropped = `# TYPE envoy_threatgate_violation_records_dropped_total counter
envoy_threatgate_violation_records_dropped_total{} 7
`

func TestGather(t *testing.T) {
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "admin.sock")
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	answer := ""
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stats/prometheus" && r.URL.Query().Get("filter") == "threatgate" {
			io.WriteString(w, answer)
		}
	})}
	go server.Serve(socket)
	for _, row := range []struct {
		page    string
		dropped int
	}{{page, 0}, {page + dropped, 7}} {
		answer = row.page
		families, err := prometheus.Gatherers{NewAdmin(path)}.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		for _, family := range families {
			if _, err := expfmt.MetricFamilyToText(&got, family); err != nil {
				t.Fatal(err)
			}
		}
		want := fmt.Sprintf(`# TYPE threatgate_requests_total counter
threatgate_requests_total{api="pets",decision="allowed",operation="a \"b\" \\ c"} 1
threatgate_requests_total{api="pets",decision="rejected",operation="GET /pets/{id}"} 9.007199254740991e+15
# TYPE threatgate_violation_records_dropped_total counter
threatgate_violation_records_dropped_total %d
`, row.dropped)
		if got.String() != want {
			t.Errorf("got:\n%s\nwant:\n%s", &got, want)
		}
	}
	server.Close()
	if _, err := NewAdmin(path).Gather(); err == nil {
		t.Error("without an Envoy there are metrics, want an error")
	}
}
