package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/internal/compile"
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
		OnNode:      func(string, bool) {},
		OnShared:    func(s *Shared) { t.Error(s) },
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
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

// TestUpstreamTLS: an upstream is reached by name and TLS if its certificate
// is for that name and from a root that is trusted, and else not at all.
func TestUpstreamTLS(t *testing.T) {
	trusted, trustedKey := envoytest.Certificate(t, "localhost")
	stranger, strangerKey := envoytest.Certificate(t, "localhost")
	misnamed, misnamedKey := envoytest.Certificate(t, "other.example")
	roots := filepath.Join(t.TempDir(), "roots.pem")
	var bundle []byte
	for _, path := range []string{trusted, misnamed} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bundle = append(bundle, text...)
	}
	if err := os.WriteFile(roots, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		service          string
		certificate, key string
		want             int
	}{
		{"trusted", trusted, trustedKey, 200},
		{"stranger", stranger, strangerKey, 503},
		{"misnamed", misnamed, misnamedKey, 503},
	}
	var releases []*compile.Release
	for _, row := range rows {
		r := release(t, row.service, "1")
		r.Gateway.Upstream = compile.Upstream{Host: "localhost", Port: serveTLS(t, row.certificate, row.key), TLS: true}
		releases = append(releases, r)
	}
	newGatewayWithRoots(t, roots, releases...)
	for i, row := range rows {
		if code, _, body := get(t, releases[i], "/"); code != row.want {
			t.Errorf("%s: got %d %s, want %d", row.service, code, body, row.want)
		}
	}
}

// serveTLS starts an upstream with a certificate and returns its port.
func serveTLS(t *testing.T, certificate, key string) uint16 {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return uint16(s.Listener.Addr().(*net.TCPAddr).Port)
}
