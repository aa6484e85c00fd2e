package compile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// MaxRecords is how many violations of one request are recorded.
const MaxRecords = 16

// Releases compiles every service of the set. What the specifications say
// and the releases do not enforce is reported to diags as warnings.
func Releases(set *policy.Set, diags *diag.List) []*Release {
	releases := make([]*Release, 0, len(set.Services))
	for _, service := range set.Services {
		releases = append(releases, release(service, diags))
	}
	return releases
}

func release(s *policy.Service, diags *diag.List) *Release {
	c := &compiler{
		service: s, diags: diags, schemas: schema.New(diags), texts: map[string]artifact.Text{},
		plans: xmlPlans{contents: map[xmlKey]uint32{}, faults: map[uint32]string{}},
	}
	c.schemas.AnnotateFormats = s.AnnotateFormats
	if s.Unenforceable != nil {
		c.schemas.Unenforceable = *s.Unenforceable
	}
	c.meta()
	c.issuers()
	for _, o := range s.Operations {
		c.operation(o)
	}
	c.routes()
	c.bundle.Program = c.schemas.Program()
	r := &Release{
		Service: s.ID,
		Bundle:  c.bundle.Encode(),
		Gateway: c.gateway(),
	}
	r.Coverage, r.Partial = c.coverage()
	r.Digest = digest(r.Bundle, &r.Gateway)
	artifact.SetRevision(r.Bundle, r.Revision())
	return r
}

// digest covers the bundle, its revision still blank, and the gateway.
func digest(bundle []byte, g *Gateway) string {
	h := sha256.New()
	h.Write(bundle)
	if err := json.NewEncoder(h).Encode(g); err != nil {
		panic(err) // a Gateway is plain data
	}
	return hex.EncodeToString(h.Sum(nil))
}

// compiler builds the bundle of one service.
type compiler struct {
	service *policy.Service
	diags   *diag.List
	schemas *schema.Compiler
	texts   map[string]artifact.Text
	runs    map[string]artifact.Range // of records that share has appended
	plans   xmlPlans
	bundle  artifact.Bundle
	below   map[*inventory.Schema]artifact.Range // what deep has planned
	parts   []part
	partial bool // something of the current part is not enforced, its schema aside
}

// text puts s into the pool, once.
func (c *compiler) text(s string) artifact.Text {
	if s == "" {
		return artifact.Text{}
	}
	t, ok := c.texts[s]
	if !ok {
		t = artifact.Text{Off: uint32(len(c.bundle.Text)), Len: uint32(len(s))}
		c.bundle.Text = append(c.bundle.Text, s...)
		c.texts[s] = t
	}
	return t
}

// grow appends items to a section and returns the range they have there.
func grow[T any](section *[]T, items ...T) artifact.Range {
	r := artifact.Range{Off: uint32(len(*section)), Len: uint32(len(items))}
	*section = append(*section, items...)
	return r
}

// share is grow for items of which equal ones, side by side, serve as well.
func share[T any](c *compiler, section *[]T, items ...T) artifact.Range {
	if len(items) == 0 {
		return artifact.Range{}
	}
	key, err := binary.Append([]byte(reflect.TypeFor[T]().Name()), binary.LittleEndian, items)
	if err != nil {
		panic(err) // records are of fixed size
	}
	r, ok := c.runs[string(key)]
	if !ok {
		if c.runs == nil {
			c.runs = map[string]artifact.Range{}
		}
		r = grow(section, items...)
		c.runs[string(key)] = r
	}
	return r
}

func (c *compiler) meta() {
	d := model.DefaultBounds
	c.bundle.Meta = artifact.Meta{
		API:           c.text(c.service.ID),
		UnknownThreat: c.text(cmp.Or(c.service.Unknown, violation.Contract)),
		MethodThreat:  c.text(cmp.Or(c.service.Method, violation.Contract)),
		MaxQuery:      c.largest("maxQueryParameters", d.MaxQueryParameters, func(b model.Bounds) uint32 { return b.MaxQueryParameters }),
		MaxDepth:      c.largest("maxDepth", d.MaxDepth, func(b model.Bounds) uint32 { return b.MaxDepth }),
		MaxToken:      c.largest("maxTokenLength", d.MaxTokenLength, func(b model.Bounds) uint32 { return b.MaxTokenLength }),
		MaxRecords:    MaxRecords,
		Mode:          c.service.Mode,
		Failure:       c.service.Failure,
	}
	for _, name := range c.service.Identity {
		c.bundle.Identity = append(c.bundle.Identity, c.text(name))
	}
}

