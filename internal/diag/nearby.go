package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// DidYouMean suggests, in parentheses, the candidates that a misspelt name is
// nearest to; it is empty if none is near. It is for names that are wrong.
func DidYouMean(name string, candidates []string) string {
	return Nearest(name, candidates, max(2, len(name)/3))
}

// Nearest is DidYouMean for a name that is perhaps meant as it is: limit is
// how many bytes may differ, upper and lower case aside.
func Nearest(name string, candidates []string, limit int) string {
	type match struct {
		text     string
		distance int
	}
	var near []match
	for _, c := range candidates {
		if abs(len(c)-len(name)) > limit || c == name {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d <= limit && d < len(c) {
			near = append(near, match{c, d})
		}
	}
	if len(near) == 0 {
		return ""
	}
	slices.SortFunc(near, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.text, b.text))
	})
	var quoted []string
	for _, m := range near[:min(len(near), 3)] {
		if m.distance == near[0].distance {
			quoted = append(quoted, fmt.Sprintf("%q", m.text))
		}
	}
	return fmt.Sprintf(" (did you mean %s?)", Or(quoted))
}

// distance is the Levenshtein distance in bytes: how many must be inserted,
// deleted or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // distances of a's prefix to each prefix of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }

// Or joins words: "a, b or c".
func Or(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
