package diag

import "testing"

func TestDidYouMean(t *testing.T) {
	tests := []struct {
		name       string
		candidates []string
		want       string
	}{
		{"upstreem", []string{"zone", "upstream", "mode"}, ` (did you mean "upstream"?)`},
		{"Zone", []string{"zone"}, ` (did you mean "zone"?)`},
		{"modes", []string{"mode", "model", "nodes"}, ` (did you mean "mode", "model" or "nodes"?)`},
		{"colour", []string{"zone", "mode"}, ""},
		{"x", []string{"id", "to"}, ""},
		{"id", nil, ""},
	}
	for _, test := range tests {
		if got := DidYouMean(test.name, test.candidates); got != test.want {
			t.Errorf("%q among %q: got %s, want %s", test.name, test.candidates, got, test.want)
		}
	}
}

// What is perhaps meant as it is must be nearer.
func TestNearest(t *testing.T) {
	keywords := []string{"if", "items", "maxLength", "required"}
	for name, want := range map[string]string{
		"maxlength": ` (did you mean "maxLength"?)`,
		"require":   ` (did you mean "required"?)`,
		"item":      ` (did you mean "items"?)`,
		"in":        "",
		"length":    "",
		"items":     "",
	} {
		if got := Nearest(name, keywords, len(name)/4); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"abc", "abc", 0},
		{"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ab", "ba", 2},
	}
	for _, test := range tests {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
