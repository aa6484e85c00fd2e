package json

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

var limits = Limits{MaxDepth: 1024, MaxToken: 1024}

// trace writes down all tokens of a text that arrives in the given chunks.
// The parts of a string are put together.
func trace(t *Tokenizer, l Limits, chunks ...[]byte) string {
	t.Reset(l, siphash.Key{K0: 1, K1: 2})
	var out strings.Builder
	var text []byte
	at := 0
	for {
		switch token := t.Next(); token {
		case More:
			if at < len(chunks) {
				t.Feed(chunks[at])
			} else {
				t.Finish()
			}
			at++
		case End:
			return out.String()
		case Failed:
			fmt.Fprintf(&out, "%q!%s", text, [...]string{"", "syntax", "depth", "length"}[t.Err])
			return out.String()
		case Part:
			text = append(text, t.Bytes...)
		case String:
			fmt.Fprintf(&out, "%q ", append(text, t.Bytes...))
			text = text[:0]
		case Name:
			if !t.Unique(t.Bytes) {
				return out.String() + `""!duplicate`
			}
			fmt.Fprintf(&out, "%q: ", t.Bytes)
		case Number:
			fmt.Fprintf(&out, "%s ", t.Bytes)
		default:
			out.WriteString([...]string{BeginObject: "{", EndObject: "}", BeginArray: "[", EndArray: "]", True: "true ", False: "false ", Null: "null "}[token])
		}
	}
}

func TestTokens(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`{"a":1,"b":[true,false,null]}`, `{"a": 1 "b": [true false null ]}`},
		{` { "a" : -0.5e+7 , "b" : "x" } `, `{"a": -0.5e+7 "b": "x" }`},
		{`[]`, `[]`},
		{`{}`, `{}`},
		{`12`, `12 `},
		{`"long enough for eight bytes at a time"`, `"long enough for eight bytes at a time" `},
		{`"\"\\\/\b\f\n\r\t"`, `"\"\\/\b\f\n\r\t" `},
		{`"\u0041\u00e9\u20AC\ud83d\uDE00"`, `"Aé€😀" `},
		{`"aé€😀z"`, `"aé€😀z" `},
		{`"\uffff\ufdd0"`, "\"\\uffff\\ufdd0\" "},
		{"\"\uffff\"", "\"\\uffff\" "},
		{`{"\u0061":1,"b":2}`, `{"a": 1 "b": 2 }`},
		{`{"a":{"a":[{"a":1}]},"b":{"a":1}}`, `{"a": {"a": [{"a": 1 }]}"b": {"a": 1 }}`},

		{``, `""!syntax`},
		{` `, `""!syntax`},
		{`[`, `[""!syntax`},
		{`[1`, `[1 ""!syntax`},
		{`[1,`, `[1 ""!syntax`},
		{`[1,]`, `[1 ""!syntax`},
		{`{"a"`, `{"a": ""!syntax`},
		{`{"a":`, `{"a": ""!syntax`},
		{`{"a":1,}`, `{"a": 1 ""!syntax`},
		{`{a:1}`, `{""!syntax`},
		{`[1}`, `[1 ""!syntax`},
		{`1 2`, `1 ""!syntax`},
		{`[]]`, `[]""!syntax`},
		{"\ufeff1", `""!syntax`},
		{`tru`, `""!syntax`},
		{`trux`, `""!syntax`},
		{`truex`, `true ""!syntax`},
		{`01`, `0 ""!syntax`},
		{`1.`, `""!syntax`},
		{`1e`, `""!syntax`},
		{`-`, `""!syntax`},
		{`+1`, `""!syntax`},
		{`.5`, `""!syntax`},
		{`1.5x`, `1.5 ""!syntax`},
		{`"abc`, `"abc"!syntax`},
		{"\"a\nb\"", `"a"!syntax`},
		{`"a\x"`, `"a"!syntax`},
		{`"a\u12g4"`, `"a"!syntax`},
		{`"a\ud800"`, `"a"!syntax`},
		{`"a\ud800x"`, `"a"!syntax`},
		{`"a\ud800\n"`, `"a"!syntax`},
		{`"a\ud800\u0041"`, `"a"!syntax`},
		{`"a\udc00"`, `"a"!syntax`},
		{"\"a\x80\"", `"a"!syntax`},
		{"\"a\xc0\xaf\"", `"a"!syntax`},
		{"\"a\xed\xa0\x80\"", `"a\xed"!syntax`},
		{"\"a\xf4\x90\x80\x80\"", `"a\xf4"!syntax`},
		{"\"a\xe2\x82\"", `"a\xe2\x82"!syntax`},

		{`{"a":1,"a":2}`, `{"a": 1 ""!duplicate`},
		{`{"a":1,"\u0061":2}`, `{"a": 1 ""!duplicate`},
		{`{"":1,"":2}`, `{"": 1 ""!duplicate`},
		{`{"a":{"b":1},"a":2}`, `{"a": {"b": 1 }""!duplicate`},
	} {
		var tok Tokenizer
		if got := trace(&tok, limits, []byte(test.in)); got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
		everySplit([]byte(test.in), func(chunks ...[]byte) {
			if got := trace(&tok, limits, chunks...); got != test.want {
				t.Errorf("%q: %s, want %s", chunks, got, test.want)
			}
		})
	}
}

