package artifact

import "github.com/threatgate/threatgate/internal/violation"

// MaxCaptures is the largest number of path parameters in one template.
const MaxCaptures = 32

// MaxTolerance bounds a limit's Interval × Burst, in nanoseconds: 146 years.
// A Unix time and that together fit into an int64.
const MaxTolerance = 1 << 62

// check reports whether every reference of b stays inside its section and
// every enumeration has a known value, so that nothing needs to be checked
// when a request is judged.
func (b *Bundle) check() bool {
	c := checker{ok: true, text: len(b.Text)}
	c.texts(b.Meta.API, b.Meta.UnknownThreat, b.Meta.MethodThreat)
	c.expect(b.Meta.Mode <= violation.Off && b.Meta.Failure <= violation.Open && b.Meta.MaxDepth >= 1 && b.Meta.MaxRecords >= 1 && len(b.Nodes) >= 1)
	for _, h := range b.Hosts {
		c.texts(h.Name)
		c.expect(int(h.Root) < len(b.Nodes))
	}
	for i, n := range b.Nodes {
		c.span(n.Literals, len(b.Literals))
		c.span(n.Templates, len(b.Templates))
		c.span(n.Methods, len(b.Methods))
		// Edges lead onward, so that matching ends.
		for _, l := range sub(b.Literals, n.Literals) {
			c.expect(int(l.Node) > i && int(l.Node) < len(b.Nodes))
		}
		for _, t := range sub(b.Templates, n.Templates) {
			c.expect(int(t.Node) > i && int(t.Node) < len(b.Nodes))
		}
	}
	for _, l := range b.Literals {
		c.texts(l.Text)
	}
	for _, t := range b.Templates {
		c.span(t.Pieces, len(b.Pieces))
		c.expect(t.Pieces.Len > 0)
	}
	for _, p := range b.Pieces {
		c.texts(p.Text)
	}
	for _, m := range b.Methods {
		c.texts(m.Name)
		c.expect(int(m.Operation) < len(b.Operations))
	}
	for _, o := range b.Operations {
		c.texts(o.Label)
		c.span(o.Params, len(b.Parameters))
		c.span(o.Media, len(b.Media))
		c.span(o.Security, len(b.Alternatives))
		c.span(o.Limits, len(b.Limits))
		c.span(o.Threats, len(b.Threats))
		c.span(o.Responses, len(b.Responses))
		c.expect(o.Mode <= violation.Off && o.ResponseMode == violation.Weaker(o.Mode, o.ResponseMode) && o.Failure <= violation.Open && o.Captures <= MaxCaptures)
		for _, p := range sub(b.Parameters, o.Params) {
			c.expect(p.Place <= violation.InCookie && (p.Place != violation.InPath || p.Capture < uint32(o.Captures)))
		}
	}
	for _, p := range b.Parameters {
		c.texts(p.Name, p.Schema)
		c.span(p.Fields, len(b.Fields))
		c.root(p.Root, &b.Program)
		c.expect(p.Shape != ShapeArray || p.Style != StyleDeepObject || p.Fields.Len == 1)
		c.expect(p.Shape < ShapeFile && p.Style < styleCount && p.Place >= violation.InPath && p.Place <= violation.InResponseHeader && p.Place != violation.InResponse)
	}
	for _, f := range b.Fields {
		c.texts(f.Name, f.ContentTypes)
		c.span(f.Below, len(b.Fields))
		c.span(f.Headers, len(b.Parameters))
		c.expect(f.Shape < shapeCount && f.Shape != ShapeArray && f.Shape != ShapeObject)
		c.expect(f.Deep < deepCount && (f.Deep != DeepArray || f.Below.Len == 1))
	}
	for _, m := range b.Media {
		c.texts(m.Type, m.Parameters)
		c.span(m.Fields, len(b.Fields))
		c.span(m.Roots, len(b.Elements))
		c.root(m.Root, &b.Program)
		c.expect(m.Kind < mediaKindCount && (m.Kind != MediaOctets || m.Fields.Len == 1))
	}
	for _, e := range b.Elements {
		c.texts(e.Name, e.Space, e.Property)
		c.expect(int(e.Content) < len(b.Contents) && e.Kind < elementKindCount)
	}
	for _, k := range b.Contents {
		c.span(k.Elements, len(b.Elements))
		c.expect(k.Kind < contentKindCount && (k.Kind != ContentArray || k.Elements.Len == 1))
	}
	for _, r := range b.Responses {
		c.span(r.Media, len(b.Media))
		c.span(r.Headers, len(b.Parameters))
		for _, p := range sub(b.Parameters, r.Headers) {
			c.expect(p.Place == violation.InResponseHeader)
		}
	}
	for _, a := range b.Alternatives {
		c.span(a.Credentials, len(b.Credentials))
	}
	for _, k := range b.Credentials {
		c.texts(k.Name)
		c.span(k.Scopes, len(b.Scopes))
		c.span(k.Issuers, len(b.Issuers))
		c.expect(k.Kind < credentialKindCount)
	}
	c.texts(b.Scopes...)
	for _, i := range b.Issuers {
		c.texts(i.Issuer, i.Header)
	}
	for _, l := range b.Limits {
		c.texts(l.Class)
		c.expect(l.Key < limitKeyCount && l.Interval > 0 && l.Burst > 0 && uint64(l.Burst) <= MaxTolerance/max(l.Interval, 1))
	}
	c.texts(b.Identity...)
	for _, t := range b.Threats {
		c.texts(t.ID)
		c.expect(t.Code.Valid())
	}
	return c.ok && b.Program.check()
}

type checker struct {
	ok   bool
	text int
}

func (c *checker) expect(ok bool) { c.ok = c.ok && ok }

func (c *checker) span(r Range, n int) {
	c.expect(uint64(r.Off)+uint64(r.Len) <= uint64(n))
}

func (c *checker) texts(texts ...Text) {
	for _, t := range texts {
		c.span(Range(t), c.text)
	}
}

func (c *checker) root(r Ref, p *Program) { c.expect(p.hasRoot(r)) }

// sub is the run of items that r names, or nothing if r is out of range.
func sub[T any](items []T, r Range) []T {
	if uint64(r.Off)+uint64(r.Len) > uint64(len(items)) {
		return nil
	}
	return items[r.Off : r.Off+r.Len]
}
