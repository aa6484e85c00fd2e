package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/diag"
	machine "github.com/threatgate/threatgate/internal/enforce/schema"
)

// formats are values that have a format, and such that don't: those that the
// JSON Schema Test Suite has not.
var formats = []struct{ name, valid, invalid string }{
	{"int8", `[-128, 127, 1.0, "x"]`, `[-129, 128, 1.5]`},
	{"uint8", `[0, 255, -0]`, `[-1, 256, 254.5]`},
	{"int16", `[-32768, 32767]`, `[-32769, 32768]`},
	{"uint16", `[65535]`, `[65536]`},
	{"int32", `[-2147483648, 2147483647, "2147483648"]`, `[-2147483649, 2147483648, 0.5]`},
	{"uint32", `[4294967295]`, `[4294967296]`},
	{"int64", `[-9223372036854775808, 9223372036854775807, "-9223372036854775808", "9223372036854775807", "0", "10"]`,
		`[-9223372036854775809, 9223372036854775808, "-9223372036854775809", "9223372036854775808", "", "01", "1e1", "--1", 1e-1]`},
	{"uint64", `[18446744073709551615, "18446744073709551615", "0"]`, `[18446744073709551616, -1, "18446744073709551616", "-1"]`},
	{"float", `[3.4028235e38, -3.4028235e38, 0.1]`, `[3.4028236e38, -1e39]`},
	{"double", `[1.7976931348623157e308]`, `[1.8e308]`},
	{"double-int", `[9007199254740992, 2.0]`, `[9007199254740993, 0.5]`},
	{"decimal", `["1", "-1.50", "+0.5", 1e400, "123456789012345678901234567890.1"]`, `["", ".", "1e3", "1,5", "NaN"]`},
	{"decimal128", `["1", "-1.50e-10", "NaN", "INF", "-INF"]`, `["", "1e", "inf", "+INF"]`},
	{"unixtime", `[0, 1.5, "1700000000"]`, `["now", ""]`},
	{"byte", `["", "QQ==", "QUI=", "QUJD"]`, `["Q", "QQ", "QQ=", "Q-==", "QUJD\n"]`},
	{"base64url", `["", "QQ", "QQ==", "QUI", "-_-_"]`, `["Q", "QQ=", "QU+D"]`},
	{"binary", `["", "\u0000"]`, `[]`},
	{"char", `["a", "😀", "\n"]`, `["", "ab"]`},
	{"password", `[""]`, `[]`},
	{"date-time-local", `["2024-02-29T23:59:59", "2024-01-01t00:00:00.5"]`, `["2023-02-29T00:00:00", "2024-01-01T00:00:00Z", "2024-01-01"]`},
	{"time-local", `["23:59:59", "23:59:60", "00:00:00.123", "18:44:60"]`, `["24:00:00", "23:58:60", "00:00:00Z", "00:00", "00:00:00."]`},
	{"http-date", `["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]`,
		`["Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "1994-11-06"]`},
	{"media-range", `["*/*", "text/*", "text/html;level=1", "a/b ; c=\"d;\\\"e\" ;"]`, `["text", "text/", "text/html level=1", "a/b;c", "a/b;c=\""]`},
	{"language", `["de", "de-AT", "zh-Hant-TW", "sl-rozaj-biske", "en-a-bbb-x-c", "x-any", "i-klingon", "de-CH-1996"]`, `["", "d", "de_AT", "de-", "de-AT-DE", "en-a"]`},
	{"ipv4-cidr", `["10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32"]`, `["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0/8"]`},
	{"ipv6-cidr", `["::/0", "2001:db8::/32", "::1/128"]`, `["::", "::/129", "::/01", "1:2/3"]`},
	{"sf-integer", `[999999999999999, -999999999999999]`, `[1000000000000000, 1.5]`},
	{"sf-decimal", `[1.5, 999999999999.999, -0.001]`, `[0.0001, 1000000000000]`},
	{"sf-binary", `["::", ":QQ==:"]`, `["", ":", ":Q-:"]`},
	{"sf-boolean", `["?0", "?1"]`, `["?", "?2", "true"]`},
	{"sf-string", `["\"\"", "\"a \\\\ \\\" b\""]`, `["", "\"", "\"\\a\"", "\"é\""]`},
	{"sf-token", `["a", "*a/b:c"]`, `["", "1", "a b"]`},
	{"hostname", `["a.example", "xn--9n2bp8q.example", "ab--cd"]`, `["xn--a", "xn--.example", "ü.example", "a..b", "XN--X"]`},
	{"idn-hostname", `["straße.example", "bücher.Example", "xn--bcher-kva"]`, `["Straße.example", "ab--cd", "bü--cher", "` + strings.Repeat("a", 56) + `é", "` + strings.Repeat("a", 62) + `é"]`},
	{"ipv6", `["::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4"]`,
		`["1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6::1.2.3.4", "1:2:3:4:5:6:7", "1::2::3"]`},
	{"email", `["a@xn--a.example", "a@[IPv6:::1]"]`, `["ü@example.org", "a@ü.example"]`},
	{"idn-email", `["ü@ü.example", "a@[1.2.3.4]", "\"ü \"@example.org"]`, `["ü@", "ü ü@example.org", "ü@-.example", ".ü@example.org"]`},
	{"regex", `["", "a|b", "(?:a)(?<n>b)\\k<n>\\1", "[^\\]a-z\\-\\b]*?", "a{2}{", "(?=a)*", "(?<=a){", "(?<!a)b", "\\u{1F600}\\p{Lu}\\p{Script=Greek}\\cA\\x41\\0", "]}", "[\\w-.]", "[(]\\(", "\\/\\_"]`,
		`["(", ")", "[", "a{,}", "a**", "*", "{2}", "{,2}", "(?<=a)*", "(?<=a){2}", "(?<!a){2,}", "(?<!a){,2}", "(?<!a){2,3}", "(?P<n>a)", "(?i)a", "\\", "\\a", "\\Z", "\\x4", "\\u{110000}", "\\01", "[\\1]", "\\p", "\\p{}", "(?<1>a)", "\\kn", "a|+", "^*", "\\b+", "(*)"]`},
	{"uri-template", `["{?a,b*}{#c:12}", "é"]`, `["{", "{a:}", "<a>", "%4"]`},
}

