package xml

import "bytes"

// binding gives a prefix a namespace. Both stand in Tokenizer.bound.
type binding struct{ prefix, space, end int }

var (
	xmlns      = []byte("xmlns")
	xmlnsSpace = []byte("http://www.w3.org/2000/xmlns/")
	xmlPrefix  = []byte("xml")
	xmlSpace   = []byte("http://www.w3.org/XML/1998/namespace")
)

// bind takes the declarations of namespaces out of the attributes, and reports
// whether they are in order (Namespaces in XML sections 3 and 4).
func (t *Tokenizer) bind() bool {
	others := t.Attributes[:0]
	for _, a := range t.Attributes {
		prefix, isDeclaration := bytes.CutPrefix(a.Local, xmlns)
		switch {
		case !isDeclaration, len(prefix) > 0 && prefix[0] != ':':
			others = append(others, a)
			continue
		case len(prefix) > 0:
			if prefix = prefix[1:]; len(prefix) == 0 || len(a.Value) == 0 || bytes.IndexByte(prefix, ':') >= 0 {
				return false
			}
		}
		if bytes.Equal(prefix, xmlns) || bytes.Equal(a.Value, xmlnsSpace) || bytes.Equal(prefix, xmlPrefix) != bytes.Equal(a.Value, xmlSpace) {
			return false
		}
		if len(prefix) > t.limits.MaxToken || len(a.Value) > t.limits.MaxToken || len(t.bindings) == maxBindings {
			t.Err = TokenLength
			return false
		}
		if t.declared(prefix) {
			return false
		}
		start := len(t.bound)
		t.bound = append(append(t.bound, prefix...), a.Value...)
		t.bindings = append(t.bindings, binding{start, start + len(prefix), len(t.bound)})
	}
	t.Attributes = others
	return true
}

// declared reports whether the innermost element has bound the prefix.
func (t *Tokenizer) declared(prefix []byte) bool {
	for _, b := range t.bindings[t.open[len(t.open)-1].bindings:] {
		if bytes.Equal(t.bound[b.prefix:b.space], prefix) {
			return true
		}
	}
	return false
}

// resolve finds the namespace of a name as written. Without a prefix elements
// have the default one, attributes none (section 6.2).
func (t *Tokenizer) resolve(written []byte, isElement bool) (n Name, ok bool) {
	prefix, local, prefixed := bytes.Cut(written, []byte{':'})
	if !prefixed {
		prefix, local = nil, written
	}
	first, rest := cutName(local)
	if len(first) == 0 || len(rest) > 0 || bytes.IndexByte(local, ':') >= 0 || prefixed && len(prefix) == 0 {
		return n, false
	}
	n.Local = local
	if !prefixed && !isElement {
		return n, true
	}
	if bytes.Equal(prefix, xmlPrefix) {
		n.Space = xmlSpace
		return n, true
	}
	for i := len(t.bindings) - 1; i >= 0; i-- {
		b := t.bindings[i]
		if bytes.Equal(t.bound[b.prefix:b.space], prefix) {
			n.Space = t.bound[b.space:b.end]
			return n, true
		}
	}
	return n, !prefixed
}
