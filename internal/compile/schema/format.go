package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// format adds the format of s: what JSON Schema 2020-12 (validation, section
// 7.3) or the Format Registry of OpenAPI says of strings or numbers. Names
// that neither has are ignored, as both demand, and said to be.
func (b *builder) format(s *inventory.Schema) {
	r := &b.node.text
	limits, isNumeric := numberFormats[s.Format]
	grammar, isRegular := grammars[s.Format]
	f, isShort := shortFormats[s.Format]
	switch {
	case isNumeric, isRegular, isShort, freeFormats[s.Format]:
	default:
		b.unknownFormat(s.Pos, s.Format)
	}
	if isNumeric {
		b.node.number.atLeast(bound{violation.Format, numeral("-" + limits.min), false})
		b.node.number.atMost(bound{violation.Format, numeral(limits.max), false})
	}
	if limits.integer {
		b.node.types &^= artifact.TypeNumber
	}
	if limits.step != "" {
		whole := &inventory.Schema{Pos: s.Pos, Pointer: s.Pointer, Types: inventory.TypeAny, MultipleOf: limits.step}
		b.node.groups = append(b.node.groups, group{kind: artifact.GroupAll, code: violation.Format, branches: []ref{b.schema(whole, b.direction)}})
	}
	if isRegular {
		r.grammar = b.grammar(grammar)
	}
	r.format = f
	b.codePoints = b.codePoints || f == artifact.FormatHostname || f == artifact.FormatIDNHostname || f == artifact.FormatIDNEmail
}

// unknownFormat warns of a name once, wherever it stands first.
func (c *Compiler) unknownFormat(pos diag.Pos, name string) {
	if !c.unknown[name] {
		c.unknown[name] = true
		c.diags.Warnf(pos, "format %q is not judged: neither JSON Schema nor OpenAPI defines it", name)
	}
}

// grammar compiles one of our own patterns.
func (c *Compiler) grammar(source string) ref {
	r, ok := c.patterns[source]
	if !ok {
		dfa, err := regex.Compile(source)
		if err != nil {
			panic("schema: grammar of a format: " + err.Error())
		}
		c.automata = append(c.automata, dfa)
		r = ref(len(c.automata))
		c.patterns[source] = r
	}
	return r
}

// numberFormats are the ranges of the formats for numbers, the least without
// its minus sign. Those of float and double are those of IEEE 754 binary32 and
// binary64, up to what rounds to the greatest finite value.
var numberFormats = map[string]struct {
	min, max string
	integer  bool
	step     inventory.Decimal // of which numbers are multiples
}{
	"int8":       {"128", "127", true, ""},
	"uint8":      {"0", "255", true, ""},
	"int16":      {"32768", "32767", true, ""},
	"uint16":     {"0", "65535", true, ""},
	"int32":      {"2147483648", "2147483647", true, ""},
	"uint32":     {"0", "4294967295", true, ""},
	"int64":      {"9223372036854775808", "9223372036854775807", true, ""},
	"uint64":     {"0", "18446744073709551615", true, ""},
	"float":      {"3.4028235677973366e38", "3.4028235677973366e38", false, ""},
	"double":     {"1.797693134862315807e308", "1.797693134862315807e308", false, ""},
	"double-int": {"9007199254740992", "9007199254740992", true, ""},
	"sf-integer": {"999999999999999", "999999999999999", true, ""}, // RFC 8941, section 3.3.1
	"sf-decimal": {"999999999999.999", "999999999999.999", false, "0.001"},
}

// shortFormats are judged by functions.
var shortFormats = map[string]artifact.Format{
	"date":            artifact.FormatDate,
	"date-time":       artifact.FormatDateTime,
	"date-time-local": artifact.FormatDateTimeLocal,
	"time":            artifact.FormatTime,
	"time-local":      artifact.FormatTimeLocal,
	"uuid":            artifact.FormatUUID,
	"email":           artifact.FormatEmail,
	"idn-email":       artifact.FormatIDNEmail,
	"hostname":        artifact.FormatHostname,
	"idn-hostname":    artifact.FormatIDNHostname,
	"ipv4":            artifact.FormatIPv4,
	"ipv6":            artifact.FormatIPv6,
	"regex":           artifact.FormatRegex,
}

// freeFormats are those that every value has.
var freeFormats = map[string]bool{"binary": true, "commonmark": true, "html": true, "password": true}