func TestFormats(t *testing.T) {
	ran := 0
	for _, f := range formats {
		var diags diag.List
		root, p := compile(load("3.1.0", []byte(`{"format":"`+f.name+`"}`), &diags), &diags)
		if all := diags.Sorted(); len(all) > 0 {
			t.Errorf("%s: %v", f.name, all)
		}
		var m machine.Machine
		for list, want := range map[string]bool{f.valid: true, f.invalid: false} {
			var values []json.RawMessage
			if err := json.Unmarshal([]byte(list), &values); err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
			for _, v := range values {
				ran++
				if got := judge(&m, &p, root, v); got != want {
					t.Errorf("%s: %s: valid %t, want %t", f.name, v, got, want)
				}
			}
		}
	}
	t.Logf("%d values of %d formats", ran, len(formats))
}

// What compiles as a pattern has the format regex, too.
func TestPatternsAreRegexes(t *testing.T) {
	var diags diag.List
	root, p := compile(load("3.1.0", []byte(`{"format":"regex"}`), &diags), &diags)
	var m machine.Machine
	ran := 0
	for _, name := range []string{"pattern.json", "optional/ecmascript-regex.json", "optional/non-bmp-regex.json", "patternProperties.json"} {
		data, err := os.ReadFile(filepath.Join(shared, "corpus/schema-tests/tests/draft2020-12", name))
		if err != nil {
			t.Skip("needs ../shared/corpus")
		}
		var groups []struct {
			Schema struct {
				Pattern           string
				PatternProperties map[string]any
			}
		}
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			patterns := []string{g.Schema.Pattern}
			for pattern := range g.Schema.PatternProperties {
				patterns = append(patterns, pattern)
			}
			for _, pattern := range patterns {
				ran++
				quoted, _ := json.Marshal(pattern)
				_, err := regex.Compile(pattern)
				if got := judge(&m, &p, root, quoted); got != (err == nil) {
					t.Errorf("%s: valid %t, and %v", pattern, got, err)
				}
			}
		}
	}
	t.Logf("%d patterns", ran)
	if ran < 40 {
		t.Error("too few")
	}
}

