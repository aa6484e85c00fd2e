package regex

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// foreign are rows of what ECMA-262 calls an error and other dialects know.
var foreign = []row{
	{`\A\p{Alnum}\p{Blank}\p{Cntrl}\p{Digit}\p{Punct}\p{Space}\p{XDigit}\z`, []string{"a \x7f1~\nF"}, []string{"- \x7f1~\nF", "a \x7f1~\nG", "é \x7f1~\nF", "a \x7f1~\nF\n"}},
	{`^[\p{Graph}]\p{Print}\P{Graph}\p{all}$`, []string{"! é😀", "~~ \n"}, []string{" aé😀", "a\té😀", "aaa😀"}},
	{`^\p{Han}\p{Greek}$`, []string{"日β"}, []string{"ββ", "a"}},
}

type row struct {
	pattern          string
	accepts, rejects []string
}

// rows are patterns with strings that match and strings that do not. They
// also seed the differential tests and the fuzzer.
var rows = []row{
	// Search and anchors.
	{``, []string{"", "a", "\n", "😀"}, nil},
	{`a`, []string{"a", "ba", "ab", "bab", "\na"}, []string{"", "b", "A"}},
	{`abc`, []string{"abc", "aabcc", "ababc"}, []string{"", "ab", "abxc", "acb"}},
	{`^a`, []string{"a", "ab"}, []string{"", "ba", "\na"}},
	{`a$`, []string{"a", "ba"}, []string{"", "ab", "a\n"}},
	{`^a$`, []string{"a"}, []string{"", "aa", "ba", "ab", "a\n", "\na"}},
	{`^$`, []string{""}, []string{"a", "\n"}},
	{`^`, []string{"", "a"}, nil},
	{`$`, []string{"", "a\n"}, nil},
	{`$^`, []string{""}, []string{"a", "\n"}},
	{`^^a$$`, []string{"a"}, []string{"", "aa"}},
	{`a^`, nil, []string{"", "a", "a^"}},
	{`$a`, nil, []string{"", "a", "$a"}},
	{`a^b`, nil, []string{"ab", "a\nb"}},
	{`^a|b$`, []string{"a", "ax", "b", "xb", "ab"}, []string{"", "xa", "bx"}},
	{`(^a)|(b$)`, []string{"ax", "xb"}, []string{"", "xa", "bx"}},
	{`(^|,)x(,|$)`, []string{"x", "x,y", "y,x", "y,x,z"}, []string{"", "xy", "yx", "y,xz"}},
	{`(?:^a)*b`, []string{"b", "ab", "xb"}, []string{"", "a"}},
	{`(?:a$)?b`, []string{"b", "ab"}, []string{"a", ""}},
	{`(?:^)*a`, []string{"a", "ba"}, []string{"", "b"}},

	// Alternation and groups.
	{`^(a|b)$`, []string{"a", "b"}, []string{"", "ab", "c"}},
	{`^(?:a|bc|)$`, []string{"", "a", "bc"}, []string{"b", "abc"}},
	{`^a|$`, []string{"a", "", "x"}, nil},
	{`^(|a)$`, []string{"", "a"}, []string{"aa"}},
	{`^(?<year>\d{4})-(?<month>\d\d)$`, []string{"2026-11"}, []string{"2026-1", "202-11"}},
	{`^(?<été>x)(?<$_1>y)$`, []string{"xy"}, []string{"x", "y"}},
	{`^((a)(b(c)))$`, []string{"abc"}, []string{"ab", "abcc"}},
	{`^()$`, []string{""}, []string{"()"}},
	{`^(?:)$`, []string{""}, []string{"a"}},
	{`^(cat|category|cats)$`, []string{"cat", "category", "cats"}, []string{"ca", "categor", "catss"}},

	// Quantifiers.
	{`^a*$`, []string{"", "a", "aaaa"}, []string{"b", "aab"}},
	{`^a+$`, []string{"a", "aaaa"}, []string{"", "b", "aab"}},
	{`^a?$`, []string{"", "a"}, []string{"aa"}},
	{`^a*?$`, []string{"", "a", "aaaa"}, []string{"b"}},
	{`^a+?b$`, []string{"ab", "aab"}, []string{"b", "a"}},
	{`^a??b$`, []string{"b", "ab"}, []string{"aab"}},
	{`^a{3}$`, []string{"aaa"}, []string{"", "aa", "aaaa"}},
	{`^a{2,}$`, []string{"aa", "aaaaa"}, []string{"", "a"}},
	{`^a{2,4}$`, []string{"aa", "aaa", "aaaa"}, []string{"a", "aaaaa"}},
	{`^a{2,4}?$`, []string{"aa", "aaaa"}, []string{"a", "aaaaa"}},
	{`^a{0}$`, []string{""}, []string{"a"}},
	{`^a{0,}$`, []string{"", "aaa"}, []string{"b"}},
	{`^a{0,0}b$`, []string{"b"}, []string{"ab", ""}},
	{`^a{1}b{01}$`, []string{"ab"}, []string{"", "abb"}},
	{`^(ab){2,3}$`, []string{"abab", "ababab"}, []string{"ab", "aba", "abababab"}},
	{`^(a*)*$`, []string{"", "aaa"}, []string{"b"}},
	{`^(a+)+$`, []string{"a", "aaa"}, []string{"", "aab"}},
	{`^(a|b*)+c$`, []string{"c", "abbac"}, []string{"", "ab"}},
	{`^(?:a?){3}a{3}$`, []string{"aaa", "aaaaaa"}, []string{"aa", "aaaaaaa"}},
	{`^((a{1,2}){1,2}){1,2}$`, []string{"a", "aaaaaaaa"}, []string{"", "aaaaaaaaa"}},
	{`^(?:a{2})*$`, []string{"", "aa", "aaaa"}, []string{"a", "aaa"}},
	{`^(?:a|ab)(?:c|bcd)(?:d*)$`, []string{"abcd", "acd", "abc"}, []string{"ab", "bcd"}},
	{`a{2}`, []string{"aa", "baab"}, []string{"", "a", "aba"}},
	{`(a?)?(a+)?$`, []string{"", "b"}, nil},

	// The dot and literals.
	{`^.$`, []string{"a", "é", "€", "😀", " ", "\x00", "\v", "\u0085"}, []string{"", "ab", "\n", "\r", "\u2028", "\u2029"}},
	{`^.*$`, []string{"", "abc"}, []string{"a\nb", "a\rb", "a\u2028b"}},
	{`^é$`, []string{"é"}, []string{"e", "è", "e\u0301"}},
	{`^€uro$`, []string{"€uro"}, []string{"uro", "₭uro"}},
	{`^😀{2}$`, []string{"😀😀"}, []string{"😀", "😀😁"}},
	{`^日本|中国$`, []string{"日本語", "中国"}, []string{"語日本", "日"}},
	{`^-/:,;<>@#%&=~!"' $`, []string{"-/:,;<>@#%&=~!\"' "}, []string{"-"}},

	// Escapes.
	{`^\d$`, []string{"0", "9"}, []string{"", "a", "٣", "߀"}},
	{`^\D$`, []string{"a", "٣", "😀"}, []string{"0", ""}},
	{`^\w$`, []string{"a", "Z", "0", "_"}, []string{"-", "é", "ſ", "\u212a", ""}},
	{`^\W$`, []string{"-", "é", "ſ", "\u212a"}, []string{"a", "_", "0"}},
	{`^\s$`, []string{" ", "\t", "\n", "\v", "\f", "\r", "\u00a0", "\u1680", "\u2000", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"},
		[]string{"", "a", "\x01", "\u0085", "\u180e", "\u200b", "\u2013"}},
	{`^\S$`, []string{"a", "\u180e", "\u200b", "\x1c"}, []string{" ", "\u00a0", "\ufeff", "\u3000"}},
	{`^\t\n\v\f\r\0$`, []string{"\t\n\v\f\r\x00"}, []string{"", "\t\n\v\f\r"}},
	{`^\cA\cz\cJ$`, []string{"\x01\x1a\n"}, []string{"Az", "cAczcJ"}},
	{`^\x41\x7e\xe9$`, []string{"A~é"}, []string{"A~", "x41"}},
	{`^\u0041\u20ac$`, []string{"A€"}, []string{"A"}},
	{`^\uD83D\uDE00$`, []string{"😀"}, []string{"😁", ""}},
	{`^\ud83d\ude00+$`, []string{"😀😀"}, []string{""}},
	{`^\u{1F600}\u{41}\u{000041}$`, []string{"😀AA"}, []string{"u{1F600}"}},
	{`^\u{10FFFF}$`, []string{"\U0010ffff"}, []string{"\U0010fffe"}},
	{`^\uD83D$`, nil, []string{"", "😀", "\ufffd"}},
	{`^\uD83Dx|y$`, []string{"y"}, []string{"😀x", "x"}},
	{`^\^\$\\\.\*\+\?\(\)\[\]\{\}\|\/$`, []string{`^$\.*+?()[]{}|/`}, []string{""}},
	{`^\-\_\@\"\'\ \#\%\&\,\:\;\<\=\>\!\~\` + "`" + `$`, []string{"-_@\"' #%&,:;<=>!~`"}, []string{`\-`}},
	{`^\é$`, []string{"é"}, []string{`\é`}},
	{`^\0a$`, []string{"\x00a"}, []string{"0a", "a"}},

	// Character classes.
	{`^[abc]$`, []string{"a", "b", "c"}, []string{"", "d", "ab"}},
	{`^[^abc]$`, []string{"d", "\n", "😀"}, []string{"", "a", "dd"}},
	{`^[a-cx-z]+$`, []string{"abcxyz"}, []string{"", "d", "w"}},
	{`[]`, nil, []string{"", "a", "[]"}},
	{`^[^]$`, []string{"a", "\n", "\u2028", "😀"}, []string{"", "ab"}},
	{`a[]|b`, []string{"b"}, []string{"a", "a[]"}},
	{`^[]*$`, []string{""}, []string{"a"}},
	{`^[-a]$`, []string{"-", "a"}, []string{"b", ""}},
	{`^[a-]$`, []string{"-", "a"}, []string{"b", ""}},
	{`^[^-]$`, []string{"a"}, []string{"-"}},
	{`^[a\-z]$`, []string{"a", "-", "z"}, []string{"b", `\`}},
	{`^[+--]$`, []string{"+", ",", "-"}, []string{".", "*"}},
	{`^[\w-.]$`, []string{"a", "-", "."}, []string{"", "/", "+"}},
	{`^[a-\d]$`, []string{"a", "-", "5"}, []string{"b"}},
	{`^[\s\S]$`, []string{"a", " ", "\n"}, []string{""}},
	{`^[\d\-x]+$`, []string{"1-x"}, []string{"a"}},
	{`^[^\d\s]$`, []string{"a", "-"}, []string{"1", " "}},
	{`^[^\W]$`, []string{"a"}, []string{"-"}},
	{`^[\b]$`, []string{"\b"}, []string{"b", ""}},
	{`^[.*+?^$|(){}]$`, []string{".", "*", "+", "?", "^", "$", "|", "(", ")", "{", "}"}, []string{"a", `\`}},
	{`^[\^a]$`, []string{"^", "a"}, []string{`\`, "b"}},
	{`^[\]\[\\]$`, []string{"]", "[", `\`}, []string{"a"}},
	{`^[[a]$`, []string{"[", "a"}, []string{"]"}},
	{`^[[:alpha:]]$`, []string{"a]", "[]", ":]"}, []string{"b", "a"}},
	{`^[\u0000-\u007F]+$`, []string{"abc\x00"}, []string{"é"}},
	{`^[\x20-\x7e]*$`, []string{"", "a ~"}, []string{"\t", "é"}},
	{`^[\uD83D\uDE00-\uD83D\uDE4F]$`, []string{"😀", "🙏"}, []string{"😐x", "🚀"}},
	{`^[😀-😎]$`, []string{"😀", "😅"}, []string{"😏"}},
	{`^[\u{1F600}-\u{1F64F}a]$`, []string{"😀", "a"}, []string{"u", "{"}},
	{`^[\cA-\cC]$`, []string{"\x01", "\x03"}, []string{"\x04", "A"}},
	{`^[^\u0000-\uFFFF]$`, []string{"😀", "\U0010ffff"}, []string{"a", "\uffff"}},
	{`^[\u0700-\u0900]$`, []string{"\u0700", "\u07ff", "\u0800", "\u0900"}, []string{"\u06ff", "\u0901"}},
	{`^[\uD7FF-\uE000]$`, []string{"\ud7ff", "\ue000"}, []string{"\ud7fe", "\ue001"}},
	{`^[\uFFFF-\u{10000}]$`, []string{"\uffff", "\U00010000"}, []string{"\ufffe", "\U00010001"}},
	{`^[\uD800-\uDFFF]$`, nil, []string{"", "a", "\ufffd", "\ud7ff", "\ue000"}},
	{`^[^\uD800-\uDFFF]$`, []string{"a", "\ufffd", "\ud7ff", "\ue000"}, []string{""}},
	{`^[,.:;\/_'"!@#$%&=-]+$`, []string{"-=&/"}, []string{`\`, "a"}},

	// What the u flag forbids and Annex B.1.2 gives a meaning.
	{`^]$`, []string{"]"}, []string{""}},
	{`^}{$`, []string{"}{"}, []string{""}},
	{`^{}$`, []string{"{}"}, []string{""}},
	{`^{id}$`, []string{"{id}"}, []string{"id"}},
	{`^a{$`, []string{"a{"}, []string{"a"}},
	{`^a{b}$`, []string{"a{b}"}, []string{"ab"}},
	{`^a{1$`, []string{"a{1"}, []string{"a"}},
	{`^a{1,2$`, []string{"a{1,2"}, []string{"a"}},
	{`^x{1 }$`, []string{"x{1 }"}, []string{"x"}},
	{`^(?=a)*b$`, []string{"b"}, []string{"ab"}},
	{`^(?=ab)+a`, []string{"ab"}, []string{"a", "b"}},
	{`^(?!a){0,2}.$`, []string{"a", "b"}, []string{""}},

	// Word boundaries.
	{`\bfoo\b`, []string{"foo", "a foo b", "-foo-", "éfooé"}, []string{"foobar", "xfoo", "foo_"}},
	{`\Boo\b`, []string{"foo", "zoo!"}, []string{"oo", "foox"}},
	{`^\b$`, nil, []string{"", "a"}},
	{`^\B$`, []string{""}, []string{"a"}},
	{`^\B`, []string{"", "-a", "é"}, []string{"a"}},
	{`\b`, []string{"a", "-a", "é1"}, []string{"", "-", "é"}},
	{`^\b\w+\b \b\w+\b$`, []string{"ab cd"}, []string{"ab  cd", "-ab cd"}},
	{`a\bb`, nil, []string{"ab", "a b"}},
	{`^(?:\b\w{2}\b ?)*$`, []string{"", "ab", "ab cd "}, []string{"abc", "ab  cd"}},

	// Lookahead.
	{`^(?=a)`, []string{"a", "ab"}, []string{"", "ba"}},
	{`^(?!a)`, []string{"", "b", "ba"}, []string{"a", "ab"}},
	{`a(?=b)`, []string{"ab", "aab"}, []string{"a", "ac", "ba"}},
	{`a(?!b)`, []string{"a", "ac", "aa", "aba"}, []string{"ab", "b", ""}},
	{`^(?!\s)(.*)(\S)$`, []string{"a", "a b"}, []string{"", " a", "a "}},
	{`^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{4,8}$`, []string{"aA1x", "1234abCD"}, []string{"aA1", "aaaa1", "AAAA1", "aA1aA1aA1"}},
	{`^(?!.*--)[a-z-]+$`, []string{"a-b-c", "-"}, []string{"a--b", "--", ""}},
	{`^(?:(?!foo).)*$`, []string{"", "fo", "bar", "fofo"}, []string{"foo", "xfoox", "\n"}},
	{`^(?!(?:con|prn|aux)$)[a-z]+$`, []string{"conx", "a", "pr"}, []string{"con", "aux", ""}},
	{`^(?=[^:]{3}$)a`, []string{"abc"}, []string{"ab", "abcd", "a:c", "bbc"}},
	{`^(?=(?=a).b)`, []string{"ab", "abc"}, []string{"bb", "a"}},
	{`^(?!(?!a))`, []string{"a", "ab"}, []string{"", "b"}},
	{`^(?!(?=ab).c)`, []string{"ab", ""}, nil},
	{`^(?:a(?=b)|b(?=a|$))*$`, []string{"", "ab", "abab", "b"}, []string{"a", "ba", "aab", "abb"}},
	{`(?=a)b`, nil, []string{"a", "b", "ab"}},
	{`(?!)`, nil, []string{"", "a"}},
	{`(?=)`, []string{"", "a"}, nil},
	{`^(?=a|b$)(?!ac).`, []string{"ab", "b", "a"}, []string{"ac", "bc", ""}},
	{`^\d{4}(?!\d{2}\b)`, []string{"2026", "2026-11", "2026123"}, []string{"202611", "202611-", "202"}},
	{`^(?=.{3,5}$)[a-z]+(-[a-z]+)?$`, []string{"abc", "a-bcd"}, []string{"ab", "abcdef", "ab-"}},
	{`(?=.*b)a$`, nil, []string{"ba", "ab", "a"}},

	// Lookbehind.
	{`(?<=a)b`, []string{"ab", "xab"}, []string{"b", "bb", "a"}},
	{`(?<!a)b`, []string{"b", "bb", "abb"}, []string{"ab", "", "aab"}},
	{`^[a-z-]+(?<!-)$`, []string{"a", "a-b"}, []string{"a-", "-", ""}},
	{`(?<=^a*)b`, []string{"b", "ab", "aab"}, []string{"cb", "acb", "x"}},
	{`(?<=a+)b$`, []string{"ab", "caab"}, []string{"b", "cb", "abc"}},
	{`(?<=(?<!a)b)c`, []string{"bc", "bbc"}, []string{"abc", "c"}},
	{`(?<!(?<=a)b)c`, []string{"c", "bc", "ac"}, []string{"abc", "xabc"}},
	{`(?<=\d{3})x`, []string{"123x", "0123x"}, []string{"12x", "x"}},
	{`(?<=a|bc)d`, []string{"ad", "bcd"}, []string{"cd", "d", "bd"}},
	{`(?<=a(?=bc)b)c`, []string{"abc"}, []string{"bc", "abx"}},
	{`(?<=(?=ab).)b(?=c)`, []string{"abc"}, []string{"ab", "bc", "xbc"}},
	{`(?<=a(?=.*z).)b`, []string{"axbz", "axb z"}, []string{"axb", "zaxb", "abz"}},
	{`(?<=a(?!.*z).)b`, []string{"axb", "zaxb"}, []string{"axbz", "abz"}},
	{`(?=.(?<=a)b)`, []string{"ab", "xab"}, []string{"bb", "b"}},
	{`^.*(?!.*(?<=ab)c)d`, []string{"d", "abcd", "xd"}, []string{"", "abc"}},
	{`^(?!.*(?<=ab)c).*d`, []string{"d", "abd"}, []string{"abcd", "dabc", ""}},
	{`(?<=)a`, []string{"a"}, []string{"b", ""}},
	{`(?<!)a`, nil, []string{"a", "b"}},
	{`(?<=^)a`, []string{"a", "ab"}, []string{"ba"}},
	{`(?<=\b)a`, []string{"a", " a"}, []string{"ba"}},
	{`(?<=$)`, []string{"", "a"}, nil},
	{`(?<=a$)`, []string{"a", "ba"}, []string{"", "ab"}},
	{`^(?:a|(?<=a)b)+$`, []string{"a", "ab", "aaba"}, []string{"b", "abb", ""}},
	{`(?<=(?:ab){2})c`, []string{"ababc"}, []string{"abc", "abxabc"}},

	// Unicode properties.
	{`^\p{L}$`, []string{"a", "é", "日", "ǅ"}, []string{"1", "-", ""}},
	{`^\p{Letter}\p{Lu}\p{Uppercase_Letter}$`, []string{"aÉZ"}, []string{"aéz"}},
	{`^\P{L}$`, []string{"1", "-"}, []string{"a", "日"}},
	{`^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}]+$`, []string{"aé1-+ ", "e\u0301"}, []string{"\x01", "\u200b"}},
	{`^[^\p{L}\d]$`, []string{"-", "٣"}, []string{"a", "1"}},
	{`^\p{gc=Nd}\p{General_Category=Decimal_Number}\p{digit}$`, []string{"1٣५"}, []string{"½²Ⅷ"}},
	{`^\p{C}$`, []string{"\x01", "\u200b", "\u0378", "\ue000"}, []string{"a", " "}},
	{`^\p{Cn}$`, []string{"\u0378"}, []string{"a"}},
	{`^\p{LC}+$`, []string{"aAǅ"}, []string{"ª"}},
	{`^\p{Cs}$`, nil, []string{"a", "\ufffd"}},
	{`^\p{Script=Greek}+$`, []string{"αβγ"}, []string{"abc", "αb"}},
	{`^\p{sc=Han}\p{sc=Cyrillic}$`, []string{"日ж"}, []string{"жж"}},
	{`^\p{Any}\p{ASCII}\p{Assigned}$`, []string{"😀a日"}, []string{"aé日", "aa\u0378"}},
	{`^\p{Alphabetic}\p{Alpha}$`, []string{"aⅧ"}, []string{"a1"}},
	{`^\p{Uppercase}\p{Lowercase}$`, []string{"Ⅷª", "Aa"}, []string{"aA"}},
	{`^\p{White_Space}+$`, []string{" \u0085\u2028"}, []string{"\ufeff", "a"}},
	{`^\p{ID_Start}\p{ID_Continue}*$`, []string{"a1", "日本", "℘·"}, []string{"1a", "a-", "_"}},
	{`^\p{AHex}+\p{Hex_Digit}$`, []string{"aF9", "0Ｆ"}, []string{"Ｆ0", "g0"}},
	{`^\p{Math}\p{Dash}$`, []string{"+-"}, []string{"a-"}},
	{`\p{Letter}cole`, []string{"l'école"}, []string{"ÉCOLE", "cole"}},

	// From real specifications.
	{`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, []string{"123e4567-e89b-12d3-a456-426614174000"}, []string{"123e4567-e89b-12d3-a456-42661417400", "123E4567-e89b-12d3-a456-426614174000"}},
	{`^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.|$)){4}$`, []string{"127.0.0.1", "255.255.255.255"}, []string{"256.0.0.1", "1.2.3", "1.2.3.4.5"}},
	{`^\+?[1-9]\d{1,14}$`, []string{"+4912345", "12"}, []string{"0123", "+", "+1234567890123456"}},
	{`^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$`, []string{"a.b@c.de"}, []string{"a@b", "@b.cd", "a@b.c"}},
	{`^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$`, []string{"a", "a-b.c"}, []string{"-a", "a-", "a..b", strings.Repeat("a", 64)}},
	{`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`, []string{"arn:aws:iam::123456789012:role/x"}, []string{"arn:aws:iam::12345678901:role/x"}},
	{`^#?([a-f0-9]{6}|[a-f0-9]{3})$`, []string{"#fff", "c0ffee"}, []string{"#ffff", "#ggg"}},
	{`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([\da-z-]+))?$`, []string{"1.2.3", "1.0.0-rc-1"}, []string{"01.2.3", "1.2", "1.2.3-"}},
	{`^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`, []string{"", "YQ==", "YWI=", "YWJj"}, []string{"YQ=", "Y", "YQ===="}},
	{`^/(?:[^/{}]+|\{[^/{}]+\})(?:/(?:[^/{}]+|\{[^/{}]+\}))*$`, []string{"/a/{id}/b"}, []string{"/", "a", "/a//b", "/{a"}},

	// Counted repeats that become a length check.
	{`^[a-z]{0,4096}$`, []string{"", "abc", strings.Repeat("a", 4096)}, []string{"A", strings.Repeat("a", 4097)}},
	{`^.{1,65535}$`, []string{"a", strings.Repeat("é", 65535)}, []string{"", "\n", strings.Repeat("a", 65536)}},
	{`^[^]{3000}$`, []string{strings.Repeat("😀", 3000)}, []string{"", strings.Repeat("a", 2999), strings.Repeat("a", 3001)}},
	{`^x[a-z]{20,}y$`, []string{"x" + strings.Repeat("a", 20) + "y"}, []string{"x" + strings.Repeat("a", 19) + "y", "xy"}},
	{`^(ab|cd){20,30}$`, []string{strings.Repeat("abcd", 10), strings.Repeat("cd", 30)}, []string{strings.Repeat("ab", 19), strings.Repeat("ab", 31), strings.Repeat("ab", 20) + "a"}},
	{`^(?=.{20,30}$)[a-z]*\d`, []string{strings.Repeat("a", 19) + "1", strings.Repeat("a", 19) + "1 ........"}, []string{"a1", strings.Repeat("a", 30), strings.Repeat("1", 31), strings.Repeat("1", 29) + "\n"}},
	{`.{1,100000}`, []string{"a", "\na"}, []string{"", "\n"}},
	{`^.{2,100000}`, []string{"ab", "ab\n"}, []string{"", "a", "\nab"}},
	{`^(?:a+b|c*)d`, []string{"abd", "aabd", "d", "ccd"}, []string{"xabd", "bd", "xd"}},
	{`(?:ab+|c*)$`, []string{"ab", "xabb", "c", ""}, nil},
	{`a{2,}b|(?:cd?){3}`, []string{"aab", "xaaab", "ccc", "cdcdc"}, []string{"ab", "cdc", "aac"}},
	{`(?:a{0}){2147483647}`, []string{"", "b"}, nil},
	{`[a-z]([a-z-]{0,60}[a-z])?$`, []string{"a", "-a", strings.Repeat("a-", 99) + "a"}, []string{"", "a-"}},
	{`x(?:a(?=b|c)|b|c){0,40}$`, []string{"x", "xab", "axxac"}, []string{"xa", "xaab", ""}},
	{`(?:a(?:b|cd){0,3}){1,20}$`, []string{"a", "xabcdb", "abbbabbbacd"}, []string{"abbbb", "b", "ac"}},
	{`^([a-z]{1,2000})?$`, []string{"", "a", strings.Repeat("a", 2000)}, []string{"A", strings.Repeat("a", 2001)}},
}

func TestTable(t *testing.T) {
	if len(rows) < 200 {
		t.Errorf("the table has only %d rows", len(rows))
	}
	seen := map[string]bool{}
	for _, row := range slices.Concat(rows, foreign) {
		if seen[row.pattern] {
			t.Errorf("%s is there twice", row.pattern)
		}
		seen[row.pattern] = true
		d, err := Compile(row.pattern)
		if err != nil {
			t.Errorf("%s: %v", row.pattern, err)
			continue
		}
		for _, s := range row.accepts {
			if !d.MatchString(s) {
				t.Errorf("%s does not match %.40q", row.pattern, s)
			}
		}
		for _, s := range row.rejects {
			if d.MatchString(s) {
				t.Errorf("%s matches %.40q", row.pattern, s)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct {
		pattern string
		want    Error
	}{
		{`(a)\1`, Error{3, "backreference has no finite automaton"}},
		{`(?<n>a)\k<n>`, Error{7, "backreference has no finite automaton"}},
		{`[\1]`, Error{1, "backreference has no finite automaton"}},
		{`\01`, Error{0, "octal escapes are not ECMA-262 with the u flag"}},
		{`é\a`, Error{2, `unknown escape \a`}},
		{`a\Z`, Error{1, `unknown escape \Z`}},
		{`[\B]`, Error{1, `unknown escape \B`}},
		{`a\`, Error{1, `\ at the end of the pattern`}},
		{`[\`, Error{1, `\ at the end of the pattern`}},
		{`\c1`, Error{0, `\c needs a letter`}},
		{`\c`, Error{0, `\c needs a letter`}},
		{`\x4`, Error{0, `\x needs two hexadecimal digits`}},
		{`\x4g`, Error{0, `\x needs two hexadecimal digits`}},
		{`\x+1`, Error{0, `\x needs two hexadecimal digits`}},
		{`\u123`, Error{0, `\u needs four hexadecimal digits or {...}`}},
		{`\u{110000}`, Error{0, `\u{...} needs the hexadecimal number of a code point`}},
		{`\u{}`, Error{0, `\u{...} needs the hexadecimal number of a code point`}},
		{`\u{41`, Error{0, `\u{...} needs the hexadecimal number of a code point`}},
		{`\pL`, Error{0, `\p and \P need a property in braces`}},
		{`\p{L`, Error{0, `\p and \P need a property in braces`}},
		{`a\p{Foreign}`, Error{1, "unknown or unsupported Unicode property Foreign"}},
		{`\p{Emoji}`, Error{0, "unknown or unsupported Unicode property Emoji"}},
		{`\p{Other_Alphabetic}`, Error{0, "unknown or unsupported Unicode property Other_Alphabetic"}},
		{`\p{gc=Greek}`, Error{0, "unknown general category Greek"}},
		{`\p{sc=Grek}`, Error{0, "unknown script Grek (scripts are known by their long names)"}},
		{`\p{scx=Greek}`, Error{0, "unsupported Unicode property scx"}},
		{`a)`, Error{1, "unmatched )"}},
		{`a(b`, Error{1, "unclosed group"}},
		{`(?=a`, Error{0, "unclosed group"}},
		{`(?<=a`, Error{0, "unclosed group"}},
		{`a[b`, Error{1, "unclosed character class"}},
		{`[b-`, Error{0, "unclosed character class"}},
		{`[`, Error{0, "unclosed character class"}},
		{`[xb-a]`, Error{2, "the bounds of the range are out of order"}},
		{`a{3,2}`, Error{1, "the bounds of the repeat are out of order"}},
		{`*a`, Error{0, "nothing to repeat before *"}},
		{`a|+`, Error{2, "nothing to repeat before +"}},
		{`a**`, Error{2, "nothing to repeat before *"}},
		{`a++`, Error{2, "nothing to repeat before +"}},
		{`(?`, Error{0, "unknown kind of group: inline flags, atomic groups and comments are not ECMA-262"}},
		{`^*`, Error{1, "nothing to repeat before *"}},
		{`\b+`, Error{2, "nothing to repeat before +"}},
		{`(?<=a)?`, Error{6, "nothing to repeat before ?"}},
		{`{2}`, Error{0, "nothing to repeat before {"}},
		{`a{,2}`, Error{1, "a repeat needs its lower bound: {0,n}"}},
		{`(?i)a`, Error{0, "unknown kind of group: inline flags, atomic groups and comments are not ECMA-262"}},
		{`a(?>b)`, Error{1, "unknown kind of group: inline flags, atomic groups and comments are not ECMA-262"}},
		{`(?#a)`, Error{0, "unknown kind of group: inline flags, atomic groups and comments are not ECMA-262"}},
		{`(?P<n>a)`, Error{0, "(?P is not ECMA-262: a named group is (?<name>...)"}},
		{`(?<1>a)`, Error{0, "malformed group name"}},
		{`(?<a`, Error{0, "malformed group name"}},
		{`(?<>a)`, Error{0, "malformed group name"}},
		{`(?<n>a)(?<n>b)`, Error{7, "second group named n"}},
		{strings.Repeat("(", 251) + strings.Repeat(")", 251), Error{250, "groups nest more than 250 deep"}},
		{"a\xff", Error{-1, "not UTF-8"}},
		{`^(?:a{30000}|b)$`, *errStates()},
		{`((a{1000}){1000}){1000}`, *errStates()},
		{`(?:a|b){2147483647}`, *errStates()},
		{`a.{40}$`, *errStates()},
		{`(?=.{65535})`, *errWork()}, // soon, though it takes few visits
	} {
		d, err := Compile(row.pattern)
		if d != nil || !reflect.DeepEqual(err, error(&row.want)) {
			t.Errorf("%.40s: %v, %v; want %v", row.pattern, d, err, &row.want)
		}
	}
	if got, want := (&Error{3, "x"}).Error()+"; "+(&Error{-1, "y"}).Error(), "at offset 3: x; y"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestLengthBounds(t *testing.T) {
	type bounds struct{ low, high int }
	for _, row := range []struct {
		pattern string
		want    bounds
		states  int
	}{
		{`^[a-z]{0,4096}$`, bounds{0, 4096}, 2},
		{`^[a-z]{16,}$`, bounds{16, -1}, 2},
		{`^([a-z]){1,15}$`, bounds{0, -1}, 17},
		{`^v[0-9.]{1,99}-x$`, bounds{4, 102}, 5},
		{`^(?:ab){1,99}$`, bounds{2, 198}, 3},
		{`^(?!x)[a-z]{1,99}(?<!y)$`, bounds{1, 99}, 4},
		{`^[^]{1,99}$`, bounds{1, 99}, 0},
		{`[a-z]{1,99}`, bounds{0, -1}, 6},
		{`^(?=.{8,64}$).*\d`, bounds{8, 64}, 0},
		{`(?=^[^]{8,64}$)^[a-z]{3,32}$`, bounds{8, 32}, 2},
		{`^\b(?=[^]{8,64}$)(?=[^]{16,}$)`, bounds{16, 64}, 3},
		{`^a(?=[^]{8,64}$)`, bounds{0, -1}, 0},
		{`^(?![^]{8,64}$)`, bounds{0, -1}, 0},
		{`^(?:(?=[^]{8,64}$)a|b)`, bounds{0, -1}, 0},
		{`^(?:ab){2147483647}$`, bounds{2147483647, 2147483647}, 3},
		{`^[a-z]{1,99}x?$`, bounds{0, -1}, 0},
		{`^(?:a|bc){1,99}$`, bounds{0, -1}, 0},
		{`^a$|^[a-z]{1,99}$`, bounds{0, -1}, 0},
	} {
		d, err := Compile(row.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := (bounds{d.MinRunes, d.MaxRunes}); got != row.want {
			t.Errorf("%s: %v, want %v", row.pattern, got, row.want)
		}
		if states := len(d.Next) / d.Classes; row.states != 0 && states != row.states {
			t.Errorf("%s: %d states, want %d", row.pattern, states, row.states)
		}
	}
}

// TestTables checks what DFA promises of its tables, and that nothing in them
// is superfluous.
func TestTables(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, row := range rows {
		d, err := Compile(row.pattern)
		if err != nil {
			t.Fatal(err)
		}
		checkTables(t, row.pattern, d)
		checkForms(t, row.pattern, d, append(row.accepts, row.rejects...))
		again, _ := Compile(row.pattern)
		if !reflect.DeepEqual(d, again) {
			t.Errorf("%s: compiled twice, the tables differ", row.pattern)
		}
		noise := make([]byte, 100)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		d.MatchString(string(noise)) // must not panic
	}
}

func checkTables(t *testing.T, pattern string, d *DFA) {
	t.Helper()
	if d.Classes < 1 || len(d.Next) < d.Classes || len(d.Next)%d.Classes != 0 || d.Accept%d.Classes != 0 {
		t.Fatalf("%s: %d classes, %d transitions, accepts from %d", pattern, d.Classes, len(d.Next), d.Accept)
	}
	for _, s := range append(d.Next, d.Start) {
		if int(s)%d.Classes != 0 || int(s) >= len(d.Next) {
			t.Fatalf("%s: %d classes, %d transitions, one to %d", pattern, d.Classes, len(d.Next), s)
		}
	}
	for b, class := range d.Class {
		if int(class) >= d.Classes {
			t.Fatalf("%s: byte %d has class %d of %d", pattern, b, class, d.Classes)
		}
	}
	states := len(d.Next) / d.Classes
	full := 0
	for s := range states {
		absorbing, accepts := true, s*d.Classes >= d.Accept
		for _, to := range d.row(s) {
			absorbing = absorbing && to == s
		}
		switch {
		case s == 0 && (accepts || !absorbing):
			t.Errorf("%s: something matches from state 0", pattern)
		case s > 0 && absorbing && accepts:
			full++
		case s > 0 && absorbing:
			t.Errorf("%s: state %d does what state 0 does", pattern, s)
		}
	}
	if full > 1 {
		t.Errorf("%s: from %d states everything matches", pattern, full)
	}

	start := int(d.Start) / d.Classes
	reached := map[int]bool{0: true, start: true}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		for _, to := range d.row(queue[0]) {
			if !reached[to] {
				reached[to] = true
				queue = append(queue, to)
			}
		}
	}
	if len(reached) != states {
		t.Errorf("%s: %d of %d states can be reached", pattern, len(reached), states)
	}
	if states < 500 {
		if n := distinguishable(d); n != states {
			t.Errorf("%s: %d states, of which %d differ", pattern, states, n)
		}
	}
	columns := map[string]bool{}
	for class := range d.Classes {
		var column []rune
		for s := range states {
			column = append(column, rune(d.row(s)[class]))
		}
		columns[string(column)] = true
	}
	if len(columns) != d.Classes {
		t.Errorf("%s: %d classes, of which %d differ", pattern, d.Classes, len(columns))
	}
}

// row returns where state number s leads, per class, by number.
func (d *DFA) row(s int) []int {
	row := make([]int, d.Classes)
	for class, to := range d.Next[s*d.Classes : (s+1)*d.Classes] {
		row[class] = int(to) / d.Classes
	}
	return row
}

// distinguishable counts states up to equivalence, by Moore's algorithm.
func distinguishable(d *DFA) int {
	block, blocks := make([]int, len(d.Next)/d.Classes), 1
	for s := range block {
		if s*d.Classes >= d.Accept {
			block[s], blocks = 1, 2
		}
	}
	for {
		next := make([]int, len(block))
		known := map[string]int{}
		for s := range block {
			key := []rune{rune(block[s])}
			for _, to := range d.row(s) {
				key = append(key, rune(block[to]))
			}
			if _, ok := known[string(key)]; !ok {
				known[string(key)] = len(known)
			}
			next[s] = known[string(key)]
		}
		if len(known) == blocks {
			return blocks
		}
		block, blocks = next, len(known)
	}
}

// checkForms compiles pattern and expressions that match the same strings by
// other means: as a lookahead it goes through conditions on the rest of the string, as
// a lookbehind through a body of its own. Minimal automata of the same
// language are the same. Of the complement, it tries the given strings.
func checkForms(t *testing.T, pattern string, d *DFA, strings []string) {
	t.Helper()
	if d.MinRunes > 0 || d.MaxRunes >= 0 {
		return // the other forms may count in the table
	}
	for _, form := range []string{"(?:" + pattern + ")", "(?=" + pattern + ")", "(?<=" + pattern + ")", "^[^]*(?:" + pattern + ")[^]*$"} {
		other, err := Compile(form)
		if err == nil && !reflect.DeepEqual(d, other) {
			t.Errorf("%s and %s differ", pattern, form)
		}
	}
	complement, err := Compile("^(?![^]*(?:" + pattern + "))")
	if err != nil {
		return
	}
	for _, s := range strings {
		if d.MatchString(s) == complement.MatchString(s) {
			t.Errorf("%s and its complement agree on %.60q", pattern, s)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, row := range rows {
		f.Add(row.pattern, strings.Join(row.accepts[:min(1, len(row.accepts))], ""))
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 1000 {
			return
		}
		d, err := Compile(pattern)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Msg == "" || e.Offset < -1 || e.Offset > len(pattern) {
				t.Fatalf("%q: %#v", pattern, err)
			}
			return
		}
		checkTables(t, pattern, d)
		d.MatchString(s)                  // must not panic
		if len(d.Next) < 1000*d.Classes { // six times the work of a large one is what the fuzzer takes for a hang
			checkForms(t, pattern, d, []string{strings.ToValidUTF8(s, "\ufffd")})
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(`^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[^\s]{8,64}$`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatchString(b *testing.B) {
	d, err := Compile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	if err != nil {
		b.Fatal(err)
	}
	const s = "123e4567-e89b-12d3-a456-426614174000"
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if !d.MatchString(s) {
			b.Fatal("no match")
		}
	}
}
