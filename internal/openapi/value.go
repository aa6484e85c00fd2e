package openapi

import (
	"strconv"
	"strings"
)

// The readers in this file take a field's value as one kind. Where it is
// another they report it and return nothing: null, which YAML writers leave
// behind by accident, is a warning and counts as an absent field.

func (l *loader) is(f *field, want kind) bool {
	switch f.value.kind {
	case want:
		return true
	case null:
		l.diags.Warnf(f.pos(), "%s is null and counts as absent", f.label())
	default:
		l.wrongKind(f, want)
	}
	return false
}

func (l *loader) wrongKind(f *field, want kind) {
	l.diags.Errorf(f.value.pos(), "%s must be %s, not %s", f.label(), want, f.value.kind)
}

// label is what messages call the field.
func (f *field) label() string {
	if f.value.parent != nil && f.value.parent.kind == array {
		return "an element of " + f.value.parent.label()
	}
	return strconv.Quote(f.name)
}

// label is what messages call the node.
func (n *node) label() string {
	if n.parent == nil {
		return "the document"
	}
	return n.parent.fields[n.at].label()
}

func (l *loader) text(f *field) string {
	if l.is(f, text) {
		return f.value.text
	}
	return ""
}

func (l *loader) bool(f *field) bool {
	return l.is(f, boolean) && f.value.text == "true"
}

// members is the fields of an object, elements those of an array.
func (l *loader) members(f *field) []field {
	if l.is(f, object) {
		return f.value.fields
	}
	return nil
}

func (l *loader) elements(f *field) []field {
	if l.is(f, array) {
		return f.value.fields
	}
	return nil
}

// texts is an array of strings.
func (l *loader) texts(f *field) []string {
	elements := l.elements(f)
	out := make([]string, 0, len(elements))
	for i := range elements {
		if l.is(&elements[i], text) {
			out = append(out, elements[i].value.text)
		}
	}
	return out
}

// reach is the object that f holds or refers to, or nil after a diagnostic.
// It is not for schemas, whose references may have siblings that count.
func (l *loader) reach(f *field, want section) *node {
	if !l.is(f, object) {
		return nil
	}
	n := l.deref(f.value, want, l.onlyReference)
	if n != nil && n.kind != object {
		l.diags.Errorf(f.value.get("$ref").value.pos(), "the reference leads to %s, not to an object", n.kind)
		return nil
	}
	return n
}

// onlyReference warns of what stands beside a reference (OAS section 4.8.23).
func (l *loader) onlyReference(n *node) bool {
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "$ref", "summary", "description":
		default:
			l.unknown(f, "a reference")
		}
	}
	return true
}

// unknown warns of a field that OpenAPI doesn't define for the named object.
// Extensions (OAS section 4.9) and what only documents are no concern.
func (l *loader) unknown(f *field, owner string) {
	if !strings.HasPrefix(f.name, "x-") {
		l.diags.Warnf(f.pos(), "%s has no field %q; it is ignored", owner, f.name)
	}
}
