package model

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
)

// maxValues bounds the values of a document, counting what an alias stands
// for at each of its uses.
const maxValues = 1 << 18

// decoder fills the types of document.go from YAML, strictly: a field that
// they don't have, a field given twice, a value of another type are errors. A
// value that is wrong is left out, null is a field that isn't given.
//
// Structs are mappings, slices lists, maps mappings with free keys, written
// values scalars. Tags of a struct's field say more:
//
//	field:"name,required"  the field's name, and whether it must be given
//	one:"a b c"            a scalar must be one of these words
//	or:"word"              in place of the mapping this word may stand, which means the zero value
//
// A struct's Pos is where its mapping starts, or where its key stands in a
// mapping with free keys.
type decoder struct {
	src    *source
	diags  *diag.List
	values int
}

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) {
	d.diags.Errorf(d.src.pos(n), format, args...)
}

// value fills v from n, and reports whether n is of v's type; what names the
// value in messages.
func (d *decoder) value(n *yaml.Node, v reflect.Value, tag reflect.StructTag, what string) bool {
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.errorf(n, "the document has more than %d values", maxValues)
		}
		return false
	}
	n = resolve(n)
	if scalar, ok := v.Addr().Interface().(interface{ cell() (any, *diag.Pos) }); ok {
		value, pos := scalar.cell()
		ok := d.scalar(n, value, tag.Get("one"), what)
		if ok {
			*pos = d.src.pos(n)
		}
		return ok
	}
	switch v.Kind() {
	case reflect.Slice:
		if !d.is(n, yaml.SequenceNode, "a list", what) {
			return false
		}
		for _, item := range n.Content {
			last := v.Len()
			v.Grow(1)
			v.SetLen(last + 1)
			if !d.value(item, v.Index(last), "", "an item of "+what) {
				v.Index(last).SetZero()
				v.SetLen(last)
			}
		}
	case reflect.Map:
		if !d.is(n, yaml.MappingNode, "a mapping", what) {
			return false
		}
		v.Set(reflect.MakeMap(v.Type()))
		d.fields(n, func(key, item *yaml.Node) {
			entry := reflect.New(v.Type().Elem()).Elem()
			d.value(item, entry, "", fmt.Sprintf("%q", key.Value))
			entry.FieldByName("Pos").Set(reflect.ValueOf(d.src.pos(key)))
			v.SetMapIndex(reflect.ValueOf(key.Value), entry)
		})
	case reflect.Struct:
		if word := tag.Get("or"); word != "" && n.Kind == yaml.ScalarNode {
			if n.Value == word {
				return true
			}
			d.errorf(n, "%s must be %s or a mapping, not %s", what, word, kindOf(n))
			return false
		}
		if !d.is(n, yaml.MappingNode, "a mapping", what) {
			return false
		}
		d.mapping(n, v)
	}
	return true
}

// mapping fills the struct v from the mapping n.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	v.FieldByName("Pos").Set(reflect.ValueOf(d.src.pos(n)))
	missing, known := map[string]bool{}, map[string]int{}
	for i := range v.NumField() {
		if name, required, ok := fieldTag(v.Type().Field(i)); ok {
			known[name] = i
			if required {
				missing[name] = true
			}
		}
	}
	d.fields(n, func(key, item *yaml.Node) {
		name := key.Value
		i, ok := known[name]
		if !ok {
			d.errorf(key, "unknown field %q%s", name, diag.DidYouMean(name, keys(known)))
			return
		}
		if isNull(resolve(item)) {
			return
		}
		delete(missing, name)
		d.value(item, v.Field(i), v.Type().Field(i).Tag, fmt.Sprintf("%q", name))
	})
	for _, name := range keys(missing) {
		d.errorf(n, "missing required field %q", name)
	}
}

// fieldTag reads the field tag of a struct's field, if it has one.
func fieldTag(f reflect.StructField) (name string, required, ok bool) {
	tag, ok := f.Tag.Lookup("field")
	name, required = strings.CutSuffix(tag, ",required")
	return name, required, ok
}

// fields calls each for every field of the mapping n, without repetitions.
func (d *decoder) fields(n *yaml.Node, each func(key, item *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, item := resolve(n.Content[i]), n.Content[i+1]
		switch line, repeated := first[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			d.errorf(n.Content[i], "a field's name must be a string, not %s", kindOf(key))
		case repeated:
			d.errorf(key, "duplicate field %q, first in line %d", key.Value, line)
		default:
			first[key.Value] = key.Line
			each(key, item)
		}
	}
}

// scalar fills value, a pointer, from the scalar n, which must be among the
// words of one if there are any.
func (d *decoder) scalar(n *yaml.Node, value any, one, what string) bool {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.errorf(n, "%s must be %s, not %s", what, expectation(value), kindOf(n))
		return false
	}
	tag := n.ShortTag()
	switch kind := reflect.TypeOf(value).Elem().Kind(); {
	case kind == reflect.String && tag != "!!str" && tag != "!!timestamp":
		d.errorf(n, "%s must be a string, not %s: put it in quotes", what, kindOf(n))
		return false
	case kind == reflect.Bool && tag != "!!bool",
		(kind == reflect.Uint8 || kind == reflect.Uint32) && tag != "!!int":
		d.errorf(n, "%s must be %s, not %s", what, expectation(value), kindOf(n))
		return false
	}
	switch value := value.(type) {
	case *bool:
		// YAML has no other words for it, unless a tag makes one a boolean.
		*value = strings.EqualFold(n.Value, "true")
		if !*value && !strings.EqualFold(n.Value, "false") {
			d.errorf(n, "%s must be true or false, not %q", what, n.Value)
			return false
		}
	case *string:
		if words := strings.Fields(one); len(words) > 0 && !slices.Contains(words, n.Value) {
			d.errorf(n, "%s must be %s, not %q%s", what, diag.Or(words), n.Value, diag.DidYouMean(n.Value, words))
			return false
		}
		if n.Value == "" {
			d.errorf(n, "%s is empty", what)
			return false
		}
		*value = n.Value
	case encoding.TextUnmarshaler:
		if err := value.UnmarshalText([]byte(n.Value)); err != nil {
			d.errorf(n, "%s must be %v, not %q", what, err, n.Value)
			return false
		}
	}
	return true
}

// expectation is what must stand where value, a pointer, is filled.
func expectation(value any) string {
	switch value := value.(type) {
	case *string, *identifier:
		return "a string"
	case *bool:
		return "true or false"
	case encoding.TextUnmarshaler:
		return value.UnmarshalText(nil).Error()
	}
	panic(fmt.Sprintf("a document has no scalars of type %T", value))
}

// is reports whether n is of a kind, complaining if not.
func (d *decoder) is(n *yaml.Node, kind yaml.Kind, expected, what string) bool {
	if n.Kind != kind {
		d.errorf(n, "%s must be %s, not %s", what, expected, kindOf(n))
	}
	return n.Kind == kind
}

// resolve is the node itself, or the one that it is an alias of.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kindOf names a node's kind in messages.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "null"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	}
	return fmt.Sprintf("%q", n.Value)
}
