// Package server serves snapshots to Envoys by delta ADS, keeps the books on
// who accepted what, and receives what the filter reports.
package server

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/delta/v3"
	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/artifact"
)

// Options of a server. All callbacks must be set. They may be called from
// several goroutines at once; while one runs, its stream stands still.
type Options struct {
	TLS *tls.Config // nil: plain text, for loopback and Unix sockets only

	OnNode      func(node string, connected bool) // it came or went
	OnShared    func(*Shared)                     // several Envoys have one id
	OnEvent     func(Event)
	OnRecord    func(Record)
	OnReport    func(node, service string, r Report)
	OnMalformed func() // a log record or a counter was dropped
}

// Limits on what one client can take.
const (
	maxConnections = 1_000
	maxStreams     = 16       // of one connection; Envoy needs three
	maxReceive     = 24 << 20 // bytes of one message: maxSeries counters, at 220
	maxSend        = artifact.MaxSize + 1<<20
)

// A connection on which nothing has come for the one is asked, and given up if
// no answer comes for the other.
const (
	keepaliveTime    = 30 * time.Second
	keepaliveTimeout = 10 * time.Second
)

// Server is the control plane's side of xDS and OTLP.
type Server struct {
	grpc      *grpc.Server
	resources *resources
	ledger    *ledger
	counters  *counters
	pushed    chan struct{} // closed by the first Push
	push      sync.Once
	stop      context.CancelFunc
}

// New makes a server that serves nothing until the first Push.
func New(o Options) *Server {
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		resources: &resources{watches: map[*watch]struct{}{}},
		ledger:    newLedger(),
		pushed:    make(chan struct{}),
		stop:      stop,
	}
	s.counters = newCounters(s.ledger, o.OnMalformed)
	options := []grpc.ServerOption{
		grpc.WaitForHandlers(true), // no callback comes after Serve has returned
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxRecvMsgSize(maxReceive),
		grpc.MaxSendMsgSize(maxSend),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}
	if o.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	s.grpc = grpc.NewServer(options...)
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s.grpc, &ads{
		delta: delta.NewServer(ctx, s.resources, &bookkeeper{s.ledger, o.OnNode, o.OnShared, o.OnEvent}),
	})
	logsv1.RegisterLogsServiceServer(s.grpc, &logs{
		ledger:      s.ledger,
		onRecord:    o.OnRecord,
		onReport:    o.OnReport,
		onMalformed: o.OnMalformed,
	})
	metricsv1.RegisterMetricsServiceServer(s.grpc, s.counters)
	return s
}

// Push makes snap what every node gets, those connected at once. It does not
// wait for them.
func (s *Server) Push(snap *snapshot.Snapshot) {
	s.resources.set(snap)
	s.push.Do(func() { close(s.pushed) })
}

// WaitAcked waits until every connected node, and at least one, has accepted
// all of snap. It fails with a *Refused as soon as one refuses something of
// it, and with ctx's error. Workers follow an instant later: a new listener
// may not be open yet.
func (s *Server) WaitAcked(ctx context.Context, snap *snapshot.Snapshot) error {
	return s.ledger.wait(ctx, snap)
}

// Nodes returns what is known of every Envoy that has ever connected, sorted
// by id.
func (s *Server) Nodes() []Node { return s.ledger.all() }

// Counters returns the sums, over all nodes, of the counters that Envoys
// have pushed. They never decrease.
func (s *Server) Counters() []Counter { return s.counters.sums() }

// Serve accepts connections on every listener, once something was pushed,
// until ctx ends or one listener fails. It closes the listeners.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	defer s.stop()
	defer s.grpc.Stop()
	select {
	case <-ctx.Done():
		for _, l := range listeners {
			l.Close()
		}
		return nil
	case <-s.pushed:
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- s.grpc.Serve(netutil.LimitListener(l, maxConnections)) }()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
