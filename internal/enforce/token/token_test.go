package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	for value, want := range map[string]bool{
		"abc": true, "a.b-c_d~e+f/g==": true, "": false, "==": false, "a b": false, "a=b": false, "é": false, "a,b": false,
	} {
		if got := Bearer([]byte(value)); got != want {
			t.Errorf("Bearer(%q) = %t", value, got)
		}
	}
	for value, want := range map[string]bool{
		b64("user:pass"): true, b64(":"): true, b64("userpass"): false, "": false,
		"dXNlcjpwYXNz=": false, "####": false, b64("us:er") + "====": false,
	} {
		if got := Basic([]byte(value)); got != want {
			t.Errorf("Basic(%q) = %t", value, got)
		}
	}
	for value, want := range map[string]bool{
		"a.b-c.d_e": true, "": true, "~a.b.c": false, "a.b.c/d": false, "a.b.c+d": false, "a.b.c=": false, "é": false,
	} {
		if got := Compact([]byte(value)); got != want {
			t.Errorf("Compact(%q) = %t", value, got)
		}
	}
	for value, want := range map[string][2]string{
		"Bearer abc":   {"Bearer", "abc"},
		"bearer   abc": {"bearer", "abc"},
		"Bearer":       {"Bearer", ""},
		"":             {"", ""},
	} {
		scheme, credentials := Authorization([]byte(value))
		if string(scheme) != want[0] || string(credentials) != want[1] {
			t.Errorf("Authorization(%q) = %q, %q", value, scheme, credentials)
		}
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestReadClaims(t *testing.T) {
	for _, row := range []struct {
		payload             string
		ok                  bool
		issuer, subj, scope string // the scope as it is written
	}{
		{`{}`, true, "", "", ""},
		{`{"iss":"https://login","sub":"u1","scope":"a b"}`, true, "https://login", "u1", `"a b"`},
		{` { "x" : {"sub":"inner","y":[1,{"z":null}]} , "sub" : "outer" } `, true, "", "outer", ""},
		{`{"scp":["a","b"],"exp":1.5e9,"ok":true}`, true, "", "", `["a","b"]`},
		{`{"scp":["x"],"scope":"a b"}`, true, "", "", `"a b"`},
		{`{"sub":7}`, true, "", "", ""},
		{`{"sub":"a","sub":"b"}`, false, "", "", ""},
		{`{"sub":7,"sub":"b"}`, false, "", "", ""},
		{`{"sub":"a","\u0073ub":"b"}`, false, "", "", ""},
		{`{"sub":"a","pr\u00e9nom":"b","https:\/\/example":1}`, true, "", "a", ""},
		{`{"iss":["a"],"sub":["b"]}`, true, "", "", ""},
		{`{"sub":"a\"b"}`, true, "", `a\"b`, ""},
		{`{"sub":"a"`, false, "", "", ""},
		{`{"sub":"a"} x`, false, "", "", ""},
		{`{"sub" "a"}`, false, "", "", ""},
		{`{,}`, false, "", "", ""},
		{`[]`, false, "", "", ""},
		{``, false, "", "", ""},
		{`{"a":"\`, false, "", "", ""},
	} {
		c, ok := ReadClaims([]byte(row.payload))
		if ok != row.ok {
			t.Errorf("ReadClaims(%s) = %t", row.payload, ok)
			continue
		}
		if ok && (string(c.Issuer) != row.issuer || string(c.Subject) != row.subj || string(c.scope) != row.scope) {
			t.Errorf("ReadClaims(%s) = %q %q %q", row.payload, c.Issuer, c.Subject, c.scope)
		}
	}
}

func TestHasScope(t *testing.T) {
	for scope, want := range map[string]bool{
		`"read"`: true, `"read write"`: true, `"x read y"`: true, `["read","write"]`: true, `[ "x" , "read" ]`: true, `[1,{"a":[]},"read"]`: true,
		``: false, `""`: false, `[]`: false, `7`: false, `{"read":"read"}`: false, `"rea"`: false, `"readx"`: false, `["readx"]`: false,
		`"x,read"`: false, `"x\"read\""`: false, `["x read"]`: false, `[["read"]]`: false, `[{"a":"read"}]`: false, `"[read]"`: false,
	} {
		c := Claims{scope: []byte(scope)}
		if got := c.HasScope([]byte("read")); got != want {
			t.Errorf("%s has read: %t", scope, got)
		}
	}
}

// FuzzReadClaims: what we read of a payload encoding/json reads, too.
func FuzzReadClaims(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"a","sub":"b","scope":"c","n":[1,2,{"a":"\\"}]}`, `{"scp":["a","b"],"iss":7}`, `{"iss":"a","\u0069ss":"b"}`, `{"scope":["a",["b"],"c d"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, ok := ReadClaims(payload)
		var claims map[string]json.RawMessage
		if err := json.Unmarshal(payload, &claims); err != nil || !ok {
			return
		}
		scope := claims["scope"]
		if scope == nil {
			scope = claims["scp"]
		}
		if !bytes.Equal(c.Issuer, inside(claims["iss"])) || !bytes.Equal(c.Subject, inside(claims["sub"])) || !bytes.Equal(c.scope, scope) {
			t.Errorf("%s: %q %q %q", payload, c.Issuer, c.Subject, c.scope)
		}
		var list []any
		if json.Unmarshal(scope, &list) != nil {
			var words string
			json.Unmarshal(scope, &words)
			for word := range strings.SplitSeq(words, " ") {
				list = append(list, word)
			}
		}
		for _, s := range []string{"a", "b", "c"} {
			if c.HasScope([]byte(s)) && !slices.Contains(list, any(s)) {
				t.Errorf("%s has %q", payload, s)
			}
		}
	})
}

func TestDecodePayload(t *testing.T) {
	for _, s := range []string{"", "a", "ab", "abc", `{"sub":"é"}`} {
		got, ok := DecodePayload(nil, []byte(base64.RawURLEncoding.EncodeToString([]byte(s))))
		if !ok || string(got) != s {
			t.Errorf("DecodePayload(%q) = %q, %t", s, got, ok)
		}
	}
	if _, ok := DecodePayload(nil, []byte("a b")); ok {
		t.Error("DecodePayload accepted a blank")
	}
}
