package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// deep is a value that is written in several names with brackets behind
// them, as style deepObject has it and PHP, Rails and qs read it:
//
//	item[color]=red&item[sizes][]=3&item[sizes][]=4&item[parts][0][id]=a
//
// It is judged while its names arrive. So what belongs to one object or array
// must follow each other, and indices count from 0: what comes back to an
// object, or leaves an index out, has more than one reading.
type deep struct {
	levels []level // the objects and arrays that are open, outermost first
	path   []byte  // the keys that are open in the objects
	whole  bool    // it was a text without brackets
}

type level struct {
	field   artifact.Field // of the object or array
	key     int            // of an object: where its open key begins in path
	items   int            // of an array: how many have begun
	counted bool           // its items have indices
}

// beginDeep begins a value of which no name has arrived.
func (v *values) beginDeep() {
	v.deep.levels, v.deep.path, v.deep.whole = v.deep.levels[:0], v.deep.path[:0], false
}

// descend goes to the value that a name is of: to root itself, or where the
// brackets behind it lead. It returns what that value may be; the machine
// awaits it. If the name can't be, code says why: UndeclaredProperty if there
// is nothing of this name, RepeatedField if it has been there before,
// ParameterEncoding if it has more than one reading.
func (v *values) descend(root artifact.Field, brackets []byte) (at artifact.Field, code violation.Code) {
	at = root
	depth := 0
	for ; len(brackets) > 0; depth++ {
		key, rest, ok := cutKey(brackets)
		switch {
		case !ok || at.Deep == artifact.DeepNone:
			return at, violation.UndeclaredProperty
		case depth >= int(v.bundle.Meta.MaxDepth):
			return at, violation.Depth
		case v.deep.whole:
			return at, violation.RepeatedField
		case depth == len(v.deep.levels):
			v.openDeep(at)
		}
		if at.Deep == artifact.DeepObject {
			at, code = v.deepProperty(depth, key)
		} else {
			at, code = v.deepItem(depth, key, len(rest) == 0)
		}
		if code != violation.None {
			return at, code
		}
		brackets = rest
	}
	if v.deep.whole || depth < len(v.deep.levels) {
		return at, violation.RepeatedField // as something else
	}
	v.deep.whole = depth == 0
	return at, violation.None
}

// cutKey splits "[key]rest".
func cutKey(brackets []byte) (key, rest []byte, ok bool) {
	end := bytes.IndexByte(brackets, ']')
	if brackets[0] != '[' || end < 0 {
		return nil, nil, false
	}
	key = brackets[1:end]
	return key, brackets[end+1:], bytes.IndexByte(key, '[') < 0
}

func (v *values) openDeep(f artifact.Field) {
	v.deep.levels = append(v.deep.levels, level{field: f, key: len(v.deep.path)})
	if f.Deep == artifact.DeepArray {
		v.machine.BeginArray()
		return
	}
	v.names.Push()
	v.machine.BeginObject()
}

// closeDeep ends the objects and arrays from a depth on.
func (v *values) closeDeep(depth int) {
	d := &v.deep
	for len(d.levels) > depth {
		last := d.levels[len(d.levels)-1]
		d.levels, d.path = d.levels[:len(d.levels)-1], d.path[:last.key]
		if last.field.Deep == artifact.DeepArray {
			v.machine.EndArray()
			continue
		}
		v.names.Pop()
		v.machine.EndObject()
	}
}

// deepProperty goes to the property of this name of the object at depth.
func (v *values) deepProperty(depth int, name []byte) (f artifact.Field, code violation.Code) {
	d := &v.deep
	object := d.levels[depth]
	f, declared := v.deepField(object.field, name)
	if depth+1 < len(d.levels) && bytes.Equal(d.path[object.key:d.levels[depth+1].key], name) {
		return f, violation.None // which is open
	}
	switch {
	case len(name) == 0, !declared && readingOf(name).isOneOf(v.bundle, object.field.Below): // as "'role'" is to Spring
		return f, violation.UndeclaredProperty
	case !utf8.Valid(name):
		return f, violation.ParameterEncoding
	}
	v.closeDeep(depth + 1)
	if !v.property(name) {
		return f, violation.RepeatedField
	}
	d.path = append(d.path[:object.key], name...)
	return f, violation.None
}

func (v *values) deepField(object artifact.Field, name []byte) (f artifact.Field, declared bool) {
	for _, f := range artifact.Of(v.bundle.Fields, object.Below) {
		if bytes.Equal(v.bundle.String(f.Name), name) {
			return f, true
		}
	}
	if object.Extra == artifact.TypeAny {
		return anyDeep, false
	}
	return artifact.Field{Scalars: object.Extra}, false
}

// anyDeep is a value of which the specification says nothing.
var anyDeep = artifact.Field{Scalars: artifact.TypeAny, Deep: artifact.DeepObject, Extra: artifact.TypeAny}

// deepItem goes to an item of the array at depth: the next one, or the last
// one if that is open. Without an index, only a scalar can be an item: whether
// "[][a]" is the next or still the last one depends on the reader.
func (v *values) deepItem(depth int, key []byte, last bool) (f artifact.Field, code violation.Code) {
	array := &v.deep.levels[depth]
	f = artifact.Of(v.bundle.Fields, array.field.Below)[0]
	counted := len(key) > 0
	if array.items > 0 && counted != array.counted || !counted && !last {
		return f, violation.ParameterEncoding
	}
	if counted {
		switch index, ok := parseIndex(key); {
		case ok && index == array.items-1 && depth+1 < len(v.deep.levels):
			return f, violation.None // which is open
		case ok && index == array.items-1:
			return f, violation.RepeatedField
		case !ok || index != array.items:
			return f, violation.ParameterEncoding
		}
	}
	v.closeDeep(depth + 1)
	array.items++
	array.counted = counted
	return f, violation.None
}

// parseIndex reads an index of at most six digits as all readers do.
func parseIndex(s []byte) (n int, ok bool) {
	whole, rest := digits(s)
	if len(rest) > 0 || len(whole) > 6 || len(whole) > 1 && whole[0] == '0' {
		return 0, false
	}
	for _, c := range whole {
		n = n*10 + int(c-'0')
	}
	return n, true
}
