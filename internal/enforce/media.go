package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/enforce/uri"
)

// findMedia returns the declared media type that a content type matches
// (RFC 9110 section 8.3.1), nil if none does. What is judged has no charset
// but UTF-8. A content type without a parameter that tells declared types from
// each other is none of several.
func (b *body) findMedia(contentType []byte) *artifact.Media {
	if d := b.declared; len(d) == 1 && d[0].Parameters.Len == 0 && bytes.Equal(b.bundle.String(d[0].Type), contentType) {
		return &d[0] // to the letter the only one, as most are
	}
	given, parameters, _ := uri.Cut(contentType, ';')
	given = bytes.TrimSpace(given)
	var found *artifact.Media
	candidates := 0
	for i := range b.declared {
		m := &b.declared[i]
		if !mediaMatches(b.bundle.String(m.Type), given) {
			continue
		}
		missing, other := compareParameters(b.bundle.String(m.Parameters), parameters)
		if other {
			continue
		}
		if !missing {
			found, candidates = m, 1
			break
		}
		found = m
		candidates++
	}
	if candidates != 1 || found.Kind.IsText() && !utf8Charset(parameters) {
		return nil
	}
	return found
}

// mediaMatches compares a declared type with a given one. A declared one may
// be "*/*" or end in "/*", or in "/*+json" and the like. The given one must be
// made of tokens: what follows in "application/json, x" some servers leave out.
func mediaMatches(declared, given []byte) bool {
	if bytes.Equal(declared, given) {
		return true
	}
	slash := bytes.IndexByte(given, '/')
	if slash < 0 || !multipart.IsToken(given[:slash]) || !multipart.IsToken(given[slash+1:]) {
		return false
	}
	kind, subtype := given[:slash], given[slash+1:]
	wantKind, want, _ := bytes.Cut(declared, []byte{'/'})
	if string(wantKind) != "*" && !uri.EqualFold(wantKind, kind) {
		return false
	}
	if len(want) > 0 && want[0] == '*' {
		want = want[1:]
		subtype = subtype[max(len(subtype)-len(want), 0):]
	}
	return uri.EqualFold(want, subtype)
}

// compareParameters looks for declared parameters, "v=1;w=2", among those
// given. It reports whether one is missing, and whether one is another.
func compareParameters(declared, given []byte) (missing, other bool) {
	for len(declared) > 0 {
		var one []byte
		one, declared, _ = bytes.Cut(declared, []byte{';'})
		name, value, _ := bytes.Cut(one, []byte{'='})
		found := false
		eachParameter(given, func(n, v []byte) {
			if uri.EqualFold(n, name) {
				found = true
				other = other || !uri.EqualFold(v, value)
			}
		})
		missing = missing || !found
	}
	return missing, other
}

// utf8Charset reports whether the parameters of a content type name no
// charset, or UTF-8 or its subset. The word stands nowhere else: some servers
// read "charset*" (RFC 2231), and some look for the word alone.
func utf8Charset(parameters []byte) bool {
	others := multipart.CountFold(parameters, "charset")
	eachParameter(parameters, func(name, value []byte) {
		if uri.EqualFold(name, charset) && (uri.EqualFold(value, utf8Names[0]) || uri.EqualFold(value, utf8Names[1]) || uri.EqualFold(value, utf8Names[2])) {
			others--
		}
	})
	return others == 0
}

var (
	charset   = []byte("charset")
	utf8Names = [...][]byte{[]byte("utf-8"), []byte("utf8"), []byte("us-ascii")}
)

// eachParameter calls yield with each parameter of a content type.
func eachParameter(parameters []byte, yield func(name, value []byte)) {
	for len(parameters) > 0 {
		var one []byte
		one, parameters, _ = bytes.Cut(parameters, []byte{';'})
		name, value, _ := bytes.Cut(one, []byte{'='})
		yield(bytes.TrimSpace(name), bytes.Trim(bytes.TrimSpace(value), `"`))
	}
}
