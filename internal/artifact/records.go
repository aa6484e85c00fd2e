package artifact

import "github.com/threatgate/threatgate/internal/violation"

// Text is a string of the pool.
type Text struct{ Off, Len uint32 }

// Range is a run of records in another section.
type Range struct{ Off, Len uint32 }

// Ref is the index of a record in another section, plus one; 0 is none.
type Ref uint32

// Meta is what holds for the whole API.
type Meta struct {
	API           Text
	UnknownThreat Text                  // of violation.UnknownOperation
	MethodThreat  Text                  // of violation.Method
	MaxQuery      uint32                // query parameters in one request
	MaxDepth      uint32                // nesting of a JSON body
	MaxToken      uint32                // bytes of a JSON name or number
	MaxRecords    uint32                // violations recorded for one request, outside fail-fast enforce
	Mode          violation.Mode        // for requests that match no operation
	Failure       violation.FailureMode // likewise, and where the filter itself fails
	_             [6]uint8
}

// Host is a host whose requests are judged.
type Host struct {
	Name Text   // lower case, without port
	Root uint32 // into Nodes: where its routes begin
}

// Node is one node of the route tree: a path up to some slash.
type Node struct {
	Literals  Range // into Literals, sorted by text
	Templates Range // into Templates, the most specific first
	Methods   Range // into Methods; empty if no template ends here
}

// Literal is an edge for one exact segment, percent-decoded.
type Literal struct {
	Text Text
	Node uint32
}

// Template is an edge for segments such as "{id}" and "{a}:{verb}".
type Template struct {
	Pieces Range // into Pieces
	Node   uint32
}

// Piece is a part of a template segment: a literal text, or a capture where
// the text is empty.
type Piece struct{ Text Text }

// Method is one operation of a path.
type Method struct {
	Name      Text
	Operation uint32
}

// Operation is the policy of one operation.
type Operation struct {
	Label        Text
	Params       Range  // into Parameters: path, query (Open last), header, cookie, in this order
	Media        Range  // into Media, the most specific first; empty if no body is declared
	Security     Range  // into Alternatives; empty: anyone may call
	Limits       Range  // into Limits
	Threats      Range  // into Threats, sorted by code
	Responses    Range  // into Responses, the most specific first; empty: no response is judged
	Sunset       int64  // Unix seconds after which the operation is gone; 0: never
	MaxBody      uint32 // bytes
	MaxHeld      uint32 // bytes of a response that are held until they have been judged
	Mode         violation.Mode
	ResponseMode violation.Mode // Mode, or what does less
	Failure      violation.FailureMode
	Flags        OperationFlags
	Captures     uint8 // path parameters in its template
	_            [3]uint8
}

// OperationFlags are properties of an operation.
type OperationFlags uint8

const (
	BodyRequired OperationFlags = 1 << iota
	IsDeprecated
	UpgradeAllowed
	StripIdentity // client-supplied identity headers are removed
	RefuseEncodings
	StreamUploads  // in enforce a body is passed on while it is judged
	ReadResponses  // the schema of some response is judged
	WholeResponses // content of a 200 or 206 has a schema, by which no part of it can be judged
)

// Parameter is the plan for one declared parameter.
type Parameter struct {
	Name    Text
	Schema  Text   // location in the specification
	Fields  Range  // into Fields, for objects; the one item, for arrays in style deepObject
	Root    Ref    // program node that judges the value; 0: anything goes
	Capture uint32 // for path parameters: which capture of the template
	Place   violation.Place
	Shape   Shape
	Style   Style
	Scalars Types // which types a text may stand for: the value's own, an array's items', or those of an object's undeclared properties
	Alone   Types // which types the text as a whole may stand for beside an array or object; 0: none
	Flags   ParameterFlags
	_       [2]uint8
}

// ParameterFlags are properties of a parameter.
type ParameterFlags uint8

const (
	ParameterRequired ParameterFlags = 1 << iota
	Explode
	AllowEmpty
	PresenceOnly // its serialisation is not judged, only that it is there
	Open         // an exploded object that says what other properties are like: undeclared query parameters are its own
)

// Shape is how a parameter's text becomes a JSON value.
type Shape uint8

const (
	ShapeScalar Shape = iota
	ShapeArray
	ShapeObject
	ShapeJSON // the text is a JSON document
	ShapeFile // octets, of which only the number is judged; only of a Field
	shapeCount
)

// Style is OAS section 4.8.12.3, in the order of package inventory.
type Style uint8

const (
	StyleSimple Style = iota
	StyleForm
	StyleLabel
	StyleMatrix
	StyleSpaceDelimited
	StylePipeDelimited
	StyleDeepObject
	styleCount
)

// Types is a set of JSON types, in the order of inventory.TypeSet.
type Types uint8

const (
	TypeNull Types = 1 << iota
	TypeBoolean
	TypeInteger
	TypeNumber
	TypeString
	TypeArray
	TypeObject
	TypeAny Types = 1<<iota - 1
)