// largest is the largest of a bound among the operations: what only bounds
// memory holds for the one reader that all of them share.
func (c *compiler) largest(name string, fallback uint32, of func(model.Bounds) uint32) uint32 {
	if len(c.service.Operations) == 0 {
		return fallback
	}
	by := func(a, b *policy.Operation) int { return cmp.Compare(of(a.Bounds), of(b.Bounds)) }
	least, most := slices.MinFunc(c.service.Operations, by), slices.MaxFunc(c.service.Operations, by)
	if by(least, most) < 0 {
		c.diags.Warnf(c.service.Pos, "%s is %d for all operations of %s, the largest that the model gives: that of %s, %d, is not enforced",
			name, of(most.Bounds), c.service.ID, least.Label, of(least.Bounds))
	}
	return of(most.Bounds)
}

// operation compiles one operation; its index is that in the policy.
func (c *compiler) operation(o *policy.Operation) {
	record := artifact.Operation{
		Label:        c.text(o.Label),
		Mode:         o.Mode,
		ResponseMode: o.ResponseMode(),
		Failure:      o.Failure,
		MaxBody:      o.Bounds.MaxBody,
		MaxHeld:      o.Bounds.MaxHeld,
		Responses:    c.responses(o),
		Security:     c.security(o),
		Limits:       c.limits(o),
		Threats:      c.threats(o),
	}
	if o.Body != nil {
		record.Media = c.media(o.Body.Content, schema.Request)
	}
	if o.Upgrade && record.Media.Len > 0 {
		c.diags.Warnf(o.Pos, "upgrades of %s are refused: it has a body, which an upstream that does not upgrade would read", o.Label)
	}
	record.Params, record.Captures = c.parameters(o)
	if o.Owner != nil {
		c.unenforced(o.Owner.Pos, "the owner binding of %s is not enforced", o.Label)
	}
	for _, other := range o.Operation.Operation.Others {
		twin := o.Method + " " + o.Path
		if o.Operation.Operation.Blurred {
			c.unenforced(other, "what this operation alone refuses is not enforced: no request tells it from %q, whose path differs only in the names of parameters", twin)
		} else {
			c.diags.Warnf(other, "no request tells this operation from %q, whose path differs only in the names of parameters: what either takes passes", twin)
		}
	}
	if !o.Sunset.IsZero() {
		record.Sunset = o.Sunset.Unix()
	}
	for flag, set := range map[artifact.OperationFlags]bool{
		artifact.BodyRequired:   o.Body != nil && o.Body.Required,
		artifact.IsDeprecated:   o.Operation.Deprecated,
		artifact.UpgradeAllowed: o.Upgrade,
		artifact.StripIdentity:  len(c.service.Identity) > 0,

		artifact.RefuseEncodings: o.RefusesEncodings(),
		artifact.StreamUploads:   o.StreamsUploads(),
	} {
		if set {
			record.Flags |= flag
		}
	}
	record.Flags |= c.responseFlags(record.Responses)
	c.covered(theRest, 0)
	c.bundle.Operations = append(c.bundle.Operations, record)
}

func (c *compiler) threats(o *policy.Operation) artifact.Range {
	var list []artifact.Threat
	for _, code := range slices.Sorted(maps.Keys(o.Threats)) {
		list = append(list, artifact.Threat{ID: c.text(o.Threats[code]), Code: code})
	}
	return share(c, &c.bundle.Threats, list...)
}

func (c *compiler) limits(o *policy.Operation) artifact.Range {
	var list []artifact.Limit
	for _, l := range o.Limits {
		interval := uint64(l.Window) / uint64(l.Count)
		if uint64(l.Burst) > artifact.MaxTolerance/interval {
			c.diags.Errorf(l.Pos, "a burst of %d takes more than a century to recover at %d in %s", l.Burst, l.Count, l.Window)
			continue
		}
		list = append(list, artifact.Limit{
			// The rate is part of the class: keys counted at another rate
			// can't share their arrival times.
			Class:    c.text(fmt.Sprintf("tg.limit/%s/%s/%d/%s/%d/", c.service.ID, o.Label, l.Count, l.Window, l.Per)),
			Interval: interval,
			Burst:    l.Burst,
			Limit:    l.Count,
			Window:   uint32(l.Window.Seconds()),
			Key:      limitKeys[l.Per],
		})
	}
	return share(c, &c.bundle.Limits, list...)
}

var limitKeys = [...]artifact.LimitKey{
	model.PerAddress:   artifact.PerAddress,
	model.PerSubject:   artifact.PerSubject,
	model.PerOperation: artifact.PerOperation,
}
