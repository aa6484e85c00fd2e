package uri

import "testing"

func TestUnescape(t *testing.T) {
	for _, row := range []struct {
		in   string
		plus bool
		want string
		ok   bool
	}{
		{"", false, "", true},
		{"abc", false, "abc", true},
		{"a%20b", false, "a b", true},
		{"a+b", false, "a+b", true},
		{"a+b", true, "a b", true},
		{"%2B", true, "+", true},
		{"%c3%A9", false, "é", true},
		{"%25", false, "%", true},
		{"%2525", false, "%25", true},
		{"%", false, "", false},
		{"a%2", false, "a", false},
		{"%zz", false, "", false},
		{"%2g", false, "", false},
		{"%00", false, "\x00", true},
		{"%2C%3b%3D,;=", false, ",;=,;=", true},
	} {
		got, ok := Unescape(nil, []byte(row.in), row.plus)
		if string(got) != row.want || ok != row.ok {
			t.Errorf("Unescape(%q, %t) = %q, %t, want %q, %t", row.in, row.plus, got, ok, row.want, row.ok)
		}
		if again, ok := Unescape(nil, UnescapeBut(nil, []byte(row.in), Separators), false); !row.plus && (string(again) != row.want || ok != row.ok) {
			t.Errorf("UnescapeBut(%q) leads to %q, %t, want %q, %t", row.in, again, ok, row.want, row.ok)
		}
		if plain := Plain([]byte(row.in), row.plus); plain != (ok && string(got) == row.in && row.in == row.want && !has(row.in, '%')) {
			t.Errorf("Plain(%q, %t) = %t", row.in, row.plus, plain)
		}
	}
}

func has(s string, c byte) bool {
	for i := range len(s) {
		if s[i] == c {
			return true
		}
	}
	return false
}

func TestNormal(t *testing.T) {
	for path, want := range map[string]bool{
		"/":            true,
		"/a/b":         true,
		"/a.b/..c/d..": true,
		"/...":         true,
		"/.well-known": true,
		"/a%20b":       true,
		"/%41":         true,
		"/.":           false,
		"/a/..":        false,
		"/a/../b":      false,
		"/a/./b":       false,
		"/a/..;/b":     false,
		"/a/..;x=1/b":  false,
		"/a/..%3bx/b":  false,
		"/%2e%2E;x":    false,
		"/a/.;":        false,
		"/a/..b;x":     true,
		"/a;../b":      true,
		"/a%3b..":      true,
		"/%2e":         false,
		"/%2e%2E/b":    false,
		"/.%2e":        false,
		"/a%2fb":       false,
		"/a%2Fb":       false,
		"/a%5cb":       false,
		"/a%00":        false,
		"/a%":          false,
		"/a%4":         false,
		"/a%4x":        false,
		"/a%252fb":     true, // decodes once, to a literal "%2f"
	} {
		target := Parse([]byte(path))
		if got := target.Normal(); got != want {
			t.Errorf("Normal(%q) = %t, want %t", path, got, want)
		}
	}
}
