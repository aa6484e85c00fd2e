// Package compile turns a policy set into what is pushed: per service one
// Release, whose Bundle the filter judges by and whose Gateway says what
// Envoy itself must carry. All planning happens here: routes become a tree,
// schemas programs, patterns automata, limits intervals.
package compile

import (
	"github.com/threatgate/threatgate/internal/artifact"
)

// Release is one service's compiled policy. It is content-addressed: the
// same policies give the same digest, in any process.
type Release struct {
	Service  string
	Digest   string // SHA-256 over Bundle (without its revision) and Gateway, lower-case hex
	Bundle   []byte // encoded artifact.Bundle, its revision set
	Gateway  Gateway
	Coverage Coverage
	Partial  []int `json:"-"` // the service's operations, by index, ascending, of whose requests not all is enforced
}

// Revision is the digest as it is shown, reported and compared.
func (r *Release) Revision() string { return r.Digest[:artifact.RevisionSize] }

// Gateway is what Envoy itself must carry for a service, in no terms of
// Envoy's.
type Gateway struct {
	Service   string
	Listen    string // host:port
	Upstream  Upstream
	Issuers   []Issuer // whose tokens Envoy verifies
	AllShadow bool     // nothing on this listener is enforced
	MaxBody   uint32   // bytes; the largest bound of any operation on what is held of a request or response
	Upgrades  bool     // some operation allows upgrades
	Responses bool     // some operation's responses are judged
}

// Upstream is where judged requests go.
type Upstream struct {
	Host string
	Port uint16
	TLS  bool // to Host, verified against the system's roots
}

// Issuer is a token issuer as Envoy's jwt_authn needs it.
type Issuer struct {
	ID            string
	Issuer        string
	Audiences     []string
	JWKS          string // RFC 7517, inline
	PayloadHeader string // the verified payload goes to the filter in this header
}
