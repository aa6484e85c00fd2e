// Package preflight runs a release's policy in this process before any Envoy
// gets it, with the code that the filter is built from: what would fail
// there is refused here.
package preflight

import (
	"errors"
	"fmt"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/violation"
)

// probes are bodies of every JSON type, a form, a part and a document: each
// takes another way through a schema's program. What the verdict is doesn't matter, only that there is one.
var probes = [...]string{`{}`, `{"a":{"b":[1,"c"]}}`, `[{},[0]]`, `"1970-01-01"`, `-1.5e3`, `true`, `null`, `{"a":`, ``,
	"a=1&b=", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", `<a b="1"><c>1</c></a>`}

// Check decodes the release's bundle and judges requests to each of its
// operations. An error means that the release must not be pushed.
func Check(r *compile.Release) error {
	bundle, err := artifact.Decode(r.Bundle)
	if err != nil {
		return fmt.Errorf("service %s: %w", r.Service, err)
	}
	if bundle.Revision != r.Revision() {
		return fmt.Errorf("service %s: the bundle's revision is %s, the release's %s", r.Service, bundle.Revision, r.Revision())
	}
	p := prober{bundle: bundle, engine: enforce.New(bundle), world: world{}}
	for node, path := range paths(bundle) {
		for _, m := range artifact.Of(bundle.Methods, bundle.Nodes[node].Methods) {
			if err := p.operation(path, m); err != nil {
				return fmt.Errorf("service %s: operation %s: %w", r.Service, bundle.String(bundle.Operations[m.Operation].Label), err)
			}
		}
	}
	if err := p.judge("GET", "/\x01", "", ""); err != nil {
		return fmt.Errorf("service %s: an unknown operation: %w", r.Service, err)
	}
	return nil
}

type prober struct {
	bundle *artifact.Bundle
	engine *enforce.Engine
	world  world
}

// operation judges requests to the operation m of path.
func (p *prober) operation(path string, m artifact.Method) error {
	method := string(p.bundle.String(m.Name))
	operation := &p.bundle.Operations[m.Operation]
	errs := []error{p.judge(method, path, "", "")}
	for _, media := range artifact.Of(p.bundle.Media, operation.Media) {
		contentType := strings.ReplaceAll(string(p.bundle.String(media.Type)), "*", "x") +
			"; boundary=x; " + string(p.bundle.String(media.Parameters))
		for _, probe := range probes {
			errs = append(errs, p.judge(method, path, contentType, probe))
		}
	}
	return errors.Join(errs...)
}

// paths are one for each node of the routes, which leads there. Edges lead
// from lower to higher nodes.
func paths(b *artifact.Bundle) []string {
	out := make([]string, len(b.Nodes))
	for from, node := range b.Nodes {
		for _, l := range artifact.Of(b.Literals, node.Literals) {
			out[l.Node] = out[from] + "/" + string(b.String(l.Text))
		}
		for _, t := range artifact.Of(b.Templates, node.Templates) {
			out[t.Node] = out[from] + "/" + segment(b, t)
		}
	}
	return out
}

// segment is a text that matches a template segment.
func segment(b *artifact.Bundle, t artifact.Template) string {
	text := ""
	for _, piece := range artifact.Of(b.Pieces, t.Pieces) {
		if piece.Text.Len == 0 {
			text += "1"
		} else {
			text += string(b.String(piece.Text))
		}
	}
	return text
}

// judge judges one request, with a body if it has a content type. The error
// is that of an engine that panics, comes to no verdict or gives up.
func (p *prober) judge(method, path, contentType, body string) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("judging panics: %v", fault)
		}
	}()
	request := p.engine.Begin()
	defer request.End()
	request.Headers(p.headers(method, path, contentType), contentType == "", p.world)
	if contentType != "" {
		request.Body([]byte(body), false)
		request.Trailers(nil)
	}
	if !request.Judged() {
		return errors.New("judging comes to no verdict")
	}
	for _, v := range request.Violations() {
		if v.Code == violation.Failure {
			return errors.New("judging fails")
		}
	}
	return nil
}

func (p *prober) headers(method, path, contentType string) []enforce.Header {
	authority := "localhost"
	if len(p.bundle.Hosts) > 0 {
		authority = string(p.bundle.String(p.bundle.Hosts[0].Name))
	}
	headers := []enforce.Header{
		header(":method", method), header(":scheme", "http"), header(":authority", authority), header(":path", path),
		header("authorization", "Bearer a.b.c"), header("cookie", "a=b"), header("x-request-id", "preflight"),
	}
	if contentType != "" {
		headers = append(headers, header("content-type", contentType))
	}
	return headers
}

func header(name, value string) enforce.Header {
	return enforce.Header{Name: []byte(name), Value: []byte(value)}
}

// world is empty shared memory, at the start of 1970, that forgets.
type world struct{}

func (world) Now() int64                      { return 0 }
func (world) ClientAddress() []byte           { return []byte("127.0.0.1") }
func (world) HashKey() siphash.Key            { return siphash.Key{} }
func (world) FromUpstream() bool              { return true }
func (world) Get([]byte) ([]byte, uint32)     { return nil, 0 }
func (world) Set([]byte, []byte, uint32) bool { return true }
