package compile

import (
	"bytes"
	"strings"
)

// mediaType strips the parameters of a declared content type and reports
// whether its bodies are JSON (RFC 8259, RFC 6839 section 3.1).
func mediaType(declared string) (name string, isJSON bool) {
	name, _, _ = strings.Cut(strings.ToLower(declared), ";")
	name = strings.TrimSpace(name)
	_, subtype, _ := strings.Cut(name, "/")
	return name, subtype == "json" || strings.HasSuffix(subtype, "+json")
}

// wildcards is how many parts of a media range are open.
func wildcards(name []byte) int { return bytes.Count(name, []byte{'*'}) }
