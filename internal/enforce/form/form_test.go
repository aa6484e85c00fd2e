package form

import (
	"fmt"
	"strings"
	"testing"
)

const longest = 8 // name, in these tests

// read is what t makes of a form: [name=value] for each field, the parts of
// a value joined, and why it ended.
func read(t *Tokenizer, chunks ...[]byte) string {
	var b strings.Builder
	t.Reset(longest)
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
			fmt.Fprintf(&b, "[%s=", t.Bytes)
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

var forms = []struct{ body, want string }{
	{"", ""},
	{"a=1", "[a=1]"},
	{"a=1&b=2", "[a=1][b=2]"},
	{"a=1&a=2", "[a=1][a=2]"},
	{"a", "[a=]"},
	{"a&b=", "[a=][b=]"},
	{"&&a=1&&", "[a=1]"},
	{"a=b=c", "[a=b=c]"},
	{"a+b=c+d", "[a b=c d]"},
	{"%61%2B=%26%3d%2b%3B", "[a+=&=+;]"},
	{"a=%00", "[a=\x00]"},
	{"a=é", "[a=é]"},
	{"12345678=x", "[12345678=x]"},
	{"a=" + strings.Repeat("x", 2000), "[a=" + strings.Repeat("x", 2000) + "]"},

	{"=1", "!"},
	{"a=1&=", "[a=1]!"},
	{"a=1;b=2", "[a=1!"},
	{"a;b", "!"},
	{"a=%", "[a=!"},
	{"a=%4", "[a=!"},
	{"a=x%4&b=1", "[a=x!"},
	{"a=%zz", "[a=!"},
	{"a=%u0041", "[a=!"},
	{"%", "!"},
	{"a%00b=1", "!"},
	{"a=1\r\n", "[a=1!"},
	{"a=\x7f", "[a=!"},
	{"123456789=x", "!length"},
}

func TestForms(t *testing.T) {
	var tokens Tokenizer
	for _, row := range forms {
		body := []byte(row.body)
		if got := read(&tokens, body); got != row.want {
			t.Errorf("%q: %s, want %s", body, got, row.want)
		}
		for i := range body {
			if got := read(&tokens, body[:i], body[i:]); got != row.want {
				t.Errorf("%q cut at %d: %s, want %s", body, i, got, row.want)
			}
		}
	}
}