// everySplit calls f with b in two chunks, cut at each place, and in chunks
// of one byte each.
func everySplit(b []byte, f func(...[]byte)) {
	for i := range b {
		f(b[:i], b[i:])
	}
	var single [][]byte
	for i := range b {
		single = append(single, b[i:i+1])
	}
	f(single...)
}

func TestLimits(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`[[[]]]`, `[[[]]]`},
		{`[[[[`, `[[[""!depth`},
		{`[[[{`, `[[[""!depth`},
		{`{"12345678":12345678}`, `{"12345678": 12345678 }`},
		{`{"123456789":1}`, `{""!length`},
		{`{"\u0031\u00323456789\u0030":1}`, `{""!length`},
		{`{"1234567é":1}`, `{""!length`},
		{`123456789`, `""!length`},
		{`1234.56789e`, `""!length`},
		{`12345678-`, "12345678 \"\"!syntax"},
		{`"a string may be as long as it likes"`, `"a string may be as long as it likes" `},
	} {
		var tok Tokenizer
		small := Limits{MaxDepth: 3, MaxToken: 8}
		everySplit([]byte(test.in), func(chunks ...[]byte) {
			if got := trace(&tok, small, chunks...); got != test.want {
				t.Errorf("%q: %s, want %s", chunks, got, test.want)
			}
		})
	}
}

