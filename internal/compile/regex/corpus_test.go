package regex

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestCorpus runs the tests of JSON-Schema-Test-Suite in which a string meets
// pattern or format: regex, or a property's name meets the one pattern that
// it must match.
func TestCorpus(t *testing.T) {
	const root = "../../../../shared/corpus/schema-tests/tests/draft2020-12"
	if _, err := os.Stat(root); err != nil {
		t.Skip("needs ../shared/corpus")
	}
	patterns, expressions := 0, 0
	for _, file := range []string{"pattern.json", "optional/ecmascript-regex.json", "optional/format/ecmascript-regex.json", "optional/format/regex.json"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		var groups []struct {
			Description string
			Schema      struct {
				Pattern           string
				PatternProperties map[string]bool
				Format            string
			}
			Tests []struct {
				Description string
				Data        any
				Valid       bool
			}
		}
		if err := json.Unmarshal(text, &groups); err != nil {
			t.Fatal(err)
		}
		for _, group := range groups {
			pattern := group.Schema.Pattern
			for pattern = range group.Schema.PatternProperties {
			}
			for _, test := range group.Tests {
				var got bool
				switch s, isString := subject(test.Data); {
				case !isString:
					continue
				case group.Schema.Format == "regex":
					// A backreference is an expression, if one without automaton.
					_, err := Compile(s)
					e, _ := err.(*Error)
					got = err == nil || e.Msg == "backreference has no finite automaton"
					expressions++
				default:
					d, err := Compile(pattern)
					if err != nil {
						t.Fatalf("%s: %s: %v", file, pattern, err)
					}
					got = d.MatchString(s)
					patterns++
				}
				if got != test.Valid {
					t.Errorf("%s: %s: %s: %t, want %t", file, group.Description, test.Description, got, test.Valid)
				}
			}
		}
	}
	t.Logf("%d tests of patterns, %d of format: regex", patterns, expressions)
	if patterns < 80 || expressions < 14 {
		t.Errorf("too few tests ran")
	}
}

// subject returns data if it is a string, or the name of its one property.
func subject(data any) (string, bool) {
	if object, ok := data.(map[string]any); ok && len(object) == 1 {
		for name := range object {
			return name, true
		}
	}
	s, ok := data.(string)
	return s, ok
}
