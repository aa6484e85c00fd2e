package openapi

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

var (
	categories    = []string{"PII", "financial", "government-id", "health", "secret", "credential", "contact", "other"}
	sensitivities = []string{"public", "internal", "confidential", "restricted"}
)

// classifiers are the extensions that say what a field's data is.
var classifiers = []string{"x-data-classification", "x-pii", "x-sensitive"}

// classification reads the extensions of the schema n:
//
//	x-data-classification: {category: financial, sensitivity: restricted}
//	x-data-classification: restricted   # or a category
//	x-pii: true                         # category PII
//	x-sensitive: true                   # sensitivity confidential
//
// The latter two also take a category or sensitivity instead of true. Where
// they disagree the first named here wins.
func (l *loader) classification(n *node) *inventory.Classification {
	c := &inventory.Classification{}
	for _, name := range classifiers {
		f := n.get(name)
		if f == nil {
			continue
		}
		switch {
		case f.value.kind == object && name == "x-data-classification":
			members := l.members(f)
			for i := range members {
				switch f := &members[i]; f.name {
				case "category", "sensitivity":
					l.classify(c, f, f.value.text)
				}
			}
		case f.value.kind == boolean && name == "x-pii":
			if f.value.text == "true" {
				l.classify(c, f, "PII")
			}
		case f.value.kind == boolean && name == "x-sensitive":
			if f.value.text == "true" {
				l.classify(c, f, "confidential")
			}
		case f.value.kind == text:
			l.classify(c, f, f.value.text)
		default:
			l.diags.Warnf(f.value.pos(), "%s can't be %s; it is ignored", name, f.value.kind)
		}
	}
	if c.Category == "" && c.Sensitivity == "" {
		return nil
	}
	return c
}

// classify sets what word says, unless that is set already.
func (l *loader) classify(c *inventory.Classification, f *field, word string) {
	known := func(list []string) (string, bool) {
		i := slices.IndexFunc(list, func(w string) bool { return strings.EqualFold(w, word) })
		if i < 0 {
			return "", false
		}
		return list[i], true
	}
	if word == "" {
		return
	}
	if c.Pos.File == "" {
		c.Pos = f.pos()
	}
	if w, ok := known(categories); ok {
		if c.Category == "" {
			c.Category = w
		}
	} else if w, ok := known(sensitivities); ok {
		if c.Sensitivity == "" {
			c.Sensitivity = w
		}
	} else {
		l.diags.Warnf(f.value.pos(), "%q is neither a category (%s) nor a sensitivity (%s)", word,
			strings.Join(categories, ", "), strings.Join(sensitivities, ", "))
	}
}
