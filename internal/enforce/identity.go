package enforce

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// findIdentity notes the identity headers that a client has no business to
// send, be it as trailers, which some servers merge (RFC 9110 section 6.5.1).
func (r *Request) findIdentity(fields []Header) {
	if r.op.Flags&artifact.StripIdentity == 0 {
		return
	}
	b := r.engine.bundle
	for i := range fields {
		sent := fields[i].Name
		if !r.engine.identity.mayHave(sent) {
			continue
		}
		for _, name := range b.Identity {
			if SameField(b.String(name), sent) {
				r.identity = append(r.identity, sent)
				r.violate(violation.IdentityHeader, violation.InHeader, b.String(name), nil)
			}
		}
	}
}

// identityNames tells almost all names from those of identity headers, by
// their ends, since many begin alike. For each last byte it has a bit for each
// length modulo 64.
type identityNames [256]uint64

func (s *identityNames) add(name []byte) {
	last, length := endOf(name)
	s[last] |= length
}

func (s *identityNames) mayHave(name []byte) bool {
	last, length := endOf(name)
	return s[last]&length != 0
}

// endOf is the same for all that SameField says are the same.
func endOf(name []byte) (last byte, length uint64) {
	if len(name) == 0 {
		return 0, 0
	}
	if last = name[len(name)-1]; last == '_' {
		last = '-'
	}
	return last, 1 << (len(name) % 64)
}