// A format that nobody defines is said once, however often it stands there.
func TestUnknownFormats(t *testing.T) {
	var diags diag.List
	compile(load("3.1.0", []byte(`{"prefixItems":[{"format":"colour"},{"format":"colour"},{"format":"hue"}]}`), &diags), &diags)
	var got []string
	for _, d := range diags.Sorted() {
		got = append(got, d.String())
	}
	const want = `test.json:8:51: warning: format "colour" is not judged: neither JSON Schema nor OpenAPI defines it
test.json:8:91: warning: format "hue" is not judged: neither JSON Schema nor OpenAPI defines it`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// Formats that ask what code points are bring the table along, others don't.
func TestCodePointsAreThereOnDemand(t *testing.T) {
	for format, want := range map[string]bool{"hostname": true, "idn-hostname": true, "idn-email": true, "email": false, "iri": false} {
		var diags diag.List
		if _, p := compile(load("3.1.0", []byte(`{"format":"`+format+`"}`), &diags), &diags); (len(p.CodePoints) > 0) != want {
			t.Errorf("%s: %d runs", format, len(p.CodePoints))
		}
	}
}

// Whatever a text is, judging it takes no memory and every cut gives the same.
func TestFormatsTakeNoMemory(t *testing.T) {
	texts := []string{
		`"bücher.example"`, `"xn--bcher-kva.example"`, `"xn--99999999999.xn--a-.xn---"`, `"` + strings.Repeat("ü", 70) + `"`, `"` + strings.Repeat("a", 62) + `é"`, `"` + strings.Repeat("a.", 300) + `"`,
		`"\u200c\u200d.\u0660\u06f0.l·l"`, `"a@b"`, `"\"é\"@é"`, `"` + strings.Repeat("(", 70) + `"`, `"2024-02-29T23:59:60+14:59"`, `"23:59:60."`, `"::1"`, `""`,
	}
	for _, f := range formats {
		var diags diag.List
		root, p := compile(load("3.1.0", []byte(`{"format":"`+f.name+`"}`), &diags), &diags)
		var m machine.Machine
		for _, text := range texts {
			value := []byte(text)
			whole := judge(&m, &p, root, value)
			for cut := range value {
				if judge(&m, &p, root, value[:cut], value[cut:]) != whole {
					t.Errorf("%s: %s cut at %d: valid %t", f.name, text, cut, !whole)
				}
			}
			if n := testing.AllocsPerRun(10, func() { judge(&m, &p, root, value) }); n > 0 {
				t.Errorf("%s: %s: %v allocations", f.name, text, n)
			}
		}
	}
}

// FuzzFormats: no text upsets a format, wherever it is cut, and what compiles
// as a pattern has the format regex.
func FuzzFormats(f *testing.F) {
	type program struct {
		program artifact.Program
		root    artifact.Ref
	}
	var programs []program
	isRegex := 0
	for i, format := range formats {
		if format.name == "regex" {
			isRegex = i
		}
		root, p := compile(load("3.1.0", []byte(`{"format":"`+format.name+`"}`), nil), nil)
		programs = append(programs, program{p, root})
	}
	for _, seed := range []string{"xn--bcher-kva.example", "bücher。example", "l·l.\u0628\u200c\u0628", "a@[IPv6:::1]", `(?<=a)[^\]b-c]{1,2}?|\k<n>`, "2024-02-29T23:59:60Z"} {
		f.Add(seed, uint(3))
	}
	f.Fuzz(func(t *testing.T, text string, cut uint) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		value, _ := json.Marshal(text)
		at := int(cut % uint(len(value)))
		var m machine.Machine
		for i, p := range programs {
			valid := judge(&m, &p.program, p.root, value)
			if judge(&m, &p.program, p.root, value[:at], value[at:]) != valid {
				t.Errorf("%s: %s cut at %d: valid %t", formats[i].name, value, at, !valid)
			}
			foreign := strings.Contains(text, `\A`) || strings.Contains(text, `\z`) // compile, but are not ECMA-262
			if i == isRegex && !valid && !foreign && len(text) <= artifact.MaxFormat && strings.Count(text, "(") < 64 {
				if _, err := regex.Compile(text); err == nil {
					t.Errorf("%q compiles and is no regex", text)
				}
			}
		}
	})
}
