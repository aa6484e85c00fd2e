// Package violation is what the filter saw, in terms that both sides of the
// wire share: codes, modes, decisions and records. A record never holds a
// submitted value.
//
// The filter is built from this package, so it imports next to nothing.
package violation

// Family groups codes by what is violated; it decides the HTTP status class.
type Family uint8

const (
	Inventory  Family = iota // the operation itself: unknown, wrong method, deprecated
	Validation               // parameters and bodies
	Token                    // credentials: missing, malformed, not verified
	Access                   // verified, but not enough
	Limit                    // rates
	Filter                   // the filter's own failure; the policy's failure mode decides
)

func (f Family) String() string {
	return [...]string{"inventory", "validation", "token", "access", "limit", "filter"}[f]
}

// Code is one way to violate a policy. Its text is part of the wire format:
// the problem type is "urn:threatgate:<family>:<code>".
type Code uint8

const (
	None Code = iota

	UnknownOperation
	Method
	Deprecated
	Sunset

	Path
	Upgrade
	UndeclaredParameter
	RepeatedParameter
	TooManyParameters
	ParameterEncoding
	ContentType
	ContentEncoding
	BodySize
	BodyMissing
	BodyUnexpected
	UndeclaredStatus
	ErrorStatus

	JSON
	DuplicateName
	Depth
	TokenLength

	Text
	Form
	Multipart
	RepeatedField
	XML

	Type
	Enum
	Const
	Pattern
	Format
	MultipleOf
	Minimum
	Maximum
	ExclusiveMinimum
	ExclusiveMaximum
	MinLength
	MaxLength
	MinItems
	MaxItems
	UniqueItems
	Contains
	MinProperties
	MaxProperties
	Required
	UndeclaredProperty
	PropertyNames
	DependentRequired
	Never
	AnyOf
	OneOf
	Not
	Discriminator
	ReadOnly
	WriteOnly
	UnevaluatedItems
	UnevaluatedProperties
	Unenforceable
	Unjudged

	TokenMissing
	TokenMalformed
	TokenNotVerified
	IdentityHeader

	Scope

	Rate

	Failure

	codeCount
)

type codeFacts struct {
	family Family
	text   string
	status uint16
	title  string
	counts bool // counted and recorded, but never a reason to reject
}

var facts = [codeCount]codeFacts{
	None: {text: "none"},

	UnknownOperation: {Inventory, "unknown-operation", 404, "No such operation", false},
	Method:           {Inventory, "method", 405, "Method not allowed", false},
	Deprecated:       {Inventory, "deprecated", 410, "Deprecated operation", true},
	Sunset:           {Inventory, "sunset", 410, "Operation past its sunset date", false},

	Path:                {Validation, "path", 400, "Path can be read in more than one way", false},
	Upgrade:             {Validation, "upgrade", 400, "Upgrade not allowed", false},
	UndeclaredParameter: {Validation, "undeclared-parameter", 400, "Undeclared parameter", false},
	RepeatedParameter:   {Validation, "repeated-parameter", 400, "Parameter given more than once", false},
	TooManyParameters:   {Validation, "too-many-parameters", 400, "Too many parameters", false},
	ParameterEncoding:   {Validation, "parameter-encoding", 400, "Parameter is not correctly encoded", false},
	ContentType:         {Validation, "content-type", 415, "Unsupported content type", false},
	ContentEncoding:     {Validation, "content-encoding", 415, "Unsupported content encoding", false},
	BodySize:            {Validation, "body-size", 413, "Body too large", false},
	BodyMissing:         {Validation, "body-missing", 400, "Body required", false},
	BodyUnexpected:      {Validation, "body-unexpected", 400, "No body expected", false},

	UndeclaredStatus: {Validation, "status", 502, "Undeclared status", false},
	ErrorStatus:      {Validation, "error-status", 502, "Undeclared error status", true},

	JSON:          {Validation, "json", 400, "Malformed JSON", false},
	DuplicateName: {Validation, "duplicate-name", 400, "Duplicate name in a JSON object", false},
	Depth:         {Validation, "depth", 400, "Nesting too deep", false},
	TokenLength:   {Validation, "token-length", 400, "Name or number too long", false},

	Text:          {Validation, "text", 400, "Text is not UTF-8", false},
	Form:          {Validation, "form", 400, "Malformed form", false},
	Multipart:     {Validation, "multipart", 400, "Malformed multipart body", false},
	XML:           {Validation, "xml", 400, "Malformed XML", false},
	RepeatedField: {Validation, "repeated-field", 400, "Field given more than once", false},

	Type:                  {Validation, "type", 400, "Wrong type", false},
	Enum:                  {Validation, "enum", 400, "Value not among those allowed", false},
	Const:                 {Validation, "const", 400, "Value not the one allowed", false},
	Pattern:               {Validation, "pattern", 400, "Value does not match the pattern", false},
	Format:                {Validation, "format", 400, "Value does not have the format", false},
	MultipleOf:            {Validation, "multiple-of", 400, "Number is not a multiple", false},
	Minimum:               {Validation, "minimum", 400, "Number too small", false},
	Maximum:               {Validation, "maximum", 400, "Number too large", false},
	ExclusiveMinimum:      {Validation, "exclusive-minimum", 400, "Number too small", false},
	ExclusiveMaximum:      {Validation, "exclusive-maximum", 400, "Number too large", false},
	MinLength:             {Validation, "min-length", 400, "String too short", false},
	MaxLength:             {Validation, "max-length", 400, "String too long", false},
	MinItems:              {Validation, "min-items", 400, "Too few items", false},
	MaxItems:              {Validation, "max-items", 400, "Too many items", false},
	UniqueItems:           {Validation, "unique-items", 400, "Items are not unique", false},
	Contains:              {Validation, "contains", 400, "Array does not contain what it must", false},
	MinProperties:         {Validation, "min-properties", 400, "Too few properties", false},
	MaxProperties:         {Validation, "max-properties", 400, "Too many properties", false},
	Required:              {Validation, "required", 400, "Required value missing", false},
	UndeclaredProperty:    {Validation, "undeclared-property", 400, "Undeclared property", false},
	PropertyNames:         {Validation, "property-names", 400, "Property name not allowed", false},
	DependentRequired:     {Validation, "dependent-required", 400, "Dependent value missing", false},
	Never:                 {Validation, "never", 400, "No value is allowed here", false},
	AnyOf:                 {Validation, "any-of", 400, "Value matches no alternative", false},
	OneOf:                 {Validation, "one-of", 400, "Value does not match exactly one alternative", false},
	Not:                   {Validation, "not", 400, "Value matches what it must not", false},
	Discriminator:         {Validation, "discriminator", 400, "Discriminator names no alternative", false},
	ReadOnly:              {Validation, "read-only", 400, "Property is read-only", false},
	WriteOnly:             {Validation, "write-only", 400, "Property is write-only", false},
	UnevaluatedItems:      {Validation, "unevaluated-items", 400, "Undeclared item", false},
	UnevaluatedProperties: {Validation, "unevaluated-properties", 400, "Undeclared property", false},
	Unenforceable:         {Validation, "unenforceable", 400, "Value can't be judged", false},
	Unjudged:              {Validation, "unjudged", 400, "Value not judged by every keyword", true},

	TokenMissing:     {Token, "missing", 401, "Credentials required", false},
	TokenMalformed:   {Token, "malformed", 401, "Credentials malformed", false},
	TokenNotVerified: {Token, "not-verified", 401, "Credentials not verified", false},
	IdentityHeader:   {Token, "identity-header", 400, "Client-supplied identity header removed", true},

	Scope: {Access, "scope", 403, "Scope missing", false},

	Rate: {Limit, "rate", 429, "Too many requests", false},

	Failure: {Filter, "failure", 503, "Could not be judged", false},
}

