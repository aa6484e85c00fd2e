// Package inventory says what an API exposes, in terms of no particular
// description format: operations, parameters, bodies, schemas, security.
//
// A loader fills it; everything after that reads it and nothing else. Every value carries the position it was read from, so that
// a verdict at run time can be traced to a line of a specification.
package inventory

import "github.com/threatgate/threatgate/internal/diag"

// API is one loaded specification.
type API struct {
	Name       string // slug of the title, else of the file name: [a-z0-9-]+
	Title      string
	Version    string // info.version, as written
	Format     string // "openapi-3.0", "openapi-3.1"
	Pos        diag.Pos
	Servers    []Server
	Operations []*Operation // in document order
	Schemes    map[string]*SecurityScheme
}

// Server is one place where the API is served (OAS section 4.6).
type Server struct {
	Host     string // "" if the URL is relative or its host has variables
	BasePath string // "" or "/v1": no trailing slash
	Pos      diag.Pos
}

// Operation is one method on one path template.
type Operation struct {
	ID         string // operationId; "" if the document gives none
	Method     string // upper case
	Path       string // template as written, without the base path
	Tags       []string
	Summary    string
	Pos        diag.Pos
	Others     []diag.Pos // operations that no request tells from this one, which takes what any of them does
	Blurred    bool       // with Others: it may take more than that
	Deprecated bool
	Servers    []Server // overrides API.Servers if not empty
	Parameters []*Parameter
	Body       *Body // nil if none is declared
	Responses  []*Response
	Security   Security
}

// Name is the operation's label: its id, else "METHOD template".
func (o *Operation) Name() string {
	if o.ID != "" {
		return o.ID
	}
	return o.Method + " " + o.Path
}

// In is where a parameter travels.
type In uint8

const (
	InPath In = iota
	InQuery
	InHeader
	InCookie
)

func (i In) String() string { return [...]string{"path", "query", "header", "cookie"}[i] }

// Style is how a parameter's value is written (OAS section 4.8.12.3).
type Style uint8

const (
	StyleSimple Style = iota
	StyleForm
	StyleLabel
	StyleMatrix
	StyleSpaceDelimited
	StylePipeDelimited
	StyleDeepObject
)

func (s Style) String() string {
	return [...]string{"simple", "form", "label", "matrix", "spaceDelimited", "pipeDelimited", "deepObject"}[s]
}

// Parameter is one declared parameter. Exactly one of Schema and Content is
// set where the document is well formed; both are nil for "anything".
type Parameter struct {
	Name          string
	In            In
	Pos           diag.Pos
	Required      bool
	Deprecated    bool
	Style         Style
	Explode       bool
	AllowReserved bool
	AllowEmpty    bool // allowEmptyValue
	Schema        *Schema
	Content       *MediaType // a parameter that holds a document, e.g. JSON
}

// Body is a declared request body.
type Body struct {
	Required bool
	Content  []*MediaType
	Pos      diag.Pos
}

// MediaType is one entry of a content map.
type MediaType struct {
	Type     string // lower case, as written otherwise: "application/json", "text/*; charset=utf-8"
	Schema   *Schema
	Encoding []*Encoding
	Pos      diag.Pos
}

// Encoding is how one property of a form or multipart body is written.
type Encoding struct {
	Property    string
	ContentType string
	Style       Style
	Explode     bool
	Headers     []*Parameter
	Pos         diag.Pos
}

// Response is one declared response.
type Response struct {
	Status  string // "200", "4XX", "default"
	Headers []*Parameter
	Content []*MediaType
	Pos     diag.Pos
}

// Security is what an operation demands of its caller. Absent, empty and
// "{}" are different statements (OAS section 4.8.10, 4.8.30).
type Security struct {
	Declared     bool // some security keyword applies, on the operation or the document
	Alternatives []Requirement
	Pos          diag.Pos
}

// Public reports whether a caller without credentials is allowed.
func (s Security) Public() bool {
	for _, a := range s.Alternatives {
		if len(a) == 0 {
			return true
		}
	}
	return len(s.Alternatives) == 0
}

// Requirement is a set of schemes that must all be satisfied.
type Requirement []SchemeUse

// SchemeUse names a scheme and the scopes asked of it.
type SchemeUse struct {
	Scheme string
	Scopes []string
}

// SchemeKind is a kind of credential.
type SchemeKind uint8

const (
	SchemeUnknown SchemeKind = iota
	SchemeBearer             // http bearer, oauth2, openIdConnect
	SchemeBasic
	SchemeAPIKey
	SchemeMutualTLS
	SchemeHTTPOther // another http scheme, see SecurityScheme.HTTPScheme
)

// SecurityScheme is one declared scheme.
type SecurityScheme struct {
	Name       string
	Kind       SchemeKind
	Type       string // as written: "http", "oauth2", "openIdConnect", "apiKey", "mutualTLS"
	HTTPScheme string // lower case, for type http
	In         In     // for apiKey
	Key        string // header, query or cookie name, for apiKey
	Pos        diag.Pos
}
