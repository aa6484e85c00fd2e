// Package policy says what the gateway must do, in terms of the model: for
// each operation one contract (validation), its limits and its token rules,
// each with a mode, a failure mode, the threats it answers and its origin.
//
// Derive turns a graph and its threats into a Set. Every operation has its
// contract policy, threat or not.
package policy

import (
	"cmp"
	"time"

	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/violation"
)

// Set is every policy of a model, service by service.
type Set struct{ Services []*Service }

// Service is the policy of one service.
type Service struct {
	*model.Service
	Mode       violation.Mode        // for requests that match no operation
	Failure    violation.FailureMode // likewise, and for the filter's own failures
	Unknown    string                // threat id of an unknown operation
	Method     string                // threat id of an unknown method
	Identity   []string              // client-supplied identity headers to strip: lower case, sorted; empty: none
	Issuers    []*model.Issuer       // those that some operation needs, in order of id
	Operations []*Operation
}

// Operation is the policy of one operation.
type Operation struct {
	*model.Operation
	Mode    violation.Mode
	Failure violation.FailureMode
	Bounds  model.Bounds // no field is zero
	Sunset  time.Time    // zero: never
	Token   Token
	Limits  []*model.Limit
	// Threats names, for each code that a threat of this operation answers
	// for, that threat; a code that is missing belongs to the contract.
	Threats map[violation.Code]string
}

// ResponseMode is the mode of the operation's responses: what the model says
// of them, but never more than the operation's own.
func (o *Operation) ResponseMode() violation.Mode {
	if said := cmp.Or(o.Operation.ResponseMode, o.Service.ResponseMode); said != nil {
		return violation.Weaker(o.Mode, *said)
	}
	return o.Mode
}

// RefusesEncodings reports whether a body with a content coding is refused.
func (o *Operation) RefusesEncodings() bool {
	said := cmp.Or(o.Operation.RefuseEncodings, o.Service.RefuseEncodings)
	return said != nil && *said
}

// StreamsUploads reports whether enforce passes a body on while it judges it.
func (o *Operation) StreamsUploads() bool {
	said := cmp.Or(o.Operation.StreamUploads, o.Service.StreamUploads)
	return said != nil && *said
}

// Token is what an operation demands of its caller's credentials.
type Token struct {
	Alternatives []Alternative // none, or an empty one among them: nothing is demanded
}

// Alternative is a set of credentials that must all be there.
type Alternative []Credential

// Credential is one credential. Issuers is empty where none is known: then
// only its form is judged.
type Credential struct {
	Scheme  string // the security scheme's name in the specification
	Kind    CredentialKind
	Name    string // header, query parameter, cookie or http scheme
	Issuers []*model.Issuer
	Scopes  []string
}

// CredentialKind is how a credential travels.
type CredentialKind uint8

const (
	Bearer CredentialKind = iota
	Basic
	Header
	Query
	Cookie
	HTTPScheme
)

// Modes are the modes that an operator set at run time, over the model's own.
// The zero Modes changes nothing.
type Modes struct {
	APIs       map[string]violation.Mode // by service id; "": of every service that has none here
	Operations map[OperationKey]violation.Mode
}

// api is the mode that was set for a service, or for all.
func (m Modes) api(id string) (mode violation.Mode, set bool) {
	if mode, set = m.APIs[id]; !set {
		mode, set = m.APIs[""]
	}
	return mode, set
}

// OperationKey names an operation of a service by its label.
type OperationKey struct {
	API       string `json:"api"`
	Operation string `json:"operation"`
}
