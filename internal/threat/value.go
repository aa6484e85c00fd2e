package threat

import (
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
)

// value is one thing that an operation takes or gives: a parameter, or a
// property, item or whole of a body.
type value struct {
	place     string // path, query, header, cookie, request, response
	name      string // of the parameter or property; "" for an item or a whole body
	path      string // "order_id", "body.items[].sku"
	schema    *inventory.Schema
	pos       diag.Pos
	mediaType string // of a whole body; else ""
	repeated  bool   // below an array: there may be many
	sealed    bool   // an enclosing unevaluatedProperties closes it
	visited   *visited
	naming    // what the name says; its class is the schema's if that has one
}

// values lists what o takes and gives; what a place has again is listed once.
func (e *enumeration) values(o *model.Operation) []value {
	w := valueWalk{enumeration: e}
	for _, p := range o.Parameters {
		schema := p.Schema
		if p.Content != nil {
			schema = p.Content.Schema
		}
		w.begin(p.In.String())
		w.add(value{name: p.Name, path: p.Name, schema: schema, pos: p.Pos})
		w.descend()
	}
	if o.Body != nil {
		w.begin("request")
		w.content(o.Body.Content)
		w.descend()
	}
	w.begin("response")
	for _, r := range o.Responses {
		w.content(r.Content)
	}
	w.descend()
	return w.out
}

var anything = &inventory.Schema{Types: inventory.TypeAny}

// valueWalk goes breadth first, so that a value has its shortest path.
type valueWalk struct {
	*enumeration
	place string
	out   []value // also the queue:
	next  int     // of out, whose schema is to be followed
}

// visit is all of a value that triggers ask of.
type visit struct {
	place            string
	schema           *inventory.Schema
	name, mediaType  string
	repeated, sealed bool
}

// visited is what values of one visit have in common, in all operations: a
// trigger holds for each of them or for none.
type visited struct {
	walk         int      // that met it last
	asked, holds []uint64 // bitsets of triggers
}

func (k *visited) matches(index int, trigger *Trigger, v value) bool {
	word, bit := index/64, uint64(1)<<(index%64)
	if k.asked[word]&bit == 0 {
		k.asked[word] |= bit
		if trigger.value(v) {
			k.holds[word] |= bit
		}
	}
	return k.holds[word]&bit != 0
}

func (w *valueWalk) begin(place string) {
	w.place = place
	w.walks++
}

func (w *valueWalk) content(content []*inventory.MediaType) {
	for _, m := range content {
		w.add(value{path: "body", schema: m.Schema, pos: m.Pos, mediaType: m.Type})
	}
}

// add lists v, unless the place has the same already.
func (w *valueWalk) add(v value) {
	if v.schema == nil {
		v.schema = anything
	}
	key := visit{w.place, v.schema, v.name, v.mediaType, v.repeated, v.sealed}
	v.visited = w.visits[key]
	if v.visited == nil {
		words := make([]uint64, 2*(len(w.indices)/64+1))
		v.visited = &visited{asked: words[:len(words)/2], holds: words[len(words)/2:]}
		w.visits[key] = v.visited
	}
	if v.visited.walk == w.walks {
		return
	}
	v.visited.walk = w.walks
	v.place, v.naming = w.place, w.naming(v.name)
	if v.schema.Classification != nil {
		v.class = classOf(v.schema.Classification)
	}
	w.out = append(w.out, v)
}

func (w *valueWalk) descend() {
	for ; w.next < len(w.out); w.next++ {
		w.below(w.out[w.next])
	}
}

// below adds what the schema of v leads to.
func (w *valueWalk) below(v value) {
	s := v.schema
	sealed := v.sealed || forbids(s.UnevaluatedProperties)
	same := func(parts ...*inventory.Schema) {
		for _, part := range parts {
			if part != nil {
				w.add(value{name: v.name, path: v.path, schema: part, pos: v.pos, repeated: v.repeated, sealed: sealed})
			}
		}
	}
	child := func(name, path string, schema *inventory.Schema, pos diag.Pos, repeated bool) {
		if schema != nil {
			w.add(value{name: name, path: path, schema: schema, pos: pos, repeated: repeated})
		}
	}
	same(s.Ref, s.If, s.Then, s.Else)
	same(s.AllOf...)
	same(s.AnyOf...)
	same(s.OneOf...)
	for _, p := range s.DependentSchemas {
		same(p.Schema)
	}
	for _, p := range s.Properties {
		child(p.Name, v.path+"."+p.Name, p.Schema, p.Pos, v.repeated)
	}
	for _, p := range s.PatternProperties {
		child("", v.path+".*", p.Schema, p.Pattern.Pos, true)
	}
	for _, open := range []*inventory.Schema{s.AdditionalProperties, s.UnevaluatedProperties} {
		if open != nil && open.Bool == nil {
			child("", v.path+".*", open, open.Pos, true)
		}
	}
	for _, items := range append([]*inventory.Schema{s.Items, s.Contains}, s.PrefixItems...) {
		if items != nil && items.Bool == nil {
			child("", v.path+"[]", items, items.Pos, true)
		}
	}
}

func forbids(s *inventory.Schema) bool { return s != nil && s.Bool != nil && !*s.Bool }

// open reports whether v is an object with declared properties that takes
// undeclared ones, too.
func (v value) open() bool {
	s := v.schema
	return len(s.Properties) > 0 && s.Types&inventory.TypeObject != 0 && !v.sealed &&
		(s.AdditionalProperties == nil || s.AdditionalProperties.Bool != nil && *s.AdditionalProperties.Bool) &&
		s.UnevaluatedProperties == nil
}

// unbounded reports whether the schema lets v be of any size.
func (v value) unbounded() bool {
	s := v.schema
	if s.Types == inventory.TypeAny || v.listed() {
		return false
	}
	return s.Types&inventory.TypeString != 0 && s.MaxLength == nil && !fixedLength[s.Format] ||
		s.Types&inventory.TypeArray != 0 && s.MaxItems == nil ||
		s.Types&(inventory.TypeInteger|inventory.TypeNumber) != 0 && !v.maximum() && !fixedWidth[s.Format]
}

// Formats whose values have an upper bound by themselves: of length, of range.
var (
	fixedLength = map[string]bool{"date": true, "date-time": true, "time": true, "uuid": true, "ipv4": true, "ipv6": true, "email": true, "idn-email": true, "hostname": true}
	fixedWidth  = map[string]bool{"int32": true, "int64": true, "float": true, "double": true}
)

func (v value) maximum() bool {
	return v.schema.Maximum != "" || v.schema.ExclusiveMaximum != "" || v.listed()
}

// listed reports whether the schema says which values are allowed.
func (v value) listed() bool {
	return v.schema.Enum != nil || v.schema.Const != nil || v.schema.Pattern != nil
}

// backtracks reports whether the pattern of v has an assertion or a
// back-reference, so that matchers take more than linear time for it.
func (v value) backtracks() bool {
	if v.schema.Pattern == nil {
		return false
	}
	class := false
	source := v.schema.Pattern.Source
	for i := 0; i < len(source); i++ {
		rest := source[i:]
		switch {
		case rest[0] == '\\':
			if len(rest) > 1 && !class && (rest[1] >= '1' && rest[1] <= '9' || rest[1] == 'k') {
				return true
			}
			i++
		case rest[0] == '[':
			class = true
		case rest[0] == ']':
			class = false
		case !class && (strings.HasPrefix(rest, "(?=") || strings.HasPrefix(rest, "(?!") || strings.HasPrefix(rest, "(?<=") || strings.HasPrefix(rest, "(?<!")):
			return true
		}
	}
	return false
}
