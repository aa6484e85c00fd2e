package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// routes are "METHOD template" with each base path.
func (o *Operation) routes() (routes []string) {
	for _, base := range o.BasePaths {
		routes = append(routes, o.Method+" "+base+o.Path)
	}
	return routes
}

// Names are the ways to call an operation, sorted: its id, "METHOD template",
// and that with each base path.
func (o *Operation) Names() []string {
	names := append(o.routes(), o.Method+" "+o.Path)
	if o.ID != "" {
		names = append(names, o.ID)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// label gives each operation its id as label, or its first route where it has
// none or the id isn't its own alone; with its host where another host has the
// same route.
func label(operations []*Operation) {
	uses := map[string]int{violation.UnknownOperationLabel: 1}
	routes := map[string]int{}
	for _, o := range operations {
		route := o.routes()[0]
		routes[route]++
		uses[route]++
		if o.ID != route {
			uses[o.ID]++
		}
	}
	for _, o := range operations {
		route := o.routes()[0]
		switch {
		case o.ID != "" && uses[o.ID] == 1:
			o.Label = o.ID
		case routes[route] == 1:
			o.Label = route
		default:
			o.Label = o.Method + " " + hostname(o.servers()[0]) + o.BasePaths[0] + o.Path
		}
	}
}

var templateParameter = regexp.MustCompile(`\{[^{}]*\}`)

// checkRoutes reports operations of different versions that answer the same
// requests: no request could be told to belong to either.
func (b *binder) checkRoutes(s *Service) {
	type place struct{ host, shape string }
	first := map[place]*Operation{}
	for _, o := range s.Operations {
		for _, host := range s.hosts() {
			for _, base := range o.BasePathsAt(host) {
				route := o.Method + " " + base + o.Path
				at := place{host, templateParameter.ReplaceAllString(route, "{}")}
				other, taken := first[at]
				switch {
				case !taken:
					first[at] = o
				case other.Version != o.Version:
					b.diags.Errorf(o.Operation.Pos, "%s is in another version of service %q, too: %s", route, s.ID, other.Operation.Pos)
				}
			}
		}
	}
}

// names are the operations of s by each of their names.
func (b *binder) names(s *Service) map[string][]*Operation {
	if names, ok := b.operations[s]; ok {
		return names
	}
	names := map[string][]*Operation{}
	b.operations[s] = names
	for _, o := range s.Operations {
		for _, name := range o.Names() {
			names[name] = append(names[name], o)
		}
	}
	return names
}

// findOperation is the one operation of the services that ref names; nil, and
// an error, if that is none or several.
func (b *binder) findOperation(ref written[string], services []*Service) *Operation {
	if !ref.given() {
		return nil
	}
	var found []*Operation
	for _, s := range services {
		found = append(found, b.names(s)[ref.Value]...)
	}
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		b.diags.Errorf(ref.Pos, "%q fits %d operations: %s", ref.Value, len(found), list(found))
	case !b.unread:
		var known []string
		for _, s := range services {
			known = append(known, keys(b.names(s))...)
		}
		b.diags.Errorf(ref.Pos, "unknown operation %q%s", ref.Value, diag.DidYouMean(ref.Value, known))
	}
	return nil
}

func list(operations []*Operation) string {
	var names []string
	for _, o := range operations {
		names = append(names, fmt.Sprintf("%s of service %q (%s)", o.routes()[0], o.Service.ID, o.Operation.Pos))
	}
	return strings.Join(names, ", ")
}

// describeOperations adds what the model says of single operations of s.
func (b *binder) describeOperations(s *Service, entries []operationEntry) {
	first := map[*Operation]diag.Pos{}
	for _, e := range entries {
		o := b.findOperation(e.Match, []*Service{s})
		if o == nil {
			continue
		}
		if pos, repeated := first[o]; repeated {
			b.diags.Errorf(e.Match.Pos, "operation %s is described already, in line %d", o.Label, pos.Line)
			continue
		}
		first[o] = e.Match.Pos
		o.Pos = e.Pos
		o.Mode, o.ResponseMode = givenMode(e.Mode), givenMode(e.Responses)
		o.RefuseEncodings, o.StreamUploads = givenAs(e.Encodings, "refuse"), givenAs(e.Uploads, "stream")
		o.Limit = e.Limit.limit()
		o.Owner = b.owner(o, e.Owner)
		o.Bounds = e.Bounds.bounds()
		o.Upgrade = e.Upgrade.Value
	}
}

// limit is the limit that was written, nil if none was.
func (e limitEntry) limit() *Limit {
	if !e.Rate.given() {
		return nil
	}
	l := &Limit{Count: e.Rate.Value.count, Window: e.Rate.Value.window, Burst: e.Rate.Value.count, Pos: e.Pos}
	switch e.Per.Value {
	case "subject":
		l.Per = PerSubject
	case "operation":
		l.Per = PerOperation
	}
	if e.Burst.given() {
		l.Burst = uint32(e.Burst.Value)
	}
	return l
}

// owner is the binding that was written, nil if none was.
func (b *binder) owner(o *Operation, e ownerEntry) *Owner {
	if e.Via.Prefix.given() && !e.Via.Prefix.Value {
		b.diags.Errorf(e.Via.Prefix.Pos, `"prefix" can only be true: write "via: equal" if the values are equal`)
	}
	if !e.Claim.given() || !e.Param.given() {
		return nil
	}
	in, name := e.Param.Value.in, e.Param.Value.name
	var known []string
	declared := false
	for _, p := range o.Parameters {
		known = append(known, p.In.String()+"."+p.Name)
		declared = declared || p.In == in && (p.Name == name || in == inventory.InHeader && strings.EqualFold(p.Name, name))
	}
	if !declared {
		b.diags.Errorf(e.Param.Pos, "operation %s has no %s parameter %q%s", o.Label, in, name, diag.DidYouMean(in.String()+"."+name, known))
	}
	return &Owner{Claim: e.Claim.Value, Separator: e.Via.Separator.Value, In: in, Parameter: name, Pos: e.Pos}
}
