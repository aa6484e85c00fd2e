// Package token judges the form of credentials and reads the claims of
// tokens that Envoy has verified. Signatures are not its business.
package token

import "bytes"

// Authorization splits the value of an Authorization header into its scheme
// and credentials (RFC 9110 section 11.6.2). Schemes compare without case.
func Authorization(value []byte) (scheme, credentials []byte) {
	scheme, credentials, _ = bytes.Cut(value, []byte{' '})
	return scheme, bytes.TrimLeft(credentials, " ")
}

// Bearer reports whether credentials are a b64token (RFC 6750 section 2.1).
func Bearer(credentials []byte) bool {
	body := bytes.TrimRight(credentials, "=")
	for _, c := range body {
		if class[c]&token68 == 0 {
			return false
		}
	}
	return len(body) > 0
}

// Compact reports whether credentials have no other characters than a JWS in
// its compact form (RFC 7515 section 7.1). Envoy verifies the first run of
// them that it finds, and an upstream may read more.
func Compact(credentials []byte) bool {
	for _, c := range credentials {
		if c != '.' && (digit64[c] < 0 || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// Basic reports whether credentials are the Base64 form of a user name, a
// colon and a password (RFC 7617 section 2). They are not decoded whole: that
// there is a colon is seen from the groups of four as they pass.
func Basic(credentials []byte) bool {
	body := bytes.TrimRight(credentials, "=")
	if pad := len(credentials) - len(body); pad > 2 || len(credentials)%4 != 0 {
		return false
	}
	colon, bits, n := false, uint32(0), 0
	for _, c := range body {
		d := digit64[c]
		if d < 0 || c == '-' || c == '_' {
			return false
		}
		bits, n = bits<<6|uint32(d), n+6
		if n >= 8 {
			n -= 8
			colon = colon || byte(bits>>n) == ':'
		}
	}
	return colon
}

// Claims are what policies ask of a verified token (RFC 7519). The slices
// share the memory of the decoded payload.
type Claims struct {
	Issuer  []byte // a string's inside, escapes and all; empty if it is none
	Subject []byte // likewise
	scope   []byte // JSON: scope (RFC 8693 section 4.2), else scp, as some issuers call it
	scp     []byte
}

// DecodePayload appends the payload to dst, decoded from either alphabet of
// RFC 4648, padded or not. It reports false at any other character.
func DecodePayload(dst, payload []byte) ([]byte, bool) {
	bits, n := uint32(0), 0
	for _, c := range bytes.TrimRight(payload, "=") {
		d := digit64[c]
		if d < 0 {
			return dst, false
		}
		bits, n = bits<<6|uint32(d), n+6
		if n >= 8 {
			n -= 8
			dst = append(dst, byte(bits>>n))
		}
	}
	return dst, true
}

// ReadClaims reads the claims of a payload, which Envoy has found to be JSON.
// It reports false where it can't follow the text, or where a claim that it
// reads is there twice or its name may be escaped, so that nobody can read
// another claim than the one that was verified.
func ReadClaims(payload []byte) (c Claims, ok bool) {
	s := scanner{text: payload}
	if !s.next('{') {
		return c, false
	}
	for first := true; !s.next('}'); first = false {
		if !first && !s.next(',') {
			return c, false
		}
		name, ok := s.str()
		if !ok || !s.next(':') {
			return c, false
		}
		start := s.skipSpace()
		if !s.value(0) {
			return c, false
		}
		value := payload[start:s.at]
		switch string(name) {
		case "iss":
			ok = once(&c.Issuer, inside(value))
		case "sub":
			ok = once(&c.Subject, inside(value))
		case "scope":
			ok = once(&c.scope, value)
		case "scp":
			ok = once(&c.scp, value)
		default:
			ok = !hidden(name)
		}
		if !ok {
			return c, false
		}
	}
	if c.scope == nil {
		c.scope = c.scp
	}
	return c, s.skipSpace() == len(payload)
}

func once(into *[]byte, value []byte) bool {
	first := *into == nil
	*into = value
	return first
}

// inside is what a string has between its quotes; of other values it is empty.
func inside(value []byte) []byte {
	if len(value) == 0 || value[0] != '"' {
		return value[:0]
	}
	return value[1 : len(value)-1]
}

// hidden reports whether a name has letters that are escaped. No writer does
// that, and it could be one of those that are read.
func hidden(name []byte) bool {
	return bytes.Contains(name, []byte(`\u006`)) || bytes.Contains(name, []byte(`\u007`))
}

// HasScope reports whether scope is among the granted ones: the words of a
// string, or the items of a list.
func (c *Claims) HasScope(scope []byte) bool {
	if len(c.scope) > 0 && c.scope[0] == '[' {
		return lists(c.scope[1:], scope)
	}
	for rest, word := inside(c.scope), []byte(nil); len(rest) > 0; {
		if word, rest, _ = bytes.Cut(rest, []byte{' '}); bytes.Equal(word, scope) {
			return true
		}
	}
	return false
}

// lists reports whether scope is one of the items that follow in a list.
func lists(items, scope []byte) bool {
	s := scanner{text: items}
	for {
		item, isText := s.str()
		switch {
		case isText && bytes.Equal(item, scope):
			return true
		case !isText && !s.value(0), !s.next(','):
			return false
		}
	}
}

// scanner walks over JSON text without building anything.
type scanner struct {
	text []byte
	at   int
}

const maxDepth = 32

func (s *scanner) skipSpace() int {
	for s.at < len(s.text) && class[s.text[s.at]]&space != 0 {
		s.at++
	}
	return s.at
}

// next skips c, if that comes next. Inlined it takes 2 KB of the module.
//
//go:noinline
func (s *scanner) next(c byte) bool {
	if s.skipSpace() < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// str scans a string and returns its inside, escapes and all.
func (s *scanner) str() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	for start := s.at; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return s.text[start : s.at-1], true
		}
	}
	return nil, false
}

func (s *scanner) value(depth int) bool {
	if s.skipSpace() == len(s.text) || depth > maxDepth {
		return false
	}
	switch s.text[s.at] {
	case '"':
		_, ok := s.str()
		return ok
	case '{', '[':
		object, closing := s.text[s.at] == '{', s.text[s.at]+2
		s.at++
		for first := true; !s.next(closing); first = false {
			if !first && !s.next(',') {
				return false
			}
			if object {
				if _, ok := s.str(); !ok || !s.next(':') {
					return false
				}
			}
			if !s.value(depth + 1) {
				return false
			}
		}
		return true
	}
	start := s.at
	for s.at < len(s.text) && class[s.text[s.at]]&literal != 0 {
		s.at++
	}
	return s.at > start
}

const (
	token68 = 1 << iota // RFC 9110 section 11.2
	literal             // of numbers, true, false, null
	space
)

var class = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		alnum := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if alnum || bytes.IndexByte([]byte("-._~+/"), c) >= 0 {
			t[i] |= token68
		}
		if alnum || bytes.IndexByte([]byte("+-."), c) >= 0 {
			t[i] |= literal
		}
		if bytes.IndexByte([]byte(" \t\n\r"), c) >= 0 {
			t[i] |= space
		}
	}
	return
}()

// digit64 is the value of a digit of either alphabet (RFC 4648), or -1.
var digit64 = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range int8(26) {
		t['A'+i], t['a'+i] = i, 26+i
	}
	for i := range int8(10) {
		t['0'+i] = 52 + i
	}
	t['+'], t['-'], t['/'], t['_'] = 62, 62, 63, 63
	return
}()
