package regex

import (
	"strings"
	"unicode"
)

// property returns the runes of \p{expr} (ECMA-262 section 22.2.2.9), as far
// as Go's Unicode tables determine them exactly. If they do not, the second
// result says what is wrong.
func property(expr string) (runeSet, string) {
	name, value, hasValue := strings.Cut(expr, "=")
	switch {
	case !hasValue:
		if set, ok := category(expr); ok {
			return set, ""
		}
		if set, ok := binaryProperty(expr); ok {
			return set, ""
		}
		if set, ok := foreignProperty(expr); ok {
			return set, ""
		}
		return nil, "unknown or unsupported Unicode property " + expr
	case name == "General_Category" || name == "gc":
		if set, ok := category(value); ok {
			return set, ""
		}
		return nil, "unknown general category " + value
	case name == "Script" || name == "sc":
		if table, ok := unicode.Scripts[value]; ok {
			return tableSet(table), ""
		}
		return nil, "unknown script " + value + " (scripts are known by their long names)"
	}
	return nil, "unsupported Unicode property " + name
}

// category looks up a General_Category value by its short or long name.
func category(name string) (runeSet, bool) {
	if short, ok := unicode.CategoryAliases[name]; ok {
		name = short
	}
	table, ok := unicode.Categories[name]
	if !ok {
		return nil, false
	}
	return tableSet(table), true
}

// binaryProperty looks up a property of ECMA-262's table of binary Unicode
// properties. Derived ones are composed as DerivedCoreProperties.txt says.
func binaryProperty(name string) (runeSet, bool) {
	if long, ok := propertyAliases[name]; ok {
		name = long
	}
	switch name {
	case "Any":
		return anyRune, true
	case "ASCII":
		return runeSet{{0, unicode.MaxASCII}}, true
	case "Assigned":
		return tableSet(unicode.Categories["Cn"]).negate(), true
	case "Alphabetic":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic), true
	case "Lowercase":
		return tableSet(unicode.Ll, unicode.Other_Lowercase), true
	case "Uppercase":
		return tableSet(unicode.Lu, unicode.Other_Uppercase), true
	case "Math":
		return tableSet(unicode.Sm, unicode.Other_Math), true
	case "ID_Start":
		return withoutPatternRunes(unicode.L, unicode.Nl, unicode.Other_ID_Start), true
	case "ID_Continue":
		return withoutPatternRunes(unicode.L, unicode.Nl, unicode.Other_ID_Start,
			unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue), true
	}
	table, ok := unicode.Properties[name]
	if !ok || strings.HasPrefix(name, "Other_") || name == "Hyphen" || name == "Prepended_Concatenation_Mark" {
		return nil, false // the exceptions are Unicode's, but not ECMA-262's
	}
	return tableSet(table), true
}

// foreignProperty looks up what is an error in ECMA-262 and has one meaning
// in all dialects that know it: POSIX classes in Java's spelling, and scripts
// without "Script=".
func foreignProperty(name string) (runeSet, bool) {
	if set, ok := posixClasses[name]; ok {
		return set, true
	}
	if table, ok := unicode.Scripts[name]; ok {
		return tableSet(table), true
	}
	return nil, false
}

var posixClasses = map[string]runeSet{
	"Alnum":  {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}},
	"Blank":  {{'\t', '\t'}, {' ', ' '}},
	"Cntrl":  {{0, 0x1f}, {0x7f, 0x7f}},
	"Digit":  {{'0', '9'}},
	"Graph":  {{'!', '~'}},
	"Print":  {{' ', '~'}},
	"Punct":  {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}},
	"Space":  {{'\t', '\r'}, {' ', ' '}},
	"XDigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
	"all":    anyRune,
}

// withoutPatternRunes is tableSet without the runes that Unicode reserves for
// the syntax of patterns, which are never part of an identifier.
func withoutPatternRunes(tables ...*unicode.RangeTable) runeSet {
	reserved := tableSet(unicode.Pattern_Syntax, unicode.Pattern_White_Space)
	return union(tableSet(tables...).negate(), reserved).negate()
}

var propertyAliases = map[string]string{
	"AHex": "ASCII_Hex_Digit", "Alpha": "Alphabetic", "Bidi_C": "Bidi_Control", "Dep": "Deprecated",
	"Dia": "Diacritic", "Ext": "Extender", "Hex": "Hex_Digit", "IDC": "ID_Continue", "IDS": "ID_Start",
	"IDSB": "IDS_Binary_Operator", "IDST": "IDS_Trinary_Operator", "Ideo": "Ideographic",
	"Join_C": "Join_Control", "LOE": "Logical_Order_Exception", "Lower": "Lowercase",
	"NChar": "Noncharacter_Code_Point", "Pat_Syn": "Pattern_Syntax", "Pat_WS": "Pattern_White_Space",
	"QMark": "Quotation_Mark", "RI": "Regional_Indicator", "SD": "Soft_Dotted", "STerm": "Sentence_Terminal",
	"Term": "Terminal_Punctuation", "UIdeo": "Unified_Ideograph", "Upper": "Uppercase",
	"VS": "Variation_Selector", "space": "White_Space",
}
