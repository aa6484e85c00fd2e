// Package model binds the written threat model to the inventory.
//
// A document is what a user wrote (kind: ThreatModel); a Graph is the same
// with every reference resolved, every default filled in and every operation
// of every specification attached to its service. A bare specification is a
// model too: see Bare.
//
// Load reads the document as YAML (source.go), fills the types that declare
// the format (document.go, scalar.go) strictly and with positions (decode.go),
// lays the chosen environment over it (environment.go), and binds the result
// (bind.go and the files named after what they bind). Every stage collects
// what is wrong and goes on with the rest.
package model

import (
	"time"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// Graph is a bound threat model. It is immutable once built.
type Graph struct {
	Name     string
	Revision string // as the document gives it; "" for a bare specification
	Pos      diag.Pos

	Environment string // whose overlay is applied; "" if none is
	Exposure    *Zone  // who can reach the system in that environment; nil if it doesn't say

	Zones         []*Zone
	Assets        []*DataAsset
	Issuers       []*Issuer
	Services      []*Service
	Flows         []*Flow
	AcceptedRisks []AcceptedRisk
}

// Zone is a trust zone.
type Zone struct {
	ID    string
	Trust int // 0 (the internet) to 100
	Pos   diag.Pos
}

// DataAsset is a class of data that flows through the system.
type DataAsset struct {
	ID          string
	Category    string // PII, financial, government-id, health, secret, credential, contact, other
	Sensitivity string // public, internal, confidential, restricted
	Quantity    string // one, few, many, all; "" if not given
	Pos         diag.Pos
}

// Issuer is a token issuer (RFC 7519 iss) whose signatures can be verified.
type Issuer struct {
	ID        string
	Issuer    string
	Audiences []string
	JWKS      string // the key set itself (RFC 7517), read from its file
	Pos       diag.Pos
}

// Service is one deployed API: its specifications, its place, its defaults.
type Service struct {
	ID              string // also the `api` of metrics and commands
	Zone            *Zone
	Pos             diag.Pos
	Upstream        string // host:port or http(s) URL without a path; "" if the document gives none
	Listen          string // host:port; "" if the document gives none
	Mode            violation.Mode
	ResponseMode    *violation.Mode // nil: Mode
	RefuseEncodings *bool           // bodies with a content coding are refused; nil: they are not
	StreamUploads   *bool           // enforce passes a body on while it judges it; nil: it holds the body
	Failure         FailureMode     // Closed unless the document says open
	Limits          Bounds
	AnnotateFormats bool            // format only describes values
	Unenforceable   *violation.Code // of a value that some keyword can't judge; None: it passes; nil: it does unless no value of its kind is of its schema

	Hosts []string // of the servers, if they are matched: lower case, without port, sorted; empty: any
	SBOM  string   // its dependencies, a CycloneDX document (JSON); "" if the document gives none

	Versions   []Version
	Operations []*Operation // of all versions, in document order

	// Edge says that some flow leads here from lower trust, or that no flow
	// leads here at all: what arrives may come from anybody.
	Edge bool
}

// FailureMode is what happens to a request that can't be judged.
type FailureMode = violation.FailureMode

// Version is one specification of a service.
type Version struct {
	API        *inventory.API
	Deprecated bool
	Sunset     time.Time // zero if not given
	Pos        diag.Pos
}

// Bounds are the limits of messages. A zero field means the default.
type Bounds struct {
	MaxBody            uint32 // bytes; DefaultBounds: 1 MiB
	MaxHeld            uint32 // bytes of a response that are held until they have been judged; 1 MiB
	MaxDepth           uint32 // nesting of JSON; 64
	MaxQueryParameters uint32 // 100
	MaxTokenLength     uint32 // bytes of a JSON name or number; 1024
}

// DefaultBounds apply where the model says nothing.
var DefaultBounds = Bounds{MaxBody: 1 << 20, MaxHeld: 1 << 20, MaxDepth: 64, MaxQueryParameters: 100, MaxTokenLength: 1024}

// Operation is an inventory operation and what the model says of it.
type Operation struct {
	*inventory.Operation
	Service   *Service
	Version   *Version
	BasePaths []string // of its servers: distinct, at least one, each "" or "/v1"
	Label     string   // unique within the service: the operation id, else "METHOD template", with the first base path, and with the first host if other hosts have the same

	Mode            *violation.Mode // nil: the service's
	ResponseMode    *violation.Mode // likewise
	RefuseEncodings *bool           // likewise
	StreamUploads   *bool           // likewise
	Limit           *Limit
	Owner           *Owner
	Bounds          Bounds // zero fields: the service's
	Upgrade         bool   // WebSocket and other upgrades are allowed
	Deprecated      bool   // the operation, or its whole version
	Sunset          time.Time
	Pos             diag.Pos // of the model's line about it, else of the operation
}

// Limit is a rate limit, as written: "30/min", burst 10, per subject.
type Limit struct {
	Per    LimitKey
	Count  uint32
	Window time.Duration // 1 s, 1 min, 1 h or 24 h
	Burst  uint32        // at least 1; Count if not given
	Pos    diag.Pos
}

// LimitKey is whom a limit counts.
type LimitKey uint8

const (
	PerAddress LimitKey = iota // the client's address
	PerSubject                 // the verified token's subject, else the address
	PerOperation
)

// Owner binds a claim to a parameter: the caller must own the object. With a
// Separator the decoded parameter is the claim, or begins with the claim
// followed by it; without one both are equal.
type Owner struct {
	Claim     string
	Separator string
	In        inventory.In
	Parameter string
	Pos       diag.Pos
}

// Flow is a declared call or data movement. From or To is a zone where the
// matching service field is nil.
type Flow struct {
	ID       string
	From, To Endpoint
	Issuer   *Issuer // authn; nil if none
	Identity string  // end-user, technical-user, none
	Assets   []*DataAsset
	Token    TokenRule
	Pos      diag.Pos
}

// Endpoint is one end of a flow: exactly one of its fields is set.
type Endpoint struct {
	Zone    *Zone
	Service *Service
}

// TrustZone is the zone of the endpoint.
func (e Endpoint) TrustZone() *Zone {
	if e.Service != nil {
		return e.Service.Zone
	}
	return e.Zone
}

// TokenRule is what happens to the caller's token on a flow.
type TokenRule struct {
	Exchange string // audience to exchange for; "" if none
	Strip    bool
	Forward  bool
}

// AcceptedRisk is a threat that somebody answers for.
type AcceptedRisk struct {
	Rule      string
	Operation *Operation
	Until     time.Time
	By, Why   string
	Pos       diag.Pos
}