// Field is a property of an object-valued parameter, or of a body that is
// made of named fields.
type Field struct {
	Name         Text
	ContentTypes Text   // of a part of a multipart body: media types and ranges, separated by ", "; empty: any
	Below        Range  // into Fields: the properties of DeepObject, the one item of DeepArray
	Headers      Range  // into Parameters: of a part of a multipart body
	MaxSize      uint32 // of a file, in bytes
	Scalars      Types  // which types a text may stand for; 0: any text is refused
	Shape        Shape  // of the value, or of an item: scalar, JSON or file
	Array        uint8  // 1: an array, each item a field of its own
	Deep         Deep   // what a name with brackets behind this one is
	Extra        Types  // of DeepObject: which types the text of an undeclared property may stand for; TypeAny: objects, too
	_            [3]uint8
}

// Deep is what the brackets of "name[…]" hold.
type Deep uint8

const (
	DeepNone   Deep = iota // there can be none
	DeepObject             // names of properties
	DeepArray              // nothing, or an index
	deepCount
)

// Media is one declared content type of a body.
type Media struct {
	Type       Text  // "application/json", "application/*", "*/*", "*/*+json": lower case, without parameters
	Parameters Text  // "v=1;w=2": that a content type of this kind has, lower case
	Root       Ref   // program node; 0: any body of this type
	Fields     Range // into Fields: the declared ones of a form or multipart body, the one that octets are
	Roots      Range // into Elements: what the root of an XML document may be
	Kind       MediaKind
	Extra      Types // which types a text may stand for: the whole body, or an undeclared field
	_          [2]uint8
}

// MediaKind is how a body is read.
type MediaKind uint8

const (
	MediaOpaque MediaKind = iota // by size only
	MediaJSON
	MediaText      // as one scalar
	MediaForm      // application/x-www-form-urlencoded, as an object
	MediaMultipart // multipart/form-data, as an object
	MediaLines     // JSON texts, one a line, as an array
	MediaSequence  // application/json-seq, as an array
	MediaXML
	MediaUnread // not at all: its root says what becomes of it
	MediaOctets // by size only, but by the schema's bound
	mediaKindCount
)

// IsText reports whether bodies of the kind are read, all of them as text.
func (k MediaKind) IsText() bool { return MediaOpaque < k && k < MediaUnread }

// Element is one way in which XML writes a property, an item or a whole body.
type Element struct {
	Name     Text
	Space    Text   // its namespace; empty: none, or for an element that of the one around it
	Property Text   // of an object
	Content  uint32 // into Contents
	Kind     ElementKind
	_        [3]uint8
}

// ElementKind is what an Element is.
type ElementKind uint8

const (
	ElementWhole     ElementKind = iota // an element of its own
	ElementItem                         // an element of which each is an item of the property
	ElementAttribute                    // of the object's element
	ElementNone                         // a property of this name is written in another way
	elementKindCount
)

// Content is how XML writes the values of a schema: what an element holds.
type Content struct {
	Elements Range // into Elements: of an object, sorted by name; the one of which each is an item of an array
	Kind     ContentKind
	Scalars  Types // which types a text may stand for, or that of an undeclared element or attribute of an object
	_        [2]uint8
}

// ContentKind is what kind of value an element's content is.
type ContentKind uint8

const (
	ContentText ContentKind = iota
	ContentObject
	ContentArray
	ContentAny // of which nothing is said
	contentKindCount
)

// Response is what is declared of the responses with certain status codes.
type Response struct {
	Media       Range  // into Media, the most specific first; empty: nothing is said of the body
	Headers     Range  // into Parameters
	First, Last uint16 // status codes
	Flags       ResponseFlags
	_           [3]uint8
}

// IsDefault reports whether the response is declared for any status code.
func (r *Response) IsDefault() bool { return r.Last-r.First > 99 }

// ResponseFlags are properties of a response.
type ResponseFlags uint8

// BodyExpected says that a response without a body is a violation, unless
// HTTP itself has none there (RFC 9110 section 6.4.1).
const BodyExpected ResponseFlags = 1

// Alternative is one way to be authorised: all its credentials.
type Alternative struct{ Credentials Range }

// Credential is one credential that must be there.
type Credential struct {
	Name    Text  // header, query parameter or cookie; lower case for headers
	Scopes  Range // into Scopes: all must be granted; only with Issuers
	Issuers Range // into Issuers: one of these must have verified the token; empty: form only
	Kind    CredentialKind
	_       [3]uint8
}

// CredentialKind is how a credential travels.
type CredentialKind uint8

const (
	CredentialBearer CredentialKind = iota // Authorization: Bearer (RFC 6750)
	CredentialBasic                        // Authorization: Basic (RFC 7617)
	CredentialHeader
	CredentialQuery
	CredentialCookie
	CredentialScheme // Authorization: <Name> ...
	credentialKindCount
)

// Issuer is one token issuer, whose tokens Envoy verifies.
type Issuer struct {
	Issuer Text // the iss claim
	Header Text // the request header in which Envoy passes the verified payload, base64url
}

// Limit is one rate limit, judged by GCRA.
type Limit struct {
	Class    Text   // names the table of its keys
	Interval uint64 // nanoseconds that one request costs
	Burst    uint32 // requests at once
	Limit    uint32 // requests in a window, for the RateLimit fields
	Window   uint32 // seconds
	Key      LimitKey
	_        [3]uint8
}

// LimitKey is whom a limit counts.
type LimitKey uint8

const (
	PerAddress LimitKey = iota
	PerSubject          // the verified token's sub; its address where there is none
	PerOperation
	limitKeyCount
)

// Threat names the threat that a violation of one code carries out.
type Threat struct {
	ID   Text
	Code violation.Code
	_    [3]uint8
}
