package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	logv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/compile"
)

// connect starts a server with callbacks that fail the test, but for
// OnMalformed, and returns a client of it. Nothing is pushed yet.
func connect(t *testing.T) (s *Server, client *grpc.ClientConn, malformed *atomic.Int64) {
	t.Helper()
	malformed = new(atomic.Int64)
	s = New(Options{
		OnNode:      func(string, bool) {},
		OnEvent:     func(Event) {},
		OnShared:    func(s *Shared) { t.Error(s) },
		OnRecord:    func(r Record) { t.Errorf("record %+v", r) },
		OnReport:    func(node, service string, r Report) { t.Errorf("report %s %s %+v", node, service, r) },
		OnMalformed: func() { malformed.Add(1) },
	})
	socket := filepath.Join(t.TempDir(), "xds")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	client, err = grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s, client, malformed
}

// oneService is a snapshot of one service, with the Wasm module at a path.
func oneService(t *testing.T, wasm string) *snapshot.Snapshot {
	t.Helper()
	r := release(t, "orders", "1")
	r.Gateway.Upstream = compile.Upstream{Host: "127.0.0.1", Port: 1}
	s, err := snapshot.Build([]*compile.Release{r}, snapshot.Environment{WasmPath: wasm})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open opens a delta stream and sends requests on it.
func open(t *testing.T, client *grpc.ClientConn, requests ...*discoveryv3.DeltaDiscoveryRequest) discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(client).DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if err := stream.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	return stream
}

var (
	node     = &corev3.Node{Id: "node"}
	clusters = &discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: resource.ClusterType}
)

// TestNothingBeforePush: a client that is early waits, rather than be told
// that there is nothing.
func TestNothingBeforePush(t *testing.T) {
	s, client, _ := connect(t)
	got := make(chan *discoveryv3.DeltaDiscoveryResponse, 1)
	stream := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		str, err := discoveryv3.NewAggregatedDiscoveryServiceClient(client).DeltaAggregatedResources(ctx, grpc.WaitForReady(true))
		if err == nil {
			err = str.Send(clusters)
		}
		if err != nil {
			stream <- err
			return
		}
		response, err := str.Recv()
		stream <- err
		got <- response
	}()
	select {
	case err := <-stream:
		t.Fatalf("answered before the first push: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	s.Push(oneService(t, "/threatgate.wasm"))
	if err := <-stream; err != nil {
		t.Fatal(err)
	}
	if r := <-got; len(r.Resources) != 1 || r.Resources[0].Name != "orders" {
		t.Errorf("got %v", r)
	}
}

// TestBadRequests: what no Envoy sends ends the stream with an error, and
// the server goes on.
func TestBadRequests(t *testing.T) {
	s, client, _ := connect(t)
	s.Push(oneService(t, "/threatgate.wasm"))
	for _, row := range []struct {
		name    string
		request *discoveryv3.DeltaDiscoveryRequest
		want    codes.Code
	}{
		{"no node", &discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.ClusterType}, codes.InvalidArgument},
		{"long node id", &discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: strings.Repeat("a", 257)}, TypeUrl: resource.ClusterType}, codes.InvalidArgument},
		{"no type", &discoveryv3.DeltaDiscoveryRequest{Node: node}, codes.InvalidArgument},
		{"a type that is not served", &discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: resource.SecretType}, codes.InvalidArgument},
		{"too large", &discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: resource.ClusterType, ResourceNamesSubscribe: []string{strings.Repeat("a", maxReceive)}}, codes.ResourceExhausted},
	} {
		stream := open(t, client, row.request)
		if _, err := stream.Recv(); status.Code(err) != row.want {
			t.Errorf("%s: got %v, want %v", row.name, err, row.want)
		}
	}
	sotw, err := discoveryv3.NewAggregatedDiscoveryServiceClient(client).StreamAggregatedResources(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sotw.Recv(); status.Code(err) != codes.Unimplemented {
		t.Errorf("state of the world: got %v", err)
	}
	stream := open(t, client, clusters)
	if r, err := stream.Recv(); err != nil || len(r.Resources) != 1 {
		t.Errorf("a good client got %v %v", r, err)
	}
}

