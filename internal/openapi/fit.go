package openapi

import (
	"reflect"
	"slices"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// fit is how what two operations admit of one part of a request compares.
type fit uint8

const (
	equal    fit = iota
	wider        // the first admits all that the second does
	narrower     // the second admits all that the first does
	apart        // neither is known to; what is made of both admits what either does
	loose        // what is made of both may admit something else
)

// join compares parts that differ in two ways.
func (f fit) join(g fit) fit {
	switch {
	case f == equal || f == g:
		return g
	case g == equal:
		return f
	case f == loose || g == loose:
		return loose
	}
	return apart
}

// is compares a part in one way: whether the first and the second admit what
// the other may not.
func is(first, second bool) fit {
	switch {
	case first && !second:
		return wider
	case second && !first:
		return narrower
	}
	return equal
}

// exact reports whether requests of which each part is admitted by either
// operation are those that either admits: A×B ∪ C×B = (A∪C)×B, and if one
// admits in each part what the other does it admits all.
func exact(parts []fit) bool {
	var count [loose + 1]int
	for _, f := range parts {
		count[f]++
	}
	differ := len(parts) - count[equal]
	return count[loose] == 0 && (differ <= 1 || differ == count[wider] || differ == count[narrower])
}

// alike reports whether two parts of an inventory say the same, wherever they
// stand.
func alike(a, b any) bool {
	return comparison{}.alike(reflect.ValueOf(a), reflect.ValueOf(b))
}

// comparison has the pairs that are being compared: schemas can be recursive.
type comparison map[[2]uintptr]bool

func (c comparison) alike(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		pair := [2]uintptr{a.Pointer(), b.Pointer()}
		if a.IsNil() || b.IsNil() || pair[0] == pair[1] || c[pair] {
			return c[pair] || pair[0] == pair[1]
		}
		c[pair] = true
		return c.alike(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !c.alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !isPlace(a, i) && !c.alike(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// isPlace reports whether a field of s says where s stands.
func isPlace(s reflect.Value, field int) bool {
	f := s.Type().Field(field)
	return f.Type == reflect.TypeFor[diag.Pos]() || f.Name == "Pointer" && s.Type() == reflect.TypeFor[inventory.Schema]()
}

// isScalar reports whether all values of s are of one type, which is none
// that holds others.
func isScalar(s *inventory.Schema) bool {
	return slices.Contains([]inventory.TypeSet{inventory.TypeBoolean, inventory.TypeInteger, inventory.TypeNumber, inventory.TypeString}, s.Types)
}

// isText reports whether s says that a value is a string, and no more.
func isText(s *inventory.Schema) bool {
	return alike(*s, inventory.Schema{Types: inventory.TypeString})
}
