// Package snapshot turns compiled releases into Envoy resources. It and
// package server are the only ones that know Envoy's types.
//
// A service becomes a listener (LDS), which finds its route by RDS and its
// filters by ECDS, and a cluster (CDS). The policy is the configuration of
// one ECDS resource, so that a new policy replaces that alone: no connection
// is drained and the Wasm VM, which all services share, stays.
package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/violation"
)

// Environment is what the resources depend on besides the releases: paths,
// absolute and as Envoy sees them.
type Environment struct {
	WasmPath string // threatgate.wasm
	Roots    string // PEM file of root certificates; needed only for upstreams with TLS
}

// SystemRoots returns the path of this machine's root certificates, or "".
func SystemRoots() string {
	for _, path := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
		"/etc/ssl/ca-bundle.pem",             // SUSE
		"/etc/ssl/cert.pem",                  // macOS, BSD
	} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// Snapshot is everything that a node is served. It is immutable.
type Snapshot struct {
	resources map[string]map[string]Resource // by type URL, then by name
	revisions map[string]string              // by service
}

// Resource is one Envoy resource.
type Resource struct {
	Name    string
	Service string // the service that it was built for
	Version string // digest of the content
	Body    *anypb.Any
}

// Resources returns the resources of one type, by name. The map must not be
// changed.
func (s *Snapshot) Resources(typeURL string) map[string]Resource { return s.resources[typeURL] }

// Types lists the type URLs of all resources, those that others refer to
// first.
func Types() []string {
	return []string{resource.ClusterType, resource.ExtensionConfigType, resource.RouteType, resource.ListenerType}
}

// Revisions returns the revision of each service. The map must not be
// changed.
func (s *Snapshot) Revisions() map[string]string { return s.revisions }

// Policy returns the service whose policy a resource is, if it is one and the
// version is the snapshot's.
func (s *Snapshot) Policy(typeURL, name, version string) (service string, ok bool) {
	r := s.resources[typeURL][name]
	return r.Service, typeURL == resource.ExtensionConfigType && r.Version == version && name == policyFilter(r.Service)
}

// Build makes the snapshot of releases. The same input gives the same
// resources and versions, in any process.
//
// Its error joins one error for each thing that is wrong: no service at all,
// two of one name or address, a service that takes a reserved name, a path or
// address that can't be read, a resource that Envoy's own validation rules
// refuse, or a reference to a resource that is missing.
func Build(releases []*compile.Release, env Environment) (*Snapshot, error) {
	b := builder{
		snapshot:  &Snapshot{resources: map[string]map[string]Resource{}, revisions: map[string]string{}},
		addresses: map[string]string{},
	}
	if len(releases) == 0 {
		b.fail("no services: a snapshot without any would take down every listener")
	}
	if !filepath.IsAbs(env.WasmPath) {
		b.fail("Wasm module %q: not an absolute path", env.WasmPath)
	}
	for _, typeURL := range Types() {
		b.snapshot.resources[typeURL] = map[string]Resource{}
	}
	for _, r := range releases {
		b.release(r, env)
	}
	if len(b.errs) == 0 {
		b.errs = b.snapshot.dangling()
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	return b.snapshot, nil
}

type builder struct {
	snapshot  *Snapshot
	addresses map[string]string // listening address: service
	errs      []error
}

func (b *builder) fail(format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf(format, args...))
}

func (b *builder) release(r *compile.Release, env Environment) {
	g := &r.Gateway
	switch _, known := b.snapshot.revisions[g.Service]; {
	case known:
		b.fail("service %s: given twice", g.Service)
		return
	case g.Service == "" || g.Service == violation.ControlPlaneCluster:
		b.fail("service %q: reserved name", g.Service)
		return
	}
	if other, taken := b.addresses[g.Listen]; taken {
		b.fail("service %s: listens on %s, as %s does", g.Service, g.Listen, other)
		return
	}
	b.addresses[g.Listen] = g.Service
	b.snapshot.revisions[g.Service] = r.Revision()

	if g.Upstream.TLS && !filepath.IsAbs(env.Roots) {
		b.fail("service %s: root certificates %q, to verify the upstream by: not an absolute path", g.Service, env.Roots)
		return
	}
	listener, err := newListener(g)
	if err != nil {
		b.fail("service %s: %w", g.Service, err)
		return
	}
	b.add(g.Service, resource.ClusterType, g.Service, newCluster(g, env))
	b.add(g.Service, resource.ExtensionConfigType, policyFilter(g.Service), newPolicyFilter(r, env))
	if len(g.Issuers) > 0 {
		b.add(g.Service, resource.ExtensionConfigType, tokenFilter(g), newTokenFilter(g))
	}
	b.add(g.Service, resource.RouteType, g.Service, newRoute(r))
	b.add(g.Service, resource.ListenerType, g.Service, listener)
}

// add keeps a resource, if Envoy's validation rules accept it.
func (b *builder) add(service, typeURL, name string, m validated) {
	if err := m.ValidateAll(); err != nil {
		b.fail("service %s: %w", service, err)
		return
	}
	body := pack(m)
	digest := sha256.Sum256(body.Value)
	b.snapshot.resources[typeURL][name] = Resource{name, service, hex.EncodeToString(digest[:8]), body}
}

// Services returns the names of the snapshot's services, sorted.
func (s *Snapshot) Services() []string { return slices.Sorted(maps.Keys(s.revisions)) }

// validated is what protoc-gen-validate gives every message of Envoy's.
type validated interface {
	proto.Message
	ValidateAll() error
}

// pack is m as an Any, encoded so that equal messages give equal bytes.
func pack(m proto.Message) *anypb.Any {
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err) // only invalid UTF-8 in a message of ours
	}
	return &anypb.Any{TypeUrl: "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName()), Value: value}
}

// unpack is the inverse of pack.
func unpack(a *anypb.Any) proto.Message {
	m, err := a.UnmarshalNew()
	if err != nil {
		panic(err) // only if it isn't of pack's making
	}
	return m
}
