package compile

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/diag"
)

// Coverage counts what the release enforces of what the specifications say.
type Coverage struct {
	Operations Share // their requests
	Parameters Share
	MediaTypes Share // of request bodies
	Responses  Share // headers and media types of responses
	Schemas    Share // nodes of the program, those below them aside
	Patterns   Share // regular expressions, each once
}

// Share says of how many things, of all, everything is enforced.
type Share struct{ All, Full int }

// Add counts what other does, too.
func (c *Coverage) Add(other Coverage) {
	c.Operations.join(other.Operations)
	c.Parameters.join(other.Parameters)
	c.MediaTypes.join(other.MediaTypes)
	c.Responses.join(other.Responses)
	c.Schemas.join(other.Schemas)
	c.Patterns.join(other.Patterns)
}

func (s *Share) join(other Share) {
	s.All += other.All
	s.Full += other.Full
}

func (s *Share) add(full bool) {
	s.All++
	if full {
		s.Full++
	}
}

// part is something that an operation says.
type part struct {
	operation int // its index
	kind      partKind
	root      artifact.Ref // its schema
	partial   bool         // something of it, its schema aside, is not enforced
}

type partKind uint8

const (
	theRest partKind = iota // of an operation
	aParameter
	aMediaType
	ofResponse
)

// covered ends a part of the current operation.
func (c *compiler) covered(kind partKind, root artifact.Ref) {
	c.parts = append(c.parts, part{len(c.bundle.Operations), kind, root, c.partial})
	c.partial = false
}

// unenforced warns that something of the current part is not enforced.
func (c *compiler) unenforced(pos diag.Pos, format string, args ...any) {
	c.partial = true
	c.diags.Warnf(pos, format, args...)
}

// coverage, and the operations that are not covered, are to be asked for once
// everything is compiled.
func (c *compiler) coverage() (all Coverage, partial []int) {
	schemas := c.schemas.Partial()
	whole := make([]bool, len(c.bundle.Operations))
	for i := range whole {
		whole[i] = true
	}
	for _, p := range c.parts {
		full := !p.partial && !schemas[p.root]
		if p.kind == ofResponse {
			all.Responses.add(full)
			continue
		}
		whole[p.operation] = whole[p.operation] && full
		switch p.kind {
		case aParameter:
			all.Parameters.add(full)
		case aMediaType:
			all.MediaTypes.add(full)
		}
	}
	for i, o := range c.service.Operations {
		for range 1 + len(o.Operation.Operation.Others) {
			all.Operations.add(whole[i])
		}
		if !whole[i] {
			partial = append(partial, i)
		}
	}
	all.Schemas.All, all.Schemas.Full = c.schemas.Count()
	all.Patterns.All, all.Patterns.Full = c.schemas.Patterns()
	return all, partial
}
