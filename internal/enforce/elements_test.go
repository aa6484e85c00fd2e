package enforce_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

const (
	petTo    = "POST /pets\ncontent-type: application/xml\n\n"
	listTo   = "POST /lists\ncontent-type: text/xml\n\n"
	openXML  = "POST /open\ncontent-type: text/xml\n\n"
	numberTo = "POST /numbers\ncontent-type: text/xml\n\n"
	pairTo   = "POST /pairs\ncontent-type: text/xml\n\n"
	choiceTo = "POST /choices\ncontent-type: text/xml\n\n"
)

// pet is a request with a pet that has these attributes and elements besides
// those that it must have.
func pet(attributes, elements string) string {
	return petTo + "<pet" + attributes + "><name>Rex</name><photoUrls/>" + elements + "</pet>"
}

var documents = []row{
	{pet("", ""), allowed},
	{strings.Replace(pet("", ""), "application/xml", "application/PET+xml; charset=utf-8", 1), allowed},
	{strings.Replace(pet("", ""), "application/xml", "application/xml; charset=utf-16", 1), "validation:content-type header content-type"},
	{petTo + "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Pet id='1'>\n  <name>Rex &amp; é</name>\n  <photoUrls>\n    <photoUrl>a</photoUrl><!-- two -->\n    <photoUrl>b</photoUrl>\n  </photoUrls>\n</Pet>\n", allowed},
	{petTo + "<pet><photoUrls><photoUrl>a</photoUrl></photoUrls><name><![CDATA[<R>]]></name></pet>", "validation:pattern body /name"},
	{petTo + "<pet/>", "validation:required body /name"},
	{petTo + "<pet><name>Rex</name></pet>", "validation:required body /photoUrls"},
	{petTo + "<cat><name>Rex</name><photoUrls/></cat>", "validation:undeclared-property body"},
	{petTo + "<pet xmlns='urn:x'><name>Rex</name><photoUrls/></pet>", "validation:undeclared-property body"},
	{petTo + "Rex", "validation:xml body"},
	{petTo + `{"name":"Rex","photoUrls":[]}`, "validation:xml body"},
	{petTo + "<!DOCTYPE pet><pet/>", "validation:xml body"},
	{petTo + "<pet><name>&file;</name></pet>", "validation:xml body /name"},
	{petTo + "<pet>", "validation:xml body /*"},
	{openXML + "<Open><any>" + strings.Repeat("<a>", 63), "validation:depth body /any"},

	// Scalars.
	{pet(" id='12'", ""), allowed},
	{pet(" id='x'", ""), "validation:type body /id"},
	{pet(" id=' 1'", ""), "validation:type body /id"},
	{pet("", "<vaccinated>true</vaccinated><weight>1.50</weight>"), allowed},
	{pet("", "<vaccinated>1</vaccinated>"), "validation:type body /vaccinated"},
	{pet("", "<weight>0.5</weight>"), "validation:minimum body /weight"},
	{pet("", "<weight><kg>1</kg></weight>"), "validation:type body /weight"},
	{pet("", "<weight unit='kg'>1</weight>"), "validation:undeclared-property body /weight"},
	{pet("", "<weight>"+strings.Repeat("1", 1025)+"</weight>"), "validation:token-length body /weight"},
	{pet("", "<note>"+strings.Repeat("long ", 2000)+"</note>"), allowed},
	{pet("", "<note/>"), allowed},
	{petTo + "<pet><name>more than ten</name><photoUrls/></pet>", "validation:max-length body /name"},
	{petTo + "<pet><name>\xff</name><photoUrls/></pet>", "validation:xml body /name"},
	{pet("", "<born>2027-02-28</born>"), allowed},
	{pet("", "<born>2027-02-30</born>"), "validation:format body /born"},
	{pet("", "<born/>"), "validation:format body /born"},
	{pet("", "<born xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>"), allowed},
	{pet("", "<born xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'>x</born>"), "validation:type body /born"},
	{pet("", "<note xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>"), "validation:type body /note"},
	{petTo + "<pet xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='1'><name>x</name><photoUrls/></pet>", "validation:xml body /*"},
	{petTo + "<pet xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Cat'><name>x</name><photoUrls/></pet>", "validation:xml body /*"},
	{pet("", "<passport>x</passport>"), "validation:read-only body /passport"},

	// Properties.
	{pet("", "<id>1</id>"), "validation:undeclared-property body /id"},
	{pet(" name='Rex'", ""), "validation:undeclared-property body /name"},
	{pet(" role='admin'", ""), "validation:undeclared-property body /*"},
	{pet("", "<role>admin</role>"), "validation:undeclared-property body /*"},
	{pet("", "text"), "validation:xml body /photoUrls"},
	{pet("", "<name>Max</name>"), "validation:repeated-field body /name"},
	{pet("", "<category><id>1</id></category>"), allowed},
	{pet("", "<kind><id>1</id></kind>"), allowed},
	{pet("", "<kind><id>x</id></kind>"), "validation:type body /category/id"},
	{pet("", "<kind/><category/>"), "validation:repeated-field body /category"},
	{pet("", "<kind>dog</kind>"), "validation:type body /category/*"},
	{pet("", "<o:keeper xmlns:o='urn:o'><name>Jo</name></o:keeper>"), allowed},
	{pet("", "<keeper xmlns='urn:o'><name>Jo</name></keeper>"), allowed},
	{pet("", "<keeper xmlns='urn:o'><name>John</name></keeper>"), "validation:max-length body /owner/name"},
	{pet("", "<keeper><name>Jo</name></keeper>"), "validation:undeclared-property body /*"},
	{pet("", "<owner><name>Jo</name></owner>"), "validation:undeclared-property body /owner"},
	{pet("", "<o:name xmlns:o='urn:o'>x</o:name>"), "validation:repeated-field body /name"},

	// Arrays.
	{petTo + "<pet><name>Rex</name><photoUrls><photoUrls>a</photoUrls></photoUrls></pet>", "validation:undeclared-property body /photoUrls"},
	{petTo + "<pet><name>Rex</name><photoUrls><photoUrl>a</photoUrl><photoUrl>abcdef</photoUrl></photoUrls></pet>", "validation:max-length body /photoUrls/1"},
	{petTo + "<pet><name>Rex</name><photoUrls>" + strings.Repeat("<photoUrl/>", 4) + "</photoUrls></pet>", "validation:max-items body /photoUrls"},
	{petTo + "<pet><name>Rex</name><photoUrls a='1'/></pet>", "validation:undeclared-property body /photoUrls"},
	{petTo + "<pet><name>Rex</name><photoUrls>a</photoUrls></pet>", "validation:type body /photoUrls"},
	{pet("", "<labels><tag n='a'/><tag n='b'/></labels>"), allowed},
	{pet("", "<labels><tag/></labels>"), "validation:required body /tags/0/name"},
	{pet("", "<tags><tag n='a'/></tags>"), "validation:undeclared-property body /tags"},
	{pet("", "<sizes>1</sizes><sizes>2</sizes>"), allowed},
	{pet("", "<sizes>1</sizes><sizes>x</sizes>"), "validation:type body /sizes/1"},
	{pet("", "<sizes>1</sizes><note/><sizes>2</sizes>"), "validation:repeated-field body /sizes"},
	{pet("", "<nickName>a</nickName><nickName>b</nickName>"), allowed},
	{pet("", "<nickName>a</nickName><nickName>a</nickName>"), "validation:unique-items body /nick"},
	{pet("", "<ignored>a</ignored>"), "validation:undeclared-property body /*"},
	{pet("", "<names><names>a</names><names>b</names></names><names/>"), allowed},
	{pet("", "<parents><name>A</name><photoUrls/></parents><parents><name>B</name><photoUrls/></parents>"), "validation:undeclared-property body /parents"},
	{pet("", "<pet><name>A</name><photoUrls/></pet><pet><name>B</name><photoUrls/><sizes>x</sizes></pet>"), "validation:type body /parents/1/sizes/0"},
	{listTo + "<all><tag n='1'/><tag n='2'/></all>", allowed},
	{listTo + "<all><tag n='1'/><tag n='2'/><tag n='3'/></all>", "validation:max-items body"},
	{listTo + "<all><pet/></all>", "validation:undeclared-property body"},

	// Where more is allowed than is declared.
	{openXML + "<Open><other a='1'><b>x</b><c/></other></Open>", allowed},
	{openXML + "<Open more='1'/>", allowed},
	{openXML + "<Open/>", "validation:min-properties body"},
	{openXML + "<Open><other>te<b/>xt</other></Open>", "validation:xml body /*"},
	{openXML + "<Open><other/><other/></Open>", "validation:repeated-field body /*"},
	{openXML + "<Open><role>admin</role></Open>", "validation:enum body /role"},
	{openXML + "<Open role='user'/>", "validation:undeclared-property body /role"},
	{openXML + "<Open><x:role xmlns:x='urn:x'>admin</x:role></Open>", "validation:undeclared-property body /role"},
	{openXML + "<Open><at>1</at></Open>", "validation:undeclared-property body /at"},
	{openXML + "<Open><key>1</key></Open>", "validation:undeclared-property body /key"},
	{openXML + "<Open><token>1</token></Open>", allowed},
	{openXML + "<Open><any><deep><er/></deep></any></Open>", allowed},
	{openXML + "<Open><list><a>1</a></list><list><a>2</a></list></Open>", allowed},
	{openXML + "<Open><list><a>1</a></list><list><a>1</a></list></Open>", "validation:unique-items body /list"},
	{numberTo + "<Numbers a='1'><b>2</b></Numbers>", allowed},
	{numberTo + "<Numbers><b>x</b></Numbers>", "validation:type body /*"},
	{numberTo + "<Numbers a='x'/>", "validation:type body /*"},
	{numberTo + "<Numbers><b><c/></b></Numbers>", "validation:type body /*"},
	{numberTo + "<Numbers><long>1</long></Numbers>", "validation:property-names body"},

	// A name that several properties would have is none of theirs.
	{pairTo + "<Pair><first n='1'/><second n='2'/></Pair>", allowed},
	{pairTo + "<Pair><second/></Pair>", "validation:required body /second/name"},
	{pairTo + "<Pair><tag n='1'/></Pair>", "validation:undeclared-property body /*"},
	{pairTo + "<Pair><third>1</third></Pair>", "validation:enum body /third"},

	{choiceTo + "<choice xmlns='urn:c'><a>1</a></choice>", allowed},
	{choiceTo + "<c:choice xmlns:c='urn:c'><b>xy</b></c:choice>", allowed},
	{choiceTo + "<choice xmlns='urn:c'><a>1</a><b>x</b></choice>", "validation:one-of body"},
	{choiceTo + "<choice><a>1</a></choice>", "validation:undeclared-property body"},
}

