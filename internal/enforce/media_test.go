package enforce_test

import (
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/violation"
)

var mediaTypes = []row{
	{"POST /any\n\n" + `{"n":1}`, allowed},
	{"POST /any\n\n" + `{"n":"1"}`, "validation:type body /n"},
	{"POST /any\ncontent-type: application/problem+json\n\n" + `{"n":"1"}`, "validation:type body /n"},
	{"POST /any\ncontent-type: text/json\n\n" + `{"n":"1"}`, "validation:type body /n"},
	{"POST /some\ncontent-type: text/json\n\n" + `{"n":1}`, "validation:undeclared-property body /*"},
	{"POST /any\ncontent-type: text/xml\n\n<Item><n>x</n></Item>", "validation:type body /n"},
	{"POST /any\ncontent-type: image/svg+xml\n\n<Item><n>1</n></Item>", allowed},
	{"POST /any\ncontent-type: application/x-www-form-urlencoded\n\nn=x", "validation:type body /n"},
	{"POST /any\ncontent-type: application/octet-stream\n\nn=x", allowed},
	{"POST /any\ncontent-type: application/json, x\n\n" + `{"n":"1"}`, "validation:content-type header content-type"},
	{"POST /any\ncontent-type: application/json x\n\n" + `{"n":"1"}`, "validation:content-type header content-type"},
	{"POST /any\ncontent-type: application/json/x\n\n" + `{"n":"1"}`, "validation:content-type header content-type"},
	{"POST /any\ncontent-type: application\n\nn=x", "validation:content-type header content-type"},

	{"POST /some\n\n" + `{"n":1}`, allowed},
	{"POST /some\n\n" + `{"s":"x"}`, "validation:undeclared-property body /*"},
	{"POST /some\ncontent-type: application/vnd.x+json\n\n" + `{"s":"x"}`, "validation:undeclared-property body /*"},
	{"POST /some\ncontent-type: text/x+json\n\n" + `{"s":"x"}`, allowed},
	{"POST /some\ncontent-type: text/x+json\n\n" + `{"n":1}`, "validation:undeclared-property body /*"},
	{"POST /some\ncontent-type: application/xml\n\n<Item><n>1</n></Item>", allowed},
	{"POST /some\ncontent-type: text/xml\n\n<Item><n>1</n></Item>", "validation:undeclared-property body"},
	{"POST /some\ncontent-type: text/plain\n\nabcd", "validation:max-length body"},

	{"POST /versions\ncontent-type: application/json;v=1\n\n" + `{"n":1}`, allowed},
	{"POST /versions\ncontent-type: Application/JSON; charset=utf-8; V=\"1\"\n\n" + `{"s":"x"}`, "validation:undeclared-property body /*"},
	{"POST /versions\ncontent-type: application/json ; v=2\n\n" + `{"s":"x"}`, allowed},
	{"POST /versions\ncontent-type: application/json; v=2; w=3\n\n" + `{"s":"x"}`, allowed},
	{"POST /versions\ncontent-type: application/json; v=2; charset=utf-16\n\n" + `{"s":"x"}`, "validation:content-type header content-type"},
	{"POST /versions\ncontent-type: application/json; v=3\n\n" + `{"s":"x"}`, "validation:content-type header content-type"},
	{"POST /versions\ncontent-type: application/json; v=1; v=2\n\n" + `{"s":"x"}`, "validation:content-type header content-type"},
	{"POST /versions\n\n" + `{"s":"x"}`, "validation:content-type header content-type"}, // it may be either
	{"POST /versions\ncontent-type: application/xml\n\n<Item><n>1</n></Item>", allowed},
	{"POST /versions\ncontent-type: application/xml;v=2\n\n<Item><n>1</n></Item>", "validation:content-type header content-type"},

	{octets + "application/octet-stream\n\na\xff\xff\xffb", allowed},
	{octets + "application/octet-stream\n\na\xff\xff\xffbc", "validation:max-length body"},
	{octets + "application/octet-stream; charset=binary\n\nééé", "validation:max-length body"},
	{octets + "application/octet-stream\n\n", allowed},
	{octets + "application/zip\n\nabcdef", "validation:max-length body"},
	{octets + "image/png\n\nabcde", allowed},
	{octets + "image/png\n\nabcdef", "validation:max-length body"},
	{octets + "audio/mpeg\n\n\xff\xff\xff\xff\xff\xff", allowed},

	{part("n", ""), "validation:type body /n"},
	{part("n", "X-Unit: kg\r\n"), "validation:type body /n"},
	{part("n", "X-Unit: ml\r\n"), "validation:enum body /n"},
	{part("n", "x-unit: kg\r\nX-Unit: kg\r\n"), "validation:multipart body /n"},
	{part("file; filename=a", "Content-Type: image/png\r\nX-SUM: 7\r\nX-Tags: a,b\r\nX-Other: x\r\n"), allowed},
	{part("file; filename=a", "Content-Type: image/png\r\n"), "validation:required body /file"},
	{part("file; filename=a", "Content-Type: image/png\r\nX-Sum: x\r\n"), "validation:type body /file"},
	{part("file; filename=a", "Content-Type: image/png\r\nX-Sum: 0\r\n"), "validation:minimum body /file"},
	{part("file; filename=a", "Content-Type: image/png\r\nX-Sum: 7\r\nX-Tags: a,abcd\r\n"), "validation:max-length body /file"},
	{part("file; filename=a", "Content-Type: image/png\r\nX-Sum: 7\r\nX-Tags: a,a\r\n"), "validation:unique-items body /file"},
	{part("file; filename=a", "X-Sum: x\r\n"), "validation:content-type body /file"},

	{"POST /mixed\ncontent-type: multipart/mixed; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=n\r\n\r\n1\r\n--b--", allowed},
	{"POST /mixed\ncontent-type: multipart/mixed; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=n\r\n\r\nx\r\n--b--", "validation:type body /n"},
	{"POST /mixed\ncontent-type: multipart/mixed; boundary=b\n\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "validation:multipart body /*"},
	{"POST /mixed\ncontent-type: multipart/form-data; boundary=b\n\n--b--", "validation:content-type header content-type"},
}

const octets = "POST /octets\ncontent-type: "

// part is a request with a multipart body of one part, "x", with header lines.
func part(name, headers string) string {
	return "POST /parts\ncontent-type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=" + name + "\r\n" + headers + "\r\nx\r\n--b--"
}

// The bound of a schema is that of what a coding holds, and of responses, too.
func TestBoundedOctets(t *testing.T) {
	e := compiled(t, "testdata/media.yaml", inMode(violation.Enforce))
	for size, want := range map[int]string{5: allowed, 6: "validation:max-length body"} {
		m := encoded(parse(t, octets+"image/png\n\n"+strings.Repeat("x", size)), "gzip")
		if got := judge(e, m, 1, true); got != want {
			t.Errorf("%d bytes in gzip: %s, want %s", size, got, want)
		}
		want = strings.Replace(want, " body", " response-body", 1)
		response := parseResponse("200\ncontent-type: image/png\n\n" + strings.Repeat("\xff", size))
		if got := answer(begun(t, e, "POST /octets", world{}), response, 1, true); got != want {
			t.Errorf("a response of %d bytes: %s, want %s", size, got, want)
		}
	}
}

func TestJudgingPartHeadersAllocatesNothing(t *testing.T) {
	e := compiled(t, "testdata/media.yaml", inMode(violation.Enforce))
	m := parse(t, part("file; filename=a", "Content-Type: image/png\r\nX-Sum: 7\r\nX-Tags: a,b\r\n"))
	run := func() { drive(e, m) }
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMediaTypes(t *testing.T) { judgeBodies(t, "testdata/media.yaml", mediaTypes) }
