package multipart

import (
	"fmt"
	"strings"
	"testing"
)

const longest = 8 // name, in these tests

// read is what t makes of a body with the boundary "b": [name=value] for each
// part, with "file" and the content type behind the name, the parts of a value
// joined, and why it ended.
func read(t *Tokenizer, chunks ...[]byte) string {
	var b strings.Builder
	t.Reset([]byte("b"), longest)
	for {
		switch t.Next() {
		case More:
			if len(chunks) == 0 {
				t.Finish()
				continue
			}
			t.Feed(chunks[0])
			chunks = chunks[1:]
		case Name:
			fmt.Fprintf(&b, "[%s", t.Bytes)
			if t.IsFile {
				b.WriteString(" file")
			}
			if len(t.ContentType) > 0 {
				fmt.Fprintf(&b, " %s", t.ContentType)
			}
			b.WriteByte('=')
		case Part:
			b.Write(t.Bytes)
		case Value:
			fmt.Fprintf(&b, "%s]", t.Bytes)
		case Failed:
			return b.String() + [...]string{Syntax: "!", NameLength: "!length"}[t.Err]
		case End:
			return b.String()
		}
	}
}

// lines is s with CRLF for each "|".
func lines(s string) []byte { return []byte(strings.ReplaceAll(s, "|", "\r\n")) }

const named = "--b|Content-Disposition: form-data; name=a"

var bodies = []struct{ body, want string }{
	{named + "||1|--b--", "[a=1]"},
	{named + "||1|--b--|", "[a=1]"},
	{named + "|||--b--|", "[a=]"},
	{named + "||1|" + named + "||2|--b--|", "[a=1][a=2]"},
	{"--b--|", ""},
	{`--b|content-DISPOSITION:Form-Data;name="a b"; filename="x; y.png"|Content-Type: image/png|||||--b--`, "[a b file image/png=\r\n\r\n]"},
	{`--b|Content-Disposition: form-data; filename=""; name="é"|Content-Length: 1|X-Other: "||x|--b--`, "[é file=x]"},
	{"--b|Content-Disposition: form-data; name=a|Content-Transfer-Encoding: binary||\x00\xff|--b--", "[a=\x00\xff]"},
	{named + "||-|-\r\r\n-\n--|--c|--b--", "[a=-\r\n-\r\r\n-\n--\r\n--c]"},
	{named + "||" + strings.Repeat("x", 2000) + strings.Repeat("|--", 500) + "|--b--", "[a=" + strings.Repeat("x", 2000) + strings.Repeat("\r\n--", 500) + "]"},

	// Cut off.
	{"", "!"},
	{"--", "!"},
	{"--b", "!"},
	{"--b|", "!"},
	{named, "!"},
	{named + "||1", "[a=1!"},
	{named + "||1|--b", "[a=1]!"},
	{named + "||1|--b-", "[a=1]!"},
	{named + "||1|--b|", "[a=1]!"},
	{named + "||1|--b--\r", "[a=1]!"},

	// Something where nothing belongs.
	{"|" + named + "||1|--b--", "!"},
	{"preamble|" + named + "||1|--b--", "!"},
	{named + "||1|--b--|epilogue", "[a=1]!"},
	{named + "||1|--b-- ", "[a=1]!"},
	{named + "||1|--b |", "[a=1]!"},
	{named + "||1|--bc|", "[a=1]!"},
	{named + "||1|--b--c", "[a=1]!"},
	{named + "||1|--b-c", "[a=1]!"},
	{named + "||1|--b--|" + named + "||2|--b--", "[a=1]!"},

	// Boundaries that only some see.
	{named + "||1\n--b--", "[a=1\n--b!"},
	{named + "||1\r--b--", "[a=1\r--b!"},
	{named + "||1--b--", "[a=1--b!"},
	{named + "||--b--", "[a=--b!"},
	{named + "||1---b--", "[a=1---b!"},
	{named + "||1|---b--", "[a=1\r\n---b!"},
	{"--b\n", "!"},

	// Headers.
	{"--b||1|--b--", "!"},
	{"--b|Content-Type: text/plain||1|--b--", "!"},
	{named + "\n\n1|--b--", "!"},
	{named + "\r\r\n", "!"},
	{named + "|Content-Disposition: form-data; name=a||1|--b--", "!"},
	{named + "|Content-Type: a/b|content-type: a/b||1|--b--", "!"},
	{named + "|Content-Type:||1|--b--", "!"},
	{named + "| folded||1|--b--", "!"},
	{named + "|Spaced : 1||1|--b--", "!"},
	{named + "|: 1||1|--b--", "!"},
	{named + "|nothing||1|--b--", "!"},
	{named + "|X: \x00||1|--b--", "!"},
	{named + "|X: \xff||1|--b--", "!"},
	{named + "|Content-Transfer-Encoding: base64||1|--b--", "!"},
	{named + "|X: " + strings.Repeat("x", maxHeaders) + "||1|--b--", "!"},

	// Content-Disposition.
	{"--b|Content-Disposition: form-data||1|--b--", "!"},
	{"--b|Content-Disposition: attachment; name=a||1|--b--", "!"},
	{"--b|Content-Disposition: form-data; name||1|--b--", "!"},
	{"--b|Content-Disposition: form-data; name=||1|--b--", "!"},
	{`--b|Content-Disposition: form-data; name=""||1|--b--`, "!"},
	{named + "; name=b||1|--b--", "!"},
	{named + "; NAME=a||1|--b--", "!"},
	{named + ";||1|--b--", "!"},
	{named + "; size=1||1|--b--", "!"},
	{named + " ; filename=x||1|--b--", "!"},
	{named + "; filename=x; filename=x||1|--b--", "!"},
	{named + "; filename*=utf-8''x||1|--b--", "!"},
	{named + "; filename =x||1|--b--", "!"},
	{named + "; filename= x||1|--b--", "!"},
	{named + "; filename=x y||1|--b--", "!"},
	{named + `; filename="x" y||1|--b--`, "!"},
	{named + `; filename="x||1|--b--`, "!"},
	{named + `; filename="x\"y"||1|--b--`, "!"},
	{named + `; filename="../x"||1|--b--`, "!"},
	{named + `; filename="..\x"||1|--b--`, "!"},
	{`--b|Content-Disposition: form-data; name="a%22b"||1|--b--`, "!"},
	{`--b|Content-Disposition: form-data; name=a"b||1|--b--`, "!"},
	{"--b|Content-Disposition: form-data; name=12345678||1|--b--", "[12345678=1]"},
	{"--b|Content-Disposition: form-data; name=123456789||1|--b--", "!length"},
}