// TestMadeUpAnswers: ACKs and NACKs of what was never sent leave the books
// as they are.
func TestMadeUpAnswers(t *testing.T) {
	s, client, _ := connect(t)
	snap := oneService(t, "/threatgate.wasm")
	s.Push(snap)
	stream := open(t, client,
		&discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: resource.ClusterType, ResponseNonce: "7", ErrorDetail: &rpcstatus.Status{Message: "made up"}},
		&discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.ClusterType, ResponseNonce: "7"},
	)
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	version := snap.Resources(resource.ClusterType)["orders"].Version
	d := s.Nodes()[0].Resources[ResourceKey{resource.ClusterType, "orders"}]
	if want := (Delivery{Sent: version, Time: d.Time}); d != want {
		t.Errorf("got %+v, want %+v", d, want)
	}
}

// TestWaitAcked: with two nodes both must accept; one that is gone is not
// waited for; nobody's consent is no consent.
func TestWaitAcked(t *testing.T) {
	s, client, _ := connect(t)
	snap := oneService(t, "/threatgate.wasm")
	s.Push(snap)
	soon, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.WaitAcked(soon, snap); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a node: got %v", err)
	}
	acked := make(chan error, 1)
	go func() { acked <- s.WaitAcked(context.Background(), snap) }()
	first := open(t, client)
	take(t, first, "first", nil)
	select {
	case err := <-acked: // the first node alone
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the only node has accepted, and WaitAcked goes on waiting")
	}

	second := open(t, client, &discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: "second"}, TypeUrl: resource.ClusterType})
	if _, err := second.Recv(); err != nil {
		t.Fatal(err)
	}
	soon, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.WaitAcked(soon, snap); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the second node has not answered: got %v", err)
	}
	go func() { acked <- s.WaitAcked(context.Background(), snap) }()
	second.CloseSend()
	if err := <-acked; err != nil {
		t.Errorf("after the second node has gone: got %v", err)
	}

	third := open(t, client)
	take(t, third, "third", &rpcstatus.Status{Message: "will not"})
	var refused *Refused
	if err := s.WaitAcked(context.Background(), snap); !errors.As(err, &refused) || refused.Node != "third" || refused.Detail != "will not" {
		t.Errorf("got %v, want the third node's refusal", err)
	}
}

// take asks for all that there is and accepts it, or refuses it with detail.
func take(t *testing.T, stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient, id string, refusal *rpcstatus.Status) {
	t.Helper()
	subscribe := map[string][]string{resource.RouteType: {"orders"}, resource.ExtensionConfigType: {"orders/policy"}}
	for _, typeURL := range snapshot.Types() {
		if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: id}, TypeUrl: typeURL, ResourceNamesSubscribe: subscribe[typeURL]}); err != nil {
			t.Fatal(err)
		}
		response, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResponseNonce: response.GetNonce(), ErrorDetail: refusal}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNeverAnswering: a client that asks without end and answers nothing is
// cut off.
func TestNeverAnswering(t *testing.T) {
	s, client, _ := connect(t)
	s.Push(oneService(t, "/threatgate.wasm"))
	stream := open(t, client)
	for range maxPending + 2 {
		if err := stream.Send(clusters); err != nil {
			break
		}
	}
	answers := 0
	for {
		if _, err := stream.Recv(); err != nil {
			if status.Code(err) != codes.ResourceExhausted || answers != maxPending+1 {
				t.Errorf("after %d answers: %v", answers, err)
			}
			return
		}
		answers++
	}
}

