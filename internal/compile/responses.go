package compile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// responses orders what is declared by status from a code by a range to the
// default, so that the first match is the one that holds (OAS section
// 4.8.16).
func (c *compiler) responses(o *policy.Operation) artifact.Range {
	if o.ResponseMode() == violation.Off {
		return artifact.Range{}
	}
	var list []artifact.Response
	for _, r := range o.Operation.Operation.Responses {
		list = append(list, c.response(r))
	}
	slices.SortStableFunc(list, func(a, b artifact.Response) int {
		return cmp.Compare(a.Last-a.First, b.Last-b.First)
	})
	return share(c, &c.bundle.Responses, list...)
}

// responseFlags says what an operation's responses, which are in their order,
// demand of what a client may ask for.
func (c *compiler) responseFlags(r artifact.Range) (flags artifact.OperationFlags) {
	declared := artifact.Of(c.bundle.Responses, r)
	whole, part := c.bundle.ResponseTo(200, r), c.bundle.ResponseTo(206, r)
	for i := range declared {
		d := &declared[i]
		if !c.readable(d) {
			continue
		}
		flags |= artifact.ReadResponses
		if d == whole || d == part && !d.IsDefault() {
			flags |= artifact.WholeResponses
		}
	}
	return flags
}

// readable reports whether content of a response is judged by a schema.
func (c *compiler) readable(r *artifact.Response) bool {
	return slices.ContainsFunc(artifact.Of(c.bundle.Media, r.Media), func(m artifact.Media) bool {
		return m.Kind != artifact.MediaOpaque
	})
}

func (c *compiler) response(r *inventory.Response) artifact.Response {
	record := artifact.Response{Media: c.media(r.Content, schema.Response), Headers: c.responseHeaders(r)}
	record.First, record.Last = statusCodes(r.Status)
	// An error may come without its description; it is an error all the same.
	if len(r.Content) > 0 && record.Last < 400 {
		record.Flags |= artifact.BodyExpected
	}
	return record
}

// statusCodes are those that "200", "4XX" or "default" stands for.
func statusCodes(status string) (first, last uint16) {
	if status == "default" {
		return 0, 999
	}
	class, isRange := strings.CutSuffix(status, "XX")
	n, err := strconv.ParseUint(class, 10, 16)
	switch {
	case err != nil:
		panic("compile: response status " + status) // the loader has checked it
	case isRange:
		return uint16(n) * 100, uint16(n)*100 + 99
	}
	return uint16(n), uint16(n)
}

func (c *compiler) responseHeaders(r *inventory.Response) artifact.Range {
	var list []artifact.Parameter
	for _, h := range r.Headers {
		plan := c.parameter(h, violation.InResponseHeader, 0)
		c.covered(ofResponse, plan.Root)
		list = append(list, plan)
	}
	return share(c, &c.bundle.Parameters, list...)
}
