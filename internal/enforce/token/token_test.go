package token

import (
	"encoding/base64"
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
		issuer, subj, scope string
	}{
		{`{}`, true, "", "", ""},
		{`{"iss":"https://login","sub":"u1","scope":"a b"}`, true, "https://login", "u1", "a b"},
		{` { "x" : {"sub":"inner","y":[1,{"z":null}]} , "sub" : "outer" } `, true, "", "outer", ""},
		{`{"scp":["a","b"],"exp":1.5e9,"ok":true}`, true, "", "", `"a","b"`},
		{`{"scp":["x"],"scope":"a b"}`, true, "", "", "a b"},
		{`{"sub":7}`, true, "", "", ""},
		{`{"sub":"a","sub":"b"}`, false, "", "", ""},
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
		if ok && (string(c.Issuer) != row.issuer || string(c.Subject) != row.subj || string(c.Scope) != row.scope) {
			t.Errorf("ReadClaims(%s) = %q %q %q", row.payload, c.Issuer, c.Subject, c.Scope)
		}
	}
}

func TestHasScope(t *testing.T) {
	for _, scope := range []string{"read", "read write", `"read","write"`, `"x", "read"`, "x read y"} {
		c := Claims{Scope: []byte(scope)}
		if !c.HasScope([]byte("read")) {
			t.Errorf("%q lacks read", scope)
		}
		if c.HasScope([]byte("rea")) || c.HasScope([]byte("readx")) {
			t.Errorf("%q has what it should not", scope)
		}
	}
}

func FuzzReadClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"a","sub":"b","scope":"c","n":[1,2,{"a":"\\"}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) { ReadClaims(payload) })
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
