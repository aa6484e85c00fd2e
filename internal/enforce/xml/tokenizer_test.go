package xml

import (
	"bytes"
	stdxml "encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

var limits = Limits{MaxDepth: 4, MaxToken: 12}

// read is what t makes of a document: "<name" with its attributes for each
// element, the parts of a text joined, ">" for its end, and why it ended. A
// namespace stands in braces.
func read(t *Tokenizer, chunks ...[]byte) string {
	var b strings.Builder
	name := func(n Name) {
		if len(n.Space) > 0 {
			fmt.Fprintf(&b, "{%s}", n.Space)
		}
		b.Write(n.Local)
	}
	t.Reset(limits)
	for {
		switch t.Next() {
		case More:
			if len(chunks) == 0 {
				t.Finish()
				continue
			}
			t.Feed(chunks[0])
			chunks = chunks[1:]
		case Begin:
			b.WriteByte('<')
			name(t.Name)
			for _, a := range t.Attributes {
				b.WriteByte(' ')
				name(a.Name)
				fmt.Fprintf(&b, "=%s", a.Value)
			}
			b.WriteByte(':')
		case Part:
			b.Write(t.Bytes)
		case Close:
			b.WriteByte('>')
		case Failed:
			return b.String() + [...]string{Syntax: "!", Depth: "!depth", TokenLength: "!length"}[t.Err]
		case End:
			return b.String()
		}
	}
}

var documents = []struct{ document, want string }{
	{"<a/>", "<a:>"},
	{"<a></a >", "<a:>"},
	{"<a>text</a>", "<a:text>"},
	{" \n<a> <b>1</b>\r\n<b/></a>\t", "<a: <b:1><b:>>"},
	{"<a>  </a>", "<a:  >"},
	{"<é.-1·>ü</é.-1·>", "<é.-1·:ü>"},
	{`<a b="1"  c = '"'	d=">"/>`, `<a b=1 c=" d=>:>`},
	{"<a b=' x\ty\r\nz\rw\n'/>", "<a b= x y z w :>"},
	{"<a b='&lt;&#x41;&#66;&quot;&apos;&amp;&#9;'/>", "<a b=<AB\"'&\t:>"},
	{"<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;&#x0000A;</a>", "<a:<>&'\"A😀\n>"},
	{"<a>1\r\n2\r3\n\r\r\n</a>", "<a:1\n2\n3\n\n\n>"},
	{"<a>&#13;\n</a>", "<a:\r\n>"},
	{"<a>x]y]]z]</a>", "<a:x]y]]z]>"},
	{"<a>]]]</a>", "<a:]]]>"},
	{"<a><![CDATA[<b>&amp;\r\n]] > ]]]]></a>", "<a:<b>&amp;\n]] > ]]>"},
	{"<a>1<![CDATA[]]>2<![CDATA[>]]>3</a>", "<a:12>3>"},
	{"<a><!-- - -> <b> ]]> --><b/><!----></a><!-- é -->", "<a:<b:>>"},
	{"<!-- before --><a/>", "<a:>"},
	{`<?xml version="1.0"?><a/>`, "<a:>"},
	{"<?xml version='1.0' encoding='utf-8' standalone = \"no\" ?>\r\n<a/>", "<a:>"},
	{"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><a/>", "<a:>"},
	{"\xef\xbb\xbf<a/>", "<a:>"},
	{"<a><b><c><d/></c></b></a>", "<a:<b:<c:<d:>>>>"},
	{"<abcdefghijkl/>", "<abcdefghijkl:>"},
	{"<a b='" + strings.Repeat("x", 2000) + "'>" + strings.Repeat("é]", 2000) + "</a>", "<a b=" + strings.Repeat("x", 2000) + ":" + strings.Repeat("é]", 2000) + ">"},

	// Namespaces.
	{"<a xmlns='n'><b c='1'/></a>", "<{n}a:<{n}b c=1:>>"},
	{"<p:a xmlns:p='n' p:b='1' b='2'/>", "<{n}a {n}b=1 b=2:>"},
	{"<a xmlns='n'><b xmlns=''/><c/></a>", "<{n}a:<b:><{n}c:>>"},
	{"<a xmlns:p='n'><b xmlns:p='m'><p:c/></b><p:c/></a>", "<a:<b:<{m}c:>><{n}c:>>"},
	{"<a xml:lang='en'/>", "<a {http://www.w3.org/XML/1998/namespace}lang=en:>"},
	{"<a xmlnsp='1' xmln='2'/>", "<a xmlnsp=1 xmln=2:>"},
	{"<p:a/>", "!"},
	{"<a p:b='1'/>", "!"},
	{"<a><b xmlns:p='n'/><p:c/></a>", "<a:<b:>!"},
	{"<a xmlns:p=''/>", "!"},
	{"<a xmlns:='n'/>", "!"},
	{"<a xmlns:p:q='n'/>", "!"},
	{"<a xmlns:p='n' xmlns:p='n'/>", "!"},
	{"<a xmlns='n' xmlns='m'/>", "!"},
	{"<a xmlns:xml='n'/>", "!"},
	{"<a xmlns:xmlns='n'/>", "!"},
	{"<xmlns:a/>", "!"},
	{"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "!"},
	{"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "!"},
	{"<:a/>", "!"}, {"<a:/>", "!"}, {"<a:b:c xmlns:a='n'/>", "!"}, {"<p:1 xmlns:p='n'/>", "!"},

	// Twice the same.
	{"<a b='1' b='1'/>", "!"},
	{"<a xmlns:p='n' xmlns:q='n' p:b='1' q:b='2'/>", "!"},

	// Dangerous or ambiguous.
	{"<!DOCTYPE a><a/>", "!"},
	{"<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>", "!"},
	{"<!ENTITY b 'x'>", "!"},
	{"<a>&b;</a>", "<a:!"},
	{"<a b='&c;'/>", "!"},
	{"<?php ?><a/>", "!"},
	{"<a><?p?></a>", "<a:!"},
	{"<a/><?p?>", "<a:>!"},
	{"<a>te<!-- x -->xt</a>", "<a:te!"},
	{"<a><!-- x -->text</a>", "<a:!"},
	{"<a>text<b/></a>", "<a:text!"},
	{"<a><b/>text</a>", "<a:<b:>!"},
	{"<a><b/>&#32;</a>", "<a:<b:>!"},
	{"<a><b/><![CDATA[ ]]></a>", "<a:<b:>!"},
	{"<a><![CDATA[]]><b/></a>", "<a:!"},

	// The declaration.
	{" <?xml version='1.0'?><a/>", "!"},
	{"<!----><?xml version='1.0'?><a/>", "!"},
	{"<?xml version='1.0'?><?xml version='1.0'?><a/>", "!"},
	{"<?xml version='1.1'?><a/>", "!"},
	{"<?xml version='1.0' encoding='iso-8859-1'?><a/>", "!"},
	{"<?xml version='1.0' encoding='UTF-16'?><a/>", "!"},
	{"<?xml encoding='utf-8'?><a/>", "!"},
	{"<?xml encoding='utf-8' version='1.0'?><a/>", "!"},
	{"<?xml version='1.0' version='1.0'?><a/>", "!"},
	{"<?xml version='1.0' standalone='maybe'?><a/>", "!"},
	{"<?xml version='1&#46;0'?><a/>", "!"},
	{"<?xml version='1.0'><a/>", "!"},
	{"<?xml?><a/>", "!"},
	{"<?xmlversion='1.0'?><a/>", "!"},
	{"<?XML version='1.0'?><a/>", "!"},
	{"\xef\xbb\xbf\xef\xbb\xbf<a/>", "!"},
	{"\xef\xbb<a/>", "!"},
	{"\xff\xfe<\x00a\x00/\x00>\x00", "!"},

	// Not well-formed.
	{"", "!"}, {" ", "!"}, {"text", "!"}, {"<", "!"}, {"<>", "!"}, {"</>", "!"}, {"< a/>", "!"}, {"<1/>", "!"}, {"<a", "!"},
	{"<a>", "<a:!"}, {"<a>text", "<a:text!"}, {"<a></b>", "<a:!"}, {"<a></a", "<a:!"}, {"</a>", "!"}, {"<a></ a>", "<a:!"}, {"<a></a b>", "<a:!"},
	{"<a><b></a></b>", "<a:<b:!"}, {"<a/><b/>", "<a:>!"}, {"<a/>text", "<a:>!"}, {"<a/>&#32;", "<a:>!"}, {"<a/><![CDATA[]]>", "<a:>!"}, {"&#32;<a/>", "!"},
	{"<a b/>", "!"}, {"<a b=1/>", "!"}, {"<a b='1'c='2'/>", "!"}, {"<a b='1/>", "!"}, {"<a b='<'/>", "!"}, {"<a / >", "!"}, {"<a 'b'/>", "!"}, {"<a b='&'/>", "!"}, {"<a b=/>", "!"}, {"<a =''/>", "!"},
	{"<a>]]></a>", "<a:!"}, {"<a>]]]></a>", "<a:]!"}, {"<a>&</a>", "<a:!"}, {"<a>&;</a>", "<a:!"}, {"<a>& amp;</a>", "<a:!"}, {"<a>&#0;</a>", "<a:!"}, {"<a>&#xD800;</a>", "<a:!"},
	{"<a>&#x110000;</a>", "<a:!"}, {"<a>&#;</a>", "<a:!"}, {"<a>&#x;</a>", "<a:!"}, {"<a>&#a;</a>", "<a:!"}, {"<a>&#X41;</a>", "<a:!"}, {"<a>&#00000000065;</a>", "<a:!"}, {"<a>&#xFFFFFFFF;</a>", "<a:!"}, {"<a>&AMP;</a>", "<a:!"},
	{"<!-- -- --><a/>", "!"}, {"<!-- --->", "!"}, {"<!- x --><a/>", "!"}, {"<a><![CDATA [x]]></a>", "<a:!"}, {"<a><![CDATA[x]]</a>", "<a:x]]</a>!"}, {"<a/><!--", "<a:>!"},
	{"<a>\x00</a>", "<a:!"}, {"<a>\x0b</a>", "<a:!"}, {"<a b='\x01'/>", "!"}, {"<!-- \x02 --><a/>", "!"},
	{"<a>x\xff</a>", "<a:x!"}, {"<a>\xc3</a>", "<a:\xc3!"}, {"<a>\xed\xa0\x80</a>", "<a:\xed!"}, {"<a>\xef\xbf\xbf</a>", "<a:\xef\xbf!"}, {"<a>\xef\xbf\xbd\xef\xbf\x80</a>", "<a:\ufffd\uffc0>"},
	{"<a>\xc0\x80</a>", "<a:!"}, {"<a>\xf4\x90\x80\x80</a>", "<a:\xf4!"}, {"<a>\xf0\x80\x80\x80</a>", "<a:\xf0!"}, {"<\xff/>", "!"}, {"<a b='\xc3'/>", "!"}, {"<a\xef\xbf\xbe/>", "!"}, {"<a><![CDATA[\xc3]]></a>", "<a:\xc3!"},

	// Limits.
	{"<a><b><c><d><e/></d></c></b></a>", "<a:<b:<c:<d:!depth"},
	{"<abcdefghijklm/>", "!length"},
	{"<a xmlns='abcdefghijklm'/>", "!length"},
	{"<a xmlns:abcdefghijklm='n'/>", "!length"},
	{"<a b='" + strings.Repeat("x", maxTag) + "'/>", "!length"},
	{"<a" + many(" b%d='1'", maxAttributes+1) + "/>", "!"},
	{"<a" + many(" xmlns:b%d='n'", 40) + "><b" + many(" xmlns:c%d='n'", 25) + "/></a>", "<a:!length"},
}

// many is a text for each number below n.
func many(text string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, text, i)
	}
	return b.String()
}

func TestDocuments(t *testing.T) {
	var tokens Tokenizer
	for _, row := range documents {
		document := []byte(row.document)
		if got := read(&tokens, document); got != row.want {
			t.Errorf("%q: %q, want %q", document, got, row.want)
		}
		for i := range document {
			if got := read(&tokens, document[:i], document[i:]); got != row.want {
				t.Errorf("%q cut at %d: %q, want %q", document, i, got, row.want)
			}
		}
	}
	t.Logf("%d documents", len(documents))
}

func TestReadingAllocatesNothing(t *testing.T) {
	var tokens Tokenizer
	document := []byte("<?xml version='1.0'?><p:a xmlns:p='n' xmlns='m'>" + strings.Repeat("<b c='&lt;1' p:d='2'>text&amp;é\r\n</b>\n", 100) + "</p:a>")
	run := func() {
		tokens.Reset(limits)
		tokens.Feed(document)
		for tokens.Next() > Failed {
		}
		tokens.Finish()
		if tokens.Next() != End {
			t.Error("not whole")
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// oracle is what the standard library makes of a document, in the form of
// read.
func oracle(document []byte) (string, error) {
	var b strings.Builder
	d := stdxml.NewDecoder(bytes.NewReader(document))
	write := func(n stdxml.Name) {
		switch n.Space {
		case "":
		case "xml":
			fmt.Fprintf(&b, "{%s}", xmlSpace)
		default:
			fmt.Fprintf(&b, "{%s}", n.Space)
		}
		b.WriteString(n.Local)
	}
	for depth := 0; ; {
		token, err := d.Token()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case stdxml.StartElement:
			depth++
			b.WriteByte('<')
			write(token.Name)
			for _, a := range token.Attr {
				if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
					continue
				}
				b.WriteByte(' ')
				write(a.Name)
				fmt.Fprintf(&b, "=%s", a.Value)
			}
			b.WriteByte(':')
		case stdxml.EndElement:
			depth--
			b.WriteByte('>')
		case stdxml.CharData:
			if depth > 0 {
				b.Write(token)
			}
		}
	}
}

// spaceless is s without space: whether space between elements shows depends
// on what follows it.
func spaceless(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(Space, r) {
			return -1
		}
		return r
	}, s)
}

// FuzzDocuments: what we take for a document, the standard library reads
// alike; and where the chunks end makes no difference.
func FuzzDocuments(f *testing.F) {
	for _, row := range documents {
		if len(row.document) < 1000 {
			f.Add([]byte(row.document), uint64(1))
		}
	}
	var tokens Tokenizer
	f.Fuzz(func(t *testing.T, document []byte, seed uint64) {
		whole := read(&tokens, document)
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := document; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		if got := read(&tokens, chunks...); got != whole {
			t.Errorf("%q:\n got %q\nwant %q", chunks, got, whole)
		}
		if tokens.Err != NoError || bytes.IndexFunc(document, func(r rune) bool { return r > 0x7f }) >= 0 {
			return // the library has an older list of what names may hold
		}
		document = bytes.TrimPrefix(document, []byte("\xef\xbb\xbf"))
		if want, err := oracle(document); err != nil || spaceless(want) != spaceless(whole) {
			t.Errorf("%q: %q, the library has %q (%v)", document, whole, want, err)
		}
	})
}