func TestDuplicatesInLargeObjects(t *testing.T) {
	for _, n := range []int{1, 11, 12, 13, 16, 17, 100, 5000} {
		for _, twice := range []int{-1, 0, n / 2, n - 1} {
			var in bytes.Buffer
			in.WriteByte('{')
			for i := range n {
				fmt.Fprintf(&in, `"name%d":{"x":%d},`, i, i)
			}
			want := "}"
			if twice >= 0 {
				fmt.Fprintf(&in, `"name%d":0}`, twice)
				want = "!duplicate"
			} else {
				in.WriteString(`"other":0}`)
			}
			var tok Tokenizer
			if got := trace(&tok, limits, in.Bytes()); !strings.HasSuffix(got, want) {
				t.Errorf("%d names, name %d twice: …%s, want …%s", n, twice, got[len(got)-20:], want)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	text := []byte(`{"name":"Ada","escaped\n":"a\u00e9b","list":[1,2.5,-3e4,true,null],"more":{"a":{"b":[[]]}}}`)
	var tok Tokenizer
	if n := testing.AllocsPerRun(100, func() {
		tok.Reset(limits, siphash.Key{})
		for _, chunk := range [...][]byte{text[:30], text[30:50], text[50:]} {
			tok.Feed(chunk)
			for tok.Next() != More {
			}
		}
		tok.Finish()
		if tok.Next() != End {
			t.Fatal("not accepted")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a text, want 0", n)
	}
}

const suite = "../../../../shared/corpus/json-parsing/test_parsing"

// indeterminate is our answer to each file of the suite that leaves it open.
var indeterminate = map[string]bool{
	"i_number_double_huge_neg_exp.json":                   true,
	"i_number_huge_exp.json":                              true,
	"i_number_neg_int_huge_exp.json":                      true,
	"i_number_pos_double_huge_exp.json":                   true,
	"i_number_real_neg_overflow.json":                     true,
	"i_number_real_pos_overflow.json":                     true,
	"i_number_real_underflow.json":                        true,
	"i_number_too_big_neg_int.json":                       true,
	"i_number_too_big_pos_int.json":                       true,
	"i_number_very_big_negative_int.json":                 true,
	"i_structure_500_nested_arrays.json":                  true,
	"i_object_key_lone_2nd_surrogate.json":                false,
	"i_string_1st_surrogate_but_2nd_missing.json":         false,
	"i_string_1st_valid_surrogate_2nd_invalid.json":       false,
	"i_string_UTF-16LE_with_BOM.json":                     false,
	"i_string_UTF-8_invalid_sequence.json":                false,
	"i_string_UTF8_surrogate_U+D800.json":                 false,
	"i_string_incomplete_surrogate_and_escape_valid.json": false,
	"i_string_incomplete_surrogate_pair.json":             false,
	"i_string_incomplete_surrogates_escape_valid.json":    false,
	"i_string_invalid_lonely_surrogate.json":              false,
	"i_string_invalid_surrogate.json":                     false,
	"i_string_invalid_utf-8.json":                         false,
	"i_string_inverted_surrogates_U+1D11E.json":           false,
	"i_string_iso_latin_1.json":                           false,
	"i_string_lone_second_surrogate.json":                 false,
	"i_string_lone_utf8_continuation_byte.json":           false,
	"i_string_not_in_unicode_range.json":                  false,
	"i_string_overlong_sequence_2_bytes.json":             false,
	"i_string_overlong_sequence_6_bytes.json":             false,
	"i_string_overlong_sequence_6_bytes_null.json":        false,
	"i_string_truncated-utf-8.json":                       false,
	"i_string_utf16BE_no_BOM.json":                        false,
	"i_string_utf16LE_no_BOM.json":                        false,
	"i_structure_UTF-8_BOM_empty_object.json":             false,
}

// exceptions are the texts that JSON allows and we refuse.
var exceptions = map[string]string{
	"y_object_duplicated_key.json":           "I-JSON has no duplicate names (RFC 7493, section 2.3)",
	"y_object_duplicated_key_and_value.json": "I-JSON has no duplicate names (RFC 7493, section 2.3)",
}

// Of the suite every n_ file is refused, every y_ file but the exceptions
// accepted, and to each i_ file our answer is written down. Each is read whole
// and, as far as its first 4 KiB go, cut at every byte.
func TestJSONTestSuite(t *testing.T) {
	files, _ := filepath.Glob(suite + "/*.json")
	if _, err := os.Stat("../../../../shared"); err != nil {
		t.Skipf("conformance: %-26s not run: it needs ../shared/corpus", "JSONTestSuite")
	}
	passed, read := 0, 0
	var refused []string
	open := map[bool]int{} // by our answer
	var tok Tokenizer
	for _, file := range files {
		name := filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := name[0] == 'y' && exceptions[name] == ""
		if name[0] == 'i' {
			var ours bool
			if want, ours = indeterminate[name]; !ours {
				t.Errorf("%s: no answer is written down", name)
			}
			open[want]++
		}
		whole := trace(&tok, limits, data)
		ok := !strings.Contains(whole, `"!`) == want
		if !ok {
			t.Errorf("%s: want accepted %t", name, want)
		}
		head, tail := data[:min(len(data), 4096)], data[min(len(data), 4096):]
		read++
		everySplit(head, func(chunks ...[]byte) {
			read++
			if got := trace(&tok, limits, append(chunks, tail)...); got != whole {
				t.Errorf("%s in chunks %q: %s, want %s", name, chunks, got, whole)
				ok = false
			}
		})
		if why := exceptions[name]; why != "" {
			refused = append(refused, name+": "+why)
		} else if ok {
			passed++
		}
	}
	t.Logf("conformance: %-26s %5d/%-5d %7d judgements, of each text whole and cut at every byte", "JSONTestSuite", passed, len(files), read)
	for _, exception := range refused {
		t.Logf("conformance:     not %s", exception)
	}
	t.Logf("conformance:     %d of them may be refused or not: we accept %d and refuse %d, by the list in this test", open[true]+open[false], open[true], open[false])
	if len(files) < 318 || open[true]+open[false] < 35 || passed < len(files)-len(exceptions) {
		t.Errorf("%d of %d files passed, %d of them open, want at least 318 and 35", passed, len(files), open[true]+open[false])
	}
}

// FuzzChunking: where the chunks end makes no difference, and the verdict is
// encoding/json's, except that I-JSON is stricter.
func FuzzChunking(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e-3,"x\u00e9\ud83d\ude00é",true,null]}`, `{"a":1,"a":2}`, "\"\xff\"", `"\ud800"`, `[[[1]]`, ` 12 `} {
		f.Add([]byte(seed), uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		var tok Tokenizer
		whole := trace(&tok, limits, data)
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := data; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		if got := trace(&tok, limits, chunks...); got != whole {
			t.Fatalf("%q: %s, want %s as for %q", chunks, got, whole, data)
		}
		accepted := !strings.Contains(whole, `"!`)
		if valid := stdjson.Valid(data); accepted && !valid {
			t.Fatalf("%q is accepted and no JSON", data)
		} else if valid && !accepted && strings.HasSuffix(whole, "!syntax") && !notIJSON(data) {
			t.Fatalf("%q is refused: %s", data, whole)
		}
	})
}

// notIJSON reports whether valid JSON holds invalid UTF-8 or an escaped
// surrogate, which encoding/json replaces by U+FFFD.
func notIJSON(data []byte) bool {
	return bytes.ContainsRune(bytes.ToValidUTF8(data, []byte("\ufffd")), '\ufffd') || bytes.Contains(bytes.ToLower(data), []byte(`\ud`))
}

func BenchmarkTokens(b *testing.B) {
	for name, text := range map[string]string{
		"names":   `{"a":1,"bc":"d","name":"Ada Lovelace","email":"ada@example.org","items":[1,2,3],"ok":true}`,
		"ascii":   `"` + strings.Repeat("The quick brown fox. ", 500) + `"`,
		"unicode": `"` + strings.Repeat("Съешь ещё этих. ", 500) + `"`,
		"escapes": `"` + strings.Repeat(`a\nb`, 500) + `"`,
		"numbers": `[` + strings.Repeat(`12345.678,`, 500) + `0]`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var tok Tokenizer
			data := []byte(text)
			for b.Loop() {
				tok.Reset(limits, siphash.Key{})
				tok.Feed(data)
				for tok.Next() != More {
				}
			}
		})
	}
}
