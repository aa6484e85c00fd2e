package schema

import "bytes"

// maxGroups is the depth of groups beyond which nothing is a regular
// expression.
const maxGroups = 64

// hasGroups reports whether the groups of a regular expression, all else of
// which an automaton judges, are closed, and none is repeated that looks
// behind (ECMA-262 2023, section 22.2.1).
func hasGroups(s []byte) bool {
	depth, isClass := 0, false
	behind := uint64(0) // by depth, which groups look behind
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case isClass:
			isClass = c != ']'
		case c == '[':
			isClass = true
		case c == '(' && depth == maxGroups, c == ')' && depth == 0:
			return false
		case c == '(':
			behind <<= 1
			if bytes.HasPrefix(s[i:], []byte("(?<=")) || bytes.HasPrefix(s[i:], []byte("(?<!")) {
				behind |= 1
			}
			depth++
		case c == ')':
			if behind&1 != 0 && isQuantified(s[i+1:]) {
				return false
			}
			behind >>= 1
			depth--
		}
	}
	return depth == 0
}

// isQuantified reports whether s begins with a quantifier. A brace that begins
// none stands for itself (ECMA-262 2023, section B.1.2).
func isQuantified(s []byte) bool {
	if len(s) == 0 || s[0] != '{' {
		return len(s) > 0 && bytes.IndexByte([]byte("*+?"), s[0]) >= 0
	}
	bounds, _, closed := bytes.Cut(s[1:], []byte("}"))
	least, most, _ := bytes.Cut(bounds, []byte(","))
	return closed && len(least) > 0 && isDigits(least) && isDigits(most)
}

func isDigits(s []byte) bool { return len(bytes.Trim(s, "0123456789")) == 0 }
