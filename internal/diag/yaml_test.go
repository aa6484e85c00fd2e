package diag

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestYAMLFault(t *testing.T) {
	long := "a:\n" + strings.Repeat("  - b: c\n    d: e\n", 100)
	for _, test := range []struct{ name, data, want string }{
		{"a key further in", "a:\n  b: 1\n   c: 2\n  d: 3\n", "3: mapping values are not allowed in this context"},
		{"a key further out", "a:\n    b: {}\n  c: {}\nd: {}\n", "3: did not find expected key"},
		{"far below its block", long + "   x: y\n" + long[3:], "202: did not find expected '-' indicator"},
		{"a comment behind it", long + "   x: y\n" + strings.Repeat("# comment\n", 50), "202: did not find expected '-' indicator"},
		{"in the last line", long + "   x: y", "202: did not find expected '-' indicator"},
		{"a tab", "a:\n\tb: 1\n", "2: found character that cannot start any token"},
		{"in the first line", "{a: b#c, d: [}}\nb: 1\n", "1: did not find expected node content"},
		{"a quote that is not closed", long + "f: \"g\n" + strings.Repeat("h: i\n", 100), "202: found unexpected end of stream"},
		{"a list that is not closed", long + "f: [g,\n  h,\n", "203: did not find expected node content"},
		{"a comma that is missing", "a: {\n  b: [1,\n    2],\n  c: d\n  e: f\n}\n", "4: did not find expected ',' or '}'"},
		{"an unknown anchor", "a: 1\nb: *c\nd: 2\n", "2: unknown anchor 'c' referenced"},
		{"a control character", "a: 1\nb: \x01\nc: 2\n", "2: control characters are not allowed"},
		{"in the second document", "a: 1\n---\nb: 1\n  c: 2\n", "4: mapping values are not allowed in this context"},
		{"line ends of Windows", "a:\r\n    b: {}\r\n  c: {}\r\nd: {}\r\n", "3: did not find expected key"},
	} {
		err := yamlError(strings.NewReader(test.data))
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		line, message := YAMLFault([]byte(test.data), err)
		if got := fmt.Sprintf("%d: %s", line, message); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// A large file is read few times more.
func TestYAMLFaultOfALargeFile(t *testing.T) {
	long := "a:\n" + strings.Repeat("  - b: c\n    d: e\n", 20_000)
	for _, data := range []string{long + "   x: y\n" + long[3:], long + "f: \"g\n" + long} {
		begin := time.Now()
		err := yamlError(strings.NewReader(data))
		once := time.Since(begin)
		line, _ := YAMLFault([]byte(data), err)
		t.Logf("line %d after %v, with %v for the reading of it", line, time.Since(begin)-once, once)
		if line != 40_002 {
			t.Errorf("line %d", line)
		}
	}
}
