package report

import (
	"encoding/json"
	"io"
	"math"
)

// JSON writes doc, indented, with the fields in the order of its types.
func JSON(w io.Writer, doc *Document) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}

// round keeps two decimals, so that a report doesn't show how floats add up.
func round(x float64) float64 { return math.Round(x*100) / 100 }
