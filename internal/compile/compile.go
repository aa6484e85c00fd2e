package compile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
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
	c := &compiler{service: s, diags: diags, schemas: schema.New(diags), texts: map[string]artifact.Text{}}
	c.meta()
	c.issuers()
	for _, o := range s.Operations {
		c.operation(o)
	}
	c.routes()
	c.bundle.Program = c.schemas.Program()
	r := &Release{
		Service:  s.ID,
		Bundle:   c.bundle.Encode(),
		Gateway:  c.gateway(),
		Coverage: c.coverage(),
	}
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
	bundle  artifact.Bundle
	partial bool   // something of the current operation is not enforced, its schemas aside
	partly  []bool // likewise, of each operation
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

func (c *compiler) meta() {
	bounds := model.DefaultBounds
	for i, o := range c.service.Operations {
		// One request has one reader: the largest bound of the service holds
		// for nesting, names and parameters, which only bound memory.
		if i == 0 {
			bounds = o.Bounds
		}
		bounds.MaxDepth = max(bounds.MaxDepth, o.Bounds.MaxDepth)
		bounds.MaxQueryParameters = max(bounds.MaxQueryParameters, o.Bounds.MaxQueryParameters)
		bounds.MaxTokenLength = max(bounds.MaxTokenLength, o.Bounds.MaxTokenLength)
	}
	c.bundle.Meta = artifact.Meta{
		API:           c.text(c.service.ID),
		UnknownThreat: c.text(cmp.Or(c.service.Unknown, violation.Contract)),
		MethodThreat:  c.text(cmp.Or(c.service.Method, violation.Contract)),
		MaxQuery:      bounds.MaxQueryParameters,
		MaxDepth:      bounds.MaxDepth,
		MaxToken:      bounds.MaxTokenLength,
		MaxRecords:    MaxRecords,
		Mode:          c.service.Mode,
		Failure:       c.service.Failure,
	}
	for _, name := range c.service.Identity {
		c.bundle.Identity = append(c.bundle.Identity, c.text(name))
	}
	for _, h := range c.service.Hosts {
		c.bundle.Hosts = append(c.bundle.Hosts, c.text(h))
	}
}

// operation compiles one operation; its index is that in the policy.
func (c *compiler) operation(o *policy.Operation) {
	c.partial = false
	record := artifact.Operation{
		Label:    c.text(o.Label),
		Mode:     o.Mode,
		Failure:  o.Failure,
		MaxBody:  o.Bounds.MaxBody,
		Media:    c.media(o),
		Security: c.security(o),
		Limits:   c.limits(o),
		Threats:  c.threats(o),
	}
	record.Params, record.Captures = c.parameters(o)
	if o.Owner != nil {
		c.unenforced(o.Owner.Pos, "the owner binding of %s is not enforced", o.Label)
	}
	if !o.Sunset.IsZero() {
		record.Sunset = o.Sunset.Unix()
	}
	for flag, set := range map[artifact.OperationFlags]bool{
		artifact.BodyRequired:   o.Body != nil && o.Body.Required,
		artifact.IsDeprecated:   o.Operation.Deprecated,
		artifact.UpgradeAllowed: o.Upgrade,
		artifact.StripIdentity:  len(c.service.Identity) > 0,
	} {
		if set {
			record.Flags |= flag
		}
	}
	c.bundle.Operations = append(c.bundle.Operations, record)
	c.partly = append(c.partly, c.partial)
}

// coverage counts the operations of which everything is enforced.
func (c *compiler) coverage() Coverage {
	schemas := c.schemas.Partial()
	whole := Coverage{Operations: len(c.bundle.Operations)}
	for i, o := range c.bundle.Operations {
		partly := c.partly[i]
		for _, p := range artifact.Of(c.bundle.Parameters, o.Params) {
			partly = partly || schemas[p.Root]
		}
		for _, m := range artifact.Of(c.bundle.Media, o.Media) {
			partly = partly || schemas[m.Root]
		}
		if !partly {
			whole.FullyEnforced++
		}
	}
	return whole
}

// unenforced warns that something of the current operation is not enforced.
func (c *compiler) unenforced(pos diag.Pos, format string, args ...any) {
	c.partial = true
	c.diags.Warnf(pos, format, args...)
}

func (c *compiler) threats(o *policy.Operation) artifact.Range {
	var list []artifact.Threat
	for _, code := range slices.Sorted(maps.Keys(o.Threats)) {
		list = append(list, artifact.Threat{ID: c.text(o.Threats[code]), Code: code})
	}
	return grow(&c.bundle.Threats, list...)
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
	return grow(&c.bundle.Limits, list...)
}

var limitKeys = [...]artifact.LimitKey{
	model.PerAddress:   artifact.PerAddress,
	model.PerSubject:   artifact.PerSubject,
	model.PerOperation: artifact.PerOperation,
}
