package json

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// rest stands behind what is read, and must not be taken for a part of it.
var rest = strings.Repeat(",", Lookahead)

func TestSmallNumber(t *testing.T) {
	for _, r := range []struct{ text, want string }{
		{"0", "0 0"}, {"-0", "0 0"}, {"7", "7 0"}, {"-12", "-12 0"}, {"1234567", "1234567 0"}, {"12345678", "12345678 0"}, {"99999999", "99999999 0"},
		{"123456789", "123456789 0"}, {"100000000000000", "100000000000000 0"}, {"-999999999999999", "-999999999999999 0"},
		{"0.5", "5 1"}, {"-12.50", "-1250 2"}, {"1234567.7654321", "12345677654321 7"}, {"0.0000001", "1 7"},
		{"9999999999999999", ""}, {"12345678.5", ""}, {"-123456789012345.", ""}, {"0.12345678", ""}, {"1e5", ""}, {"1.5E1", ""},
		{"", ""}, {"-", ""}, {"01", ""}, {"-00", ""}, {"00000000", ""}, {"1.", ""}, {".5", ""}, {"-.5", ""}, {"+1", ""},
	} {
		n, scale, end := SmallNumber([]byte(`[`+r.text+rest), 1)
		got := ""
		if end >= 0 {
			got = fmt.Sprint(n, scale)
			if end != 1+len(r.text) {
				t.Errorf("%s ends at %d", r.text, end-1)
			}
		}
		if got != r.want {
			t.Errorf("%s: got %q, want %q", r.text, got, r.want)
		}
	}
}

func TestSmallNumberEndsBefore(t *testing.T) {
	for c := range 256 {
		if strings.ContainsRune("0123456789.eE", rune(c)) {
			continue
		}
		for _, text := range []string{"7", "-12", "1234567", "12345678", "1.5"} {
			b := []byte(text + string([]byte{byte(c)}) + rest)
			if _, _, end := SmallNumber(b, 0); end != len(text) {
				t.Errorf("%q: ends at %d", b[:len(text)+1], end)
			}
		}
	}
}

func TestStringEnd(t *testing.T) {
	for _, r := range []struct {
		text  string
		plain bool
	}{
		{"", true}, {"a", true}, {"seven b", true}, {"eight by", true}, {"more than eight bytes", true}, {"é", true}, {"1234567é", true}, {"日本語と English", true}, {"\U0001f600", true}, {"\x7f", true},
		{`\n`, false}, {"0123456\n", false}, {"\x00", false}, {"\xff", false}, {"abc\xc3", false}, {"\xed\xa0\x80", false}, {"\xc0\xaf", false}, {"éé\\u0041", false},
	} {
		want := -1
		if r.plain {
			want = 1 + len(r.text)
		}
		if got := StringEnd([]byte(`"`+r.text+`"`+rest), 1); got != want {
			t.Errorf("%q: got %d, want %d", r.text, got, want)
		}
	}
	if got := StringEnd([]byte(`"without an end`), 1); got != -1 {
		t.Errorf("got %d", got)
	}
}

// FuzzWhole: what the functions for plain text find, Next finds, too.
func FuzzWhole(f *testing.F) {
	for _, seed := range []string{`0`, `-12.5`, `1234567890`, `"text"`, `"日本語"`, `true`, `false`, `null`, `"a\"b"`, `1.5e3`, `01`, `tru`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := append(bytes.Clone(data), rest...)
		var want Token
		length := -1
		if len(data) > 0 && data[0] == '"' {
			if end := StringEnd(b, 1); end > 0 {
				want, length = String, end+1
			}
		} else if _, _, end := SmallNumber(b, 0); end > 0 {
			want, length = Number, end
		} else if want = Literal(b[:5]); want != More {
			length = 4
			if want == False {
				length = 5
			}
		}
		if length < 0 {
			return
		}
		var tokens Tokenizer
		tokens.Reset(Limits{MaxDepth: 1, MaxToken: 100}, siphash.Key{})
		tokens.Feed(b[:length])
		got := tokens.Next()
		for got == Part {
			got = tokens.Next()
		}
		if got == More {
			tokens.Finish()
			got = tokens.Next()
		}
		if got != want {
			t.Errorf("%q: %d, want %d", b[:length], got, want)
		}
	})
}