func TestBodies(t *testing.T) {
	var tokens Tokenizer
	for _, row := range bodies {
		body := lines(row.body)
		if got := read(&tokens, body); got != row.want {
			t.Errorf("%q: %q, want %q", body, got, row.want)
		}
		for i := range body {
			if got := read(&tokens, body[:i], body[i:]); got != row.want {
				t.Errorf("%q cut at %d: %q, want %q", body, i, got, row.want)
				break
			}
		}
		var each [][]byte
		for i := range body {
			each = append(each, body[i:i+1])
		}
		if got := read(&tokens, each...); got != row.want {
			t.Errorf("%q byte by byte: %q, want %q", body, got, row.want)
		}
	}
}

// A boundary that repeats itself is found wherever it begins.
func TestDelimiter(t *testing.T) {
	const boundary = "--aa--aab"
	var tokens Tokenizer
	for _, value := range []string{"", "-", "\r", "\r\n--", "\r\n--aa--aa", "\r\n----aa--aa", "\r\n----aa--aa--aa", "\r\n\r\n----aa"} {
		body := []byte("--" + boundary + "\r\nContent-Disposition: form-data; name=a\r\n\r\n" + value + "\r\n--" + boundary + "--")
		tokens.Reset([]byte(boundary), longest)
		var got []byte
		for i := -1; ; {
			token := tokens.Next()
			if token == More && i < len(body)-1 {
				i++
				tokens.Feed(body[i : i+1])
				continue
			} else if token == More {
				tokens.Finish()
				continue
			}
			if token == Part || token == Value {
				got = append(got, tokens.Bytes...)
			}
			if token == Failed || token == End {
				if token == Failed || string(got) != value {
					t.Errorf("%q is read as %q, failed: %t", value, got, token == Failed)
				}
				break
			}
		}
	}
}

func TestBoundary(t *testing.T) {
	for _, row := range []struct {
		parameters, want string
		ok               bool
	}{
		{" boundary=b", "b", true},
		{" charset=utf-8; Boundary=----WebKitFormBoundaryAbC", "----WebKitFormBoundaryAbC", true},
		{`boundary="a:b=c"`, "a:b=c", true},
		{"boundary=" + strings.Repeat("b", 70), strings.Repeat("b", 70), true},
		{"boundary=" + strings.Repeat("b", 71), "", false},
		{"", "", false},
		{"boundary=", "", false},
		{`boundary=""`, "", false},
		{"boundary=a; boundary=a", "", false},
		{"boundary=a; boundary*=b", "", false},
		{"boundary*0=a", "", false},
		{"boundary =a", "", false},
		{"boundary= a", "", false},
		{"boundary=b; xboundary=c", "", false}, // of these frameworks take another
		{"xboundary=c; boundary=b", "", false},
		{"x=a boundary=c; boundary=b", "", false},
		{"boundary=b; boundary", "", false},
		{"x=Boundary; boundary=b", "", false},
		{`boundary="b,c"`, "", false},
		{`boundary="b-boundary=c"`, "", false},
		{"boundary=a:b", "", false},
		{"boundary=a,b", "", false},
		{`boundary="a b"`, "", false},
		{`boundary="a\b"`, "", false},
		{`boundary="a;b"`, "", false},
		{"boundary=é", "", false},
	} {
		if got, ok := Boundary([]byte(row.parameters)); string(got) != row.want || ok != row.ok {
			t.Errorf("%q: %q, %t; want %q, %t", row.parameters, got, ok, row.want, row.ok)
		}
	}
}