// Family returns the family of c.
func (c Code) Family() Family { return facts[c].family }

// String returns the code's text, as in the last part of the problem type.
func (c Code) String() string { return facts[c].text }

// Status is the HTTP status of the answer to a request rejected for c (RFC
// 9110). What is rejected for its response gets 502, whatever the code.
func (c Code) Status() int { return int(facts[c].status) }

// Title is a short sentence for people, the same for every occurrence.
func (c Code) Title() string { return facts[c].title }

// Rejects reports whether c is a reason to reject; other codes are only
// counted and recorded.
func (c Code) Rejects() bool { return c != None && !facts[c].counts }

// OfResponse reports whether only a response can violate c.
func (c Code) OfResponse() bool { return c == UndeclaredStatus || c == ErrorStatus || c == WriteOnly }

// Valid reports whether c is a code of this version.
func (c Code) Valid() bool { return c > None && c < codeCount }

// ParseCode finds the code with the given family and text.
func ParseCode(family, text string) (Code, bool) {
	for c := None + 1; c < codeCount; c++ {
		if facts[c].text == text && facts[c].family.String() == family {
			return c, true
		}
	}
	return None, false
}

// Mode is what a policy does with a violation.
type Mode uint8

const (
	Shadow  Mode = iota // observe only
	Enforce             // reject
	Off                 // do not judge
)

func (m Mode) String() string { return [...]string{"shadow", "enforce", "off"}[m] }

// ParseMode is the inverse of String.
func ParseMode(s string) (Mode, bool) {
	for _, m := range [...]Mode{Shadow, Enforce, Off} {
		if m.String() == s {
			return m, true
		}
	}
	return 0, false
}

// Weaker is the one of two modes that does less.
func Weaker(a, b Mode) Mode {
	switch {
	case a == Off || b == Off:
		return Off
	case a == Shadow || b == Shadow:
		return Shadow
	}
	return Enforce
}

// FailureMode is what happens to a request that could not be judged.
type FailureMode uint8

const (
	Closed FailureMode = iota // refuse it
	Open                      // let it pass
)

func (f FailureMode) String() string { return [...]string{"closed", "open"}[f] }

// Decision is what became of a request.
type Decision uint8

const (
	Allowed     Decision = iota
	Rejected             // by enforce
	WouldReject          // in shadow: enforce would have rejected it
)

func (d Decision) String() string { return [...]string{"allowed", "rejected", "would_reject"}[d] }
