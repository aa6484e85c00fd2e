package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/e2e/envoytest"
)

// TestMutualTLS: Envoy and the control plane know each other by certificate;
// a client without one gets nothing.
func TestMutualTLS(t *testing.T) {
	ours, oursKey := envoytest.Certificate(t, "control.example")
	theirs, theirsKey := envoytest.Certificate(t, "node.example")
	pair, err := tls.LoadX509KeyPair(ours, oursKey)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{
		TLS:         &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(t, theirs), MinVersion: tls.VersionTLS13},
		OnEvent:     func(Event) {},
		OnRecord:    func(Record) {},
		OnReport:    func(string, string, Report) {},
		OnMalformed: func() {},
	})
	snap := oneService(t, probe(t))
	s.Push(snap)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	go s.Serve(ctx, listener)

	stranger, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool(t, ours), ServerName: "control.example"})))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(stranger).DeltaAggregatedResources(ctx); err == nil {
		if _, err = stream.Recv(); err == nil {
			t.Error("a client without a certificate got an answer")
		}
	}

	admin := filepath.Join(envoytest.Directory(t), "admin")
	bootstrap, err := snapshot.Bootstrap(snapshot.BootstrapOptions{
		Node: "node", Admin: admin, ControlPlane: listener.Addr().String(),
		TLS: &snapshot.TLSFiles{Certificate: theirs, Key: theirsKey, CA: ours, ServerName: "control.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	envoytest.Start(t, bootstrap, admin, 1)
	if err := s.WaitAcked(ctx, snap); err != nil {
		t.Error(err)
	}
}

func pool(t *testing.T, path string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		t.Fatalf("%s: no certificate", path)
	}
	return p
}
