package threat

import (
	"slices"

	"github.com/threatgate/threatgate/internal/inventory"
)

// class is how sensitive data is, in the words of x-data-classification.
type class uint8

const (
	public class = iota
	internal
	confidential
	restricted
)

var classWords = [...]string{"public", "internal", "confidential", "restricted"}

func (c class) String() string { return classWords[c] }

func parseClass(word string) class { return class(max(0, slices.Index(classWords[:], word))) }

// classOf is the class of data that is classified; where only its category is
// given (x-pii: true), that of its category.
func classOf(c *inventory.Classification) class {
	if c.Sensitivity != "" {
		return parseClass(c.Sensitivity)
	}
	switch c.Category {
	case "secret", "credential", "government-id", "health":
		return restricted
	case "PII", "contact", "financial":
		return confidential
	}
	return internal
}

// naming is what a name says: its words, and how sensitive what is called so
// is taken to be where nothing classifies it.
type naming struct {
	words []string
	class class
}

func (e *enumeration) naming(name string) naming {
	n, known := e.namings[name]
	if !known {
		n.words = splitWords(name)
		for _, c := range e.catalogue.classes {
			if c.class > n.class && c.names.matchWords(n.words) {
				n.class = c.class
			}
		}
		e.namings[name] = n
	}
	return n
}