// TestEarlyReports: what a filter says before its node has connected is kept
// until it does, within bounds.
func TestEarlyReports(t *testing.T) {
	l := newLedger()
	logs := &logs{ledger: l, onReport: func(string, string, Report) {}}
	report := func(node, service, revision string) bool {
		return logs.report(node, service, time.Unix(1, 0), revision+" 7")
	}
	const first, second = "0123456789abcdef", "123456789abcdef0"
	if !report("node", "orders", first) || !report("node", "orders", second) || !report("node", "users", first) || !report("other", "orders", first) {
		t.Error("a report is not taken")
	}
	if len(l.all()) != 0 {
		t.Errorf("a report alone makes a node: %+v", l.all())
	}
	if _, err := l.connect("node"); err != nil {
		t.Fatal(err)
	}
	want := map[string]Report{
		"orders": {Revision: second, Judged: 7, Time: time.Unix(1, 0)},
		"users":  {Revision: first, Judged: 7, Time: time.Unix(1, 0)},
	}
	if nodes := l.all(); len(nodes) != 1 || !maps.Equal(nodes[0].Revisions, want) {
		t.Errorf("known: %+v, want %+v", nodes, want)
	}
	if len(l.early) != 1 {
		t.Errorf("%d reports are kept, want that of the other node", len(l.early))
	}
	for i := range maxEarly + 5 {
		if taken := report(fmt.Sprint(i), "orders", first); taken != (i < maxEarly-1) {
			t.Fatalf("report %d: taken %t", i, taken)
		}
	}
	long := strings.Repeat("x", maxName+1)
	if !report("0", "orders", second) || report("", "orders", first) || report(long, "orders", first) || report("0", long, first) || len(l.early) != maxEarly {
		t.Errorf("%d reports are kept, want %d", len(l.early), maxEarly)
	}
}

// TestMalformedLogs: log records of any other form are counted and dropped.
func TestMalformedLogs(t *testing.T) {
	s, client, malformed := connect(t)
	s.Push(oneService(t, "/threatgate.wasm"))
	const good = "validation\tpattern\tbody\t/a\tspec\tAPI3-01\n"
	rows := []map[string]string{
		{},
		{"tg.records": "-", "response_code": "200"},
		{"tg.records": "", "response_code": "200"},
		{"tg.records": good},
		{"tg.records": good, "response_code": "x"},
		{"tg.records": good + "more", "response_code": "200"},
		{"tg.records": "validation\tno-such-code\tbody\t/a\tspec\tAPI3-01\n", "response_code": "200"},
		{"tg.records": "validation\tpattern\tnowhere\t/a\tspec\tAPI3-01\n", "response_code": "200"},
		{"tg.report": "0123456789abcdef 1"}, // of no node
		{"tg.report": "0123456789abcdef"},
		{"tg.report": "0123456789abcdef -1"},
		{"tg.report": "0123 1"},
	}
	for i, row := range rows {
		record := &logv1.LogRecord{}
		for k, v := range row {
			record.Attributes = append(record.Attributes, &commonv1.KeyValue{Key: k, Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: v}}})
		}
		export(t, client, &logv1.ResourceLogs{ScopeLogs: []*logv1.ScopeLogs{{LogRecords: []*logv1.LogRecord{record}}}})
		if got := malformed.Load(); got != int64(i+1) {
			t.Errorf("%s: %d records counted as malformed, want %d", fmt.Sprint(row), got, i+1)
			malformed.Store(int64(i + 1))
		}
	}
	// Nothing where something is expected.
	for _, r := range []*logv1.ResourceLogs{{}, {Resource: &resourcev1.Resource{}}, {ScopeLogs: []*logv1.ScopeLogs{{}}}} {
		export(t, client, r)
	}
	if got := malformed.Load(); got != int64(len(rows)) {
		t.Errorf("%d records counted as malformed, want %d", got, len(rows))
	}
}

func export(t *testing.T, client *grpc.ClientConn, logs *logv1.ResourceLogs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request := &logsv1.ExportLogsServiceRequest{ResourceLogs: []*logv1.ResourceLogs{logs}}
	if _, err := logsv1.NewLogsServiceClient(client).Export(ctx, request, grpc.WaitForReady(true)); err != nil {
		t.Error(err)
	}
}