func TestDocuments(t *testing.T) { judgeBodies(t, "testdata/documents.yaml", documents) }

func TestReadingDocumentsAllocatesNothing(t *testing.T) {
	e := compiled(t, "testdata/documents.yaml", inMode(violation.Enforce))
	allocateNothing(t, e, map[string]string{
		"allowed":  pet(" id='1'", "<labels>"+strings.Repeat("<tag n='a'/>", 50)+"</labels><note>"+strings.Repeat("text &amp; more\r\n", 100)+"</note>"),
		"any":      openXML + "<Open><other>" + strings.Repeat("<b c='1'>x</b>", 50) + "</other></Open>",
		"rejected": pet("", "<weight>x</weight>"),
	})
}

func BenchmarkDocuments(b *testing.B) {
	e := compiled(b, "testdata/documents.yaml", inMode(violation.Enforce))
	m := parse(b, pet(" id='1'", "<labels>\n"+strings.Repeat("  <tag n='abc'/>\n", 500)+"</labels><note>"+strings.Repeat("some words ", 500)+"</note>"))
	b.SetBytes(int64(len(m.body)))
	b.ReportAllocs()
	for b.Loop() {
		drive(e, m)
	}
}

// FuzzDocuments: where the chunks end makes no difference to the verdict.
func FuzzDocuments(f *testing.F) {
	heads := []string{petTo, listTo, openXML, numberTo, choiceTo}
	for _, row := range documents {
		for i := range heads {
			if _, body, ok := strings.Cut(row.request, "\n\n"); ok && len(body) < 500 {
				f.Add(uint8(i), []byte(body), uint64(1))
			}
		}
	}
	for _, body := range []string{
		"<?xml version='1.0' encoding=\"utf-8\" standalone='yes'?><Open/>", "<?xml version='1.0' encoding='latin1'?><Open/>", "<?xml version='1.1'?><Open/>", "<Open a='&#x41;&#66;&lt;&gt;&apos;&quot;&amp;\r\n\t\r'/>",
		"<Open><key>&#x1F600;&#xd800;</key></Open>", "<Open><key>&lt;&gt;&apos;&quot;</key><any>]]]></any></Open>", "<Open><key>]]></key></Open>", "<Open><any><![CDATA[]]]]]></any></Open>", "<Open><list><![CDATA[ ]]></list></Open>",
		"<Open xmlns:a='urn:a' a:at='1' xmlns:b='urn:a' b:at='1'/>", "<Open xmlns:a=''/>", "<Open xmlns:xml='urn:x'/>", "<Open xmlns:a='urn:a' xmlns:a='urn:b'/>", "<Open xml:lang='en'/>", "<Open at='1' at='2'/>", "<Open at=1/>", "<Open at='&no;'/>",
		"<Open><any>\U00010000\ufffd\u0800</any></Open>", "<Open><any>\uffff</any></Open>", "<Open><any>\xf0\x90\x80</any></Open>", "<Open><any>\xed\xa0\x80</any></Open>",
	} {
		f.Add(uint8(2), []byte(body), uint64(1))
		f.Add(uint8(2), []byte(body), uint64(2))
	}
	engines := []*enforce.Engine{
		compiled(f, "testdata/documents.yaml", inMode(violation.Enforce)),
		compiled(f, "testdata/documents.yaml", inMode(violation.Shadow)),
	}
	f.Fuzz(func(t *testing.T, to uint8, body []byte, seed uint64) {
		if len(body) == 0 {
			return
		}
		m := parse(t, strings.TrimSuffix(heads[int(to)%len(heads)], "\n\n")+"\nchunked: yes\n\nx")
		m.body = body
		random := rand.New(rand.NewPCG(seed, 0))
		for _, e := range engines {
			whole := judge(e, m, 0, false)
			if got := judge(e, m, 1+random.IntN(len(body)), true); got != whole {
				t.Errorf("got %s\nwant %s\nin %q", got, whole, body)
			}
		}
	})
}
