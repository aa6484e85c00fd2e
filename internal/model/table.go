package model

import (
	"maps"
	"slices"

	"github.com/threatgate/threatgate/internal/diag"
)

// table holds what a document declares of one kind, by id.
type table[T any] struct {
	kind string
	byID map[string]*T
	pos  map[string]diag.Pos
}

func newTable[T any](kind string) table[T] {
	return table[T]{kind, map[string]*T{}, map[string]diag.Pos{}}
}

// declare adds v. An id that wasn't given has been reported.
func (t table[T]) declare(id written[identifier], v *T, diags *diag.List) {
	name := string(id.Value)
	switch first, repeated := t.pos[name]; {
	case !id.given():
	case repeated:
		diags.Errorf(id.Pos, "duplicate %s %q, first in line %d", t.kind, name, first.Line)
	default:
		t.byID[name], t.pos[name] = v, id.Pos
	}
}

// find is what ref names; nil, and an error, if that isn't declared.
func (t table[T]) find(ref written[string], diags *diag.List) *T {
	v, ok := t.byID[ref.Value]
	if !ok && ref.given() {
		diags.Errorf(ref.Pos, "unknown %s %q%s", t.kind, ref.Value, diag.DidYouMean(ref.Value, keys(t.byID)))
	}
	return v
}

// keys are the sorted keys of m.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
