package threat

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// The vocabulary of triggers. A trigger is a conjunction of words about an
// operation, a value of it, the service, or a flow:
//
//	operation: {method: [POST, PUT], limit: none, not: {named: admin}}
//	value: {in: request, named: privileged}
//
// The words of a value hold if one value has them all; every such value is
// evidence. A word takes true or false, one of its choices or a list of them,
// or the names of lists of names. "not" takes words of the same kind that must
// not hold together, or a list of such.

// test is a decoded condition.
type test[T any] func(T) bool

// term decodes the argument of one word.
type term[T any] func(*pack, *yaml.Node) test[T]

var operationTerms = map[string]term[operationSubject]{
	"method":     choice(func(o operationSubject) []string { return []string{o.Method} }, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"),
	"named":      called(operationSubject.names), // the operation id or a segment of the path
	"tagged":     called(func(o operationSubject) []string { return o.Tags }),
	"security":   choice(operationSubject.security, "none", "required", "bearer", "basic", "key-in-query"), // none: a caller without credentials is allowed
	"scopes":     choice(operationSubject.scopes, "none", "some"),                                          // none: some way in needs no scope
	"issuer":     choice(operationSubject.issuers, "none", "known", "without-audience"),                    // whose tokens are known to the model
	"limit":      choice(operationSubject.limits, "none", "address", "subject", "operation"),               // whom the rate limit counts
	"owner":      flag(func(o operationSubject) bool { return o.Owner != nil }),                            // an owner binding is declared
	"deprecated": flag(func(o operationSubject) bool { return o.Deprecated }),                              // it or its version
	"sunset":     flag(func(o operationSubject) bool { return !o.Sunset.IsZero() }),                        // a date of removal is declared
	"superseded": flag(operationSubject.superseded),                                                        // the same path exists with a higher version
}

var valueTerms = map[string]term[value]{
	"in":           choice(func(v value) []string { return []string{v.place} }, "path", "query", "header", "cookie", "request", "response"),
	"named":        valueNamed,
	"type":         choice(value.types, "boolean", "integer", "number", "string", "array", "object"),
	"format":       choice(func(v value) []string { return []string{v.schema.Format} }),
	"media-type":   choice(func(v value) []string { return mediaTypes(v.mediaType) }), // of a whole body: "multipart/form-data", "multipart/*"
	"open":         flag(value.open),                                                  // takes properties that it doesn't declare
	"unbounded":    flag(value.unbounded),                                             // a string, array or number of any size
	"maximum":      flag(value.maximum),                                               // a largest number is declared
	"listed":       flag(value.listed),                                                // enum, const or pattern says what is allowed
	"backtracking": flag(value.backtracks),                                            // its pattern has assertions or back-references
	"read-only":    flag(func(v value) bool { return v.schema.ReadOnly }),
	"write-only":   flag(func(v value) bool { return v.schema.WriteOnly }),
	"repeated":     flag(func(v value) bool { return v.repeated }), // there may be many: it is below an array or map
	"sensitivity":  choice(func(v value) []string { return []string{v.class.String()} }, classWords[:]...),
}

var serviceTerms = map[string]term[serviceSubject]{
	"edge":     flag(func(s serviceSubject) bool { return s.Edge }), // what arrives may come from anybody
	"upstream": choice(serviceSubject.upstream, "none", "plain", "tls", "loopback"),
	"servers":  calledApart(serviceSubject.hosts), // some declared servers are named so, and some aren't
}

var flowTerms = map[string]term[flowSubject]{
	"from":        choice(func(f flowSubject) []string { return []string{end(f.From)} }, "service", "zone"),
	"to":          choice(func(f flowSubject) []string { return []string{end(f.To)} }, "service", "zone"),
	"trust":       choice(flowSubject.trust, "lower", "same", "higher"), // of the receiver, compared with the sender
	"authn":       choice(flowSubject.authn, "none", "issuer"),
	"identity":    choice(func(f flowSubject) []string { return []string{cmp.Or(f.Identity, "none")} }, "end-user", "technical-user", "none"),
	"token":       choice(flowSubject.token, "none", "exchange", "strip", "forward"),
	"sensitivity": choice(flowSubject.sensitivities, classWords[:]...), // of a data asset that it carries
	"category":    choice(flowSubject.categories, "PII", "financial", "government-id", "health", "secret", "credential", "contact", "other"),
	"caller":      choice(func(f flowSubject) []string { return guard(f.From.Service) }, "open", "guarded"), // open: no operation of the service demands credentials
	"callee":      choice(func(f flowSubject) []string { return guard(f.To.Service) }, "open", "guarded"),
}

// all decodes a mapping of words into their conjunction.
func all[T any](p *pack, n *yaml.Node, vocabulary map[string]term[T]) test[T] {
	var tests []test[T]
	known := map[string]func(*yaml.Node){
		"not": func(n *yaml.Node) {
			parts := []*yaml.Node{n}
			if n.Kind == yaml.SequenceNode {
				parts = n.Content
			}
			for _, part := range parts {
				inner := all(p, part, vocabulary)
				tests = append(tests, func(t T) bool { return !inner(t) })
			}
		},
	}
	for word, decode := range vocabulary {
		known[word] = func(n *yaml.Node) { tests = append(tests, decode(p, n)) }
	}
	p.fields(n, known)
	return func(t T) bool {
		return !slices.ContainsFunc(tests, func(holds test[T]) bool { return !holds(t) })
	}
}

func flag[T any](of func(T) bool) term[T] {
	return func(p *pack, n *yaml.Node) test[T] {
		want := p.flag(n)
		return func(t T) bool { return of(t) == want }
	}
}

// choice compares what holds of a subject with one word or a list of them;
// without words, any text may be given.
func choice[T any](of func(T) []string, words ...string) term[T] {
	return func(p *pack, n *yaml.Node) test[T] {
		read := p.text
		if words != nil {
			read = func(n *yaml.Node) string { return p.word(n, words) }
		}
		var want []string
		if n.Kind == yaml.SequenceNode {
			p.items(n, func(item *yaml.Node) { want = append(want, read(item)) })
		} else {
			want = []string{read(n)}
		}
		return func(t T) bool {
			return slices.ContainsFunc(of(t), func(s string) bool { return slices.Contains(want, s) })
		}
	}
}

// called compares the subject's names with lists of names.
func called[T any](of func(T) []string) term[T] {
	return func(p *pack, n *yaml.Node) test[T] {
		list := p.names(n)
		return func(t T) bool { return slices.ContainsFunc(of(t), list.match) }
	}
}

func valueNamed(p *pack, n *yaml.Node) test[value] {
	list := p.names(n)
	return func(v value) bool { return list.matchWords(v.words) }
}

// calledApart holds if some of the subject's names match and some don't.
func calledApart[T any](of func(T) []string) term[T] {
	return func(p *pack, n *yaml.Node) test[T] {
		list := p.names(n)
		return func(t T) bool {
			all := of(t)
			return slices.ContainsFunc(all, list.match) && slices.ContainsFunc(all, func(s string) bool { return !list.match(s) })
		}
	}
}
