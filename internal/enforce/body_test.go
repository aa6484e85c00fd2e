package enforce_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

const (
	formTo = "POST /form\ncontent-type: application/x-www-form-urlencoded\n\n"
	deepTo = "POST /deep\ncontent-type: application/x-www-form-urlencoded\n\n"
	openTo = "POST /open\ncontent-type: application/x-www-form-urlencoded\n\n"
	lineTo = "POST /events\ncontent-type: application/x-ndjson\n\n"
	seqTo  = "POST /events\ncontent-type: application/json-seq\n\n"
	textTo = "POST /text\ncontent-type: text/plain\n\n"
)

// parts is a multipart request. A part is what follows "name=" in its
// Content-Disposition, with CRLF for each '|'.
func parts(all ...string) string {
	var b strings.Builder
	b.WriteString("POST /parts\ncontent-type: multipart/form-data; boundary=b\n\n")
	for _, part := range all {
		b.WriteString("--b\r\nContent-Disposition: form-data; name=")
		b.WriteString(strings.ReplaceAll(part, "|", "\r\n"))
		b.WriteString("\r\n")
	}
	b.WriteString("--b--\r\n")
	return b.String()
}

// bodies are requests with bodies of all formats but JSON.
var bodies = []row{
	{formTo + "item=pen&quantity=2", allowed},
	{formTo + "quantity=2&item=pen&note=a+%22long%22+one%0D%0A&express=true", allowed},
	{formTo + "&item=pen&&quantity=2&", allowed},
	{formTo + "item=%70%65n&%71uantity=%32", allowed},
	{formTo + "item=p%C3%A9n&quantity=2", allowed},
	{formTo + "item=pén&quantity=2", allowed},
	{strings.Replace(formTo, "\n\n", "; charset=UTF-8\n\n", 1) + "item=pen&quantity=2", allowed},
	{strings.Replace(formTo, "\n\n", "; charset=utf-7\n\n", 1) + "item=pen&quantity=2", "validation:content-type header content-type"},
	{strings.Replace(formTo, "\n\n", "; xcharset=ibm290\n\n", 1) + "item=pen&quantity=2", "validation:content-type header content-type"},
	{strings.Replace(formTo, "\n\n", "; x=a charset=utf-16; charset=utf-8\n\n", 1) + "item=pen&quantity=2", "validation:content-type header content-type"},
	{strings.Replace(formTo, "\n\n", "; charset=utf-8; charset*=utf-16\n\n", 1) + "item=pen&quantity=2", "validation:content-type header content-type"},
	{"POST /form", "validation:body-missing body"},
	{formTo + "&", "validation:required body /item"},
	{formTo + "item=pen", "validation:required body /quantity"},
	{formTo + "item=pen&quantity=0", "validation:minimum body /quantity"},
	{formTo + "item=pen&quantity=two", "validation:type body /quantity"},
	{formTo + "item=pen]=x&quantity=2", "validation:form body /item"},
	{formTo + "item=pen%5D=x&quantity=2", "validation:form body /item"},
	{formTo + "item=pen&quantity=2&note=a[0]+b=c%5D%3Dd==", allowed},
	{formTo + "item=pen&quantity=1e1", "validation:type body /quantity"},
	{formTo + "item=pen&quantity=+2", "validation:type body /quantity"},
	{formTo + "item=pen&quantity=" + strings.Repeat("1", 1025), "validation:token-length body /quantity"},
	{formTo + "item=pen&quantity=x" + strings.Repeat("1", 1025), "validation:type body /quantity"},
	{formTo + "item=PEN&quantity=2", "validation:pattern body /item"},
	{formTo + "item=&quantity=2", "validation:min-length body /item"},
	{formTo + "item&quantity=2", "validation:min-length body /item"},
	{formTo + "item=" + strings.Repeat("a", 21) + "&quantity=2", "validation:max-length body /item"},
	{formTo + "item=" + strings.Repeat("é", 20) + "&quantity=2", allowed},
	{formTo + "item=pen&quantity=2&express=1", "validation:type body /express"},
	{formTo + "item=pen&quantity=2&note=" + strings.Repeat("long ", 2000), allowed},
	{formTo + "item=pen&quantity=2&either=" + strings.Repeat("1", 2000), allowed},
	{formTo + "item=pen&quantity=2&id=1", "validation:read-only body /id"},
	{formTo + "item=pen&quantity=2&role=admin", "validation:undeclared-property body /*"},
	{formTo + "item=pen&quantity=2&" + strings.Repeat("n", 1025) + "=1", "validation:token-length body /quantity"},

	{formTo + "item=pen&quantity=2&tags=a&tags=b&sizes=1&sizes=2", allowed},
	{formTo + "item=pen&tags=&quantity=2", allowed},
	{formTo + "item=pen&quantity=2&tags=a&tags=b&tags=c&tags=d", "validation:max-items body /tags"},
	{formTo + "item=pen&quantity=2&tags=a&tags=abcd", "validation:max-length body /tags/1"},
	{formTo + "item=pen&quantity=2&sizes=1&sizes=x", "validation:type body /sizes/1"},
	{formTo + "tags=a&item=pen&tags=b&quantity=2", "validation:repeated-field body /tags"}, // items must follow each other
	{formTo + "item=pen&quantity=2&item=pen", "validation:repeated-field body /item"},
	{formTo + "item=pen&quantity=2&%69tem=pen", "validation:repeated-field body /item"},
	{formTo + `item=pen&quantity=2&address={"street":"x"}`, allowed},
	{formTo + `item=pen&address=%7B%22street%22:%22x%22%7D&quantity=2`, allowed},
	{formTo + `item=pen&quantity=2&address={}`, "validation:required body /address/street"},
	{formTo + `item=pen&quantity=2&address=x`, "validation:json body /address"},
	{formTo + `item=pen&quantity=2&address=`, "validation:json body /address"},
	{formTo + `item=pen&quantity=2&address={"street":"x"`, "validation:json body /address/street"},
	{formTo + `item=pen&quantity=2&address={"street":"x"}{}`, "validation:json body /address"},
	{formTo + `item=pen&quantity=2&address={"street":"x","street":"x"}`, "validation:duplicate-name body /address"},
	{formTo + `item=pen&quantity=2&address={"street":"x","a":{"b":1,"b":2}}`, "validation:duplicate-name body /address/*"},
	{formTo + `item=pen&quantity=2&address=[]`, "validation:type body /address"},

	{formTo + "item=pen;quantity=2", "validation:form body /item"},
	{formTo + "item=pen&quantity=%zz", "validation:form body /quantity"},
	{formTo + "item=pen&quantity=2&note=%", "validation:form body /note"},
	{formTo + "item=pen&quantity=2&note=%ff", "validation:form body /note"},
	{formTo + "item=pen&quantity=2&note=%c3", "validation:form body /note"},
	{formTo + "item=pen&quantity=2&note=%ed%a0%80", "validation:form body /note"},
	{formTo + "item=pen&quantity=2&%ff=1", "validation:form body /quantity"},
	{formTo + "=pen&quantity=2", "validation:form body /*"},
	{formTo + `{"item":"pen","quantity":2}`, "validation:undeclared-property body /*"},

	{deepTo + "name=x&address[street]=a&address[floor]=3&lines[0][item]=pen&lines[1][item]=ink&lines[1][tags][]=a&lines[1][tags][]=b", allowed},
	{deepTo + `name=x&address={"street":"a","floor":3}&lines={"item":"pen"}&lines={"item":"ink","tags":["a"]}`, allowed},
	{deepTo + "name=x&address%5Bstreet%5D=a&labels[]=a&labels[]=b&owner[name]=me&owner[since][year]=1999", allowed},
	{deepTo + "name=x&labels[0]=a&labels[1]=b&owner=me&extra[k]=v", allowed},
	{deepTo + "name=x&address[floor]=3", "validation:required body /address/street"},
	{deepTo + "name=x&address[street]=a&address[floor]=high", "validation:type body /address/floor"},
	{deepTo + "name=x&address[street]=a&address[role]=admin", "validation:undeclared-property body /address/*"},
	{deepTo + "name=x&address[street]=a&address[street]=b", "validation:repeated-field body /address/street"},
	{deepTo + `name=x&address[street]=a&address={"street":"a"}`, "validation:repeated-field body /address/street"},
	{deepTo + `name=x&address={"street":"a"}&address[street]=a`, "validation:repeated-field body /address"},
	{deepTo + "address[street]=a&name=x&address[floor]=3", "validation:repeated-field body /address"}, // what is one value must be in one place
	{deepTo + "name=x&address[street][x]=a", "validation:undeclared-property body /address/street"},
	{deepTo + "name=x&address[]=a", "validation:undeclared-property body /address/*"},
	{deepTo + "name=x&address[street=a", "validation:undeclared-property body /address"},
	{deepTo + "name=x&address.street=a", "validation:undeclared-property body /*"},
	{deepTo + "name[x]=x", "validation:undeclared-property body /*"},
	{deepTo + "name=x&address[%ff]=a", "validation:form body /name"},
	{deepTo + "name=x&lines[0][item]=pen&lines[1][tags][]=a", "validation:required body /lines/1/item"},
	{deepTo + "name=x&lines[0][item]=pen&lines[0][tags][]=abcd", "validation:max-length body /lines/0/tags/0"},
	{deepTo + "name=x&lines[0][item]=pen&lines[2][item]=ink", "validation:form body /lines/0/item"},
	{deepTo + "name=x&lines[][item]=pen", "validation:form body /lines"},
	{deepTo + `name=x&lines={"item":"pen"}&lines[1][item]=ink`, "validation:repeated-field body /lines/0"},
	{deepTo + `name=x&lines[0][item]=pen&lines={"item":"ink"}`, "validation:repeated-field body /lines/0/item"},
	{deepTo + "name=x&labels=a", "validation:type body /labels"},
	{deepTo + "name=x&labels[]=a&labels[]=abcd", "validation:max-length body /labels/1"},
	{deepTo + "name=x&owner[since]=1999", "validation:any-of body /owner"},
	{deepTo + "name=x&owner=me&owner[name]=me", "validation:repeated-field body /owner"},

	{openTo + "role=user&user_name=x&more=abc&other=123", allowed},
	{openTo + "role=admin", "validation:enum body /role"},
	{openTo + "more=abcd", "validation:max-length body /*"},
	{openTo + "any=6", "validation:maximum body /any"},
	{openTo + "any=" + strings.Repeat("6", 1025), "validation:token-length body /any"},
	{openTo + "x=1&x=2", "validation:repeated-field body /*"},
	// Names that parsers take for declared ones.
	{openTo + "role[]=x", "validation:undeclared-property body /*"},
	{openTo + "role%5Ba%5D=x", "validation:undeclared-property body /*"},
	{openTo + "user.name=x", "validation:undeclared-property body /*"},
	{openTo + "+user+name=x", "validation:undeclared-property body /*"},
	{openTo + "user[name=x", "validation:undeclared-property body /*"},
	{openTo + "%09role=x", "validation:undeclared-property body /*"},
	{openTo + "role.x=x", "validation:undeclared-property body /*"},
	{openTo + "role+[x]=x", "validation:undeclared-property body /*"},
	{openTo + "%3Crole%3E=x", "validation:undeclared-property body /*"},
	{openTo + "[role]=x", "validation:undeclared-property body /*"},
	{openTo + "role%5D=x", "validation:undeclared-property body /*"},
	{openTo + "!role=x", "validation:undeclared-property body /*"},
	{openTo + "_role=on", "validation:undeclared-property body /*"},
	{openTo + "'role'=x", "validation:undeclared-property body /*"},
	{openTo + "Role=x", "validation:undeclared-property body /*"},
	{openTo + "[role]x=x", "validation:undeclared-property body /*"},
	{openTo + "role]x=x", "validation:undeclared-property body /*"},
	{openTo + "user.name[x]=x", "validation:undeclared-property body /*"},
	{openTo + "\ufeffrole=x", "validation:undeclared-property body /*"},
	{openTo + ":role,=x", "validation:undeclared-property body /*"},
	{openTo + "role%0a=x", "validation:undeclared-property body /*"},
	{openTo + "limit=100", "validation:undeclared-property body /*"},
	{openTo + "_method=DELETE", "validation:undeclared-property body /*"},
	{openTo + "roles[]=x", allowed},

	{parts("title||pen"), allowed},
	{parts("title|Content-Type: text/plain; charset=UTF-8||pén", "count||7", "tags||a", "tags||b"), allowed},
	{parts(`title||a`, `photo; filename="a.png"|Content-Type: image/png||`+"\x89PNG\r\n\x1a\n\x00\xff", `about|Content-Type: application/json||{"by":"me"}`), allowed},
	{parts(`title||a`, `about||{"by":"me"}`), allowed},
	{parts(`title||a`, `files; filename=a||`+strings.Repeat("\xff", 5000), `files; filename=""|Content-Type: application/octet-stream||`), allowed},
	{"POST /parts\ncontent-type: multipart/form-data\n\n--b--", "validation:content-type header content-type"},
	{"POST /parts\ncontent-type: multipart/form-data; boundary=b; boundary=c\n\n--b--", "validation:content-type header content-type"},
	{strings.Replace(parts("title||a"), "boundary=b", "boundary=b; xboundary=c", 1), "validation:content-type header content-type"},
	{"POST /parts\ncontent-type: multipart/form-data; boundary=b; charset=utf-16\n\n--b--", "validation:content-type header content-type"},
	{"POST /parts", "validation:body-missing body"},
	{parts(), "validation:required body /title"},
	{parts("count||7"), "validation:required body /title"},
	{parts("title||a", "count||seven"), "validation:type body /count"},
	{parts("title||more than ten"), "validation:max-length body /title"},
	{parts("title||a", "tags||a", "tags||B"), "validation:pattern body /tags/1"},
	{parts("title||a", "role||admin"), "validation:undeclared-property body /*"},
	{parts("title||a", "title||b"), "validation:repeated-field body /title"},
	{parts("tags||a", "title||a", "tags||b"), "validation:repeated-field body /tags"},
	{parts("title||a", "about||{}"), "validation:required body /about/by"},
	{parts("title||a", "about|Content-Type: text/xml||<by/>"), "validation:content-type body /about"},
	{parts("title|Content-Type: text/html||a"), "validation:content-type body /title"},
	{parts("title|Content-Type: text/plain; charset=utf-7||a"), "validation:content-type body /title"},
	{parts("title|Content-Type: multipart/mixed; boundary=c||a"), "validation:content-type body /title"},
	{parts("title||a", "files; filename=a|Content-Type: multipart/mixed; boundary=c||a"), "validation:content-type body /files"},
	{parts("title||\xff"), "validation:multipart body /title"},
	{parts("tags||\xff"), "validation:multipart body /tags"},
	{parts("title; filename=a||a"), "validation:multipart body /title"},
	{strings.ReplaceAll(parts("title||a"), "=b", `="=?utf-8?Q?b?="`), "validation:content-type header content-type"},
	{parts("title||a", `"=?utf-8?Q?role?="||a`), "validation:multipart body /title"},
	{parts("title||a", `files; filename="=?utf-8?Q?..=2Fx?="||a`), "validation:multipart body /title"},
	{parts("title||a", `files; filename="a name=role"||a`), "validation:multipart body /title"},
	{parts("title||a", `"files; name=role"||a`), "validation:multipart body /title"},
	{parts("title|X-Content-Disposition: form-data; name=role||a"), "validation:multipart body /*"},
	{parts("title|X: content-type: text/html||a"), "validation:multipart body /*"},
	{parts("title||a", "_charset_||utf-7"), "validation:multipart body /*"},
	{parts("title||a", "other; filename=a||a"), "validation:undeclared-property body /*"},
	{parts("title||a", "photo; filename=a|Content-Type: image/gif||a"), "validation:content-type body /photo"},
	{parts("title||a", "photo; filename=a||a"), "validation:content-type body /photo"},
	{parts("title||a", "photo|Content-Type: image/png||"+strings.Repeat("a", 20)), allowed},
	{parts("title||a", "photo|Content-Type: image/png||"+strings.Repeat("a", 21)), "validation:max-length body /photo"},
	{parts("title||a", "files||", "files||", "files||"), "validation:max-items body /files"},
	{parts("title||a") + "epilogue", "validation:multipart body /title"},
	{strings.TrimSuffix(parts("title||a"), "--\r\n"), "validation:multipart body /title"},
	{strings.ReplaceAll(parts("title||a"), "\r\n", "\n"), "validation:multipart body /*"},

	{lineTo + `{"n":1}`, allowed},
	{lineTo + "{\"n\":1}\n{\"n\":2,\"s\":\"x\"}\r\n\n{\"n\":3}\n", allowed},
	{lineTo + "\n", allowed},
	{lineTo + "{\"n\":1}\n{\"n\":\"2\"}\n", "validation:type body /1/n"},
	{lineTo + "{\"n\":1}\n{}\n", "validation:required body /1/n"},
	{lineTo + "{\"n\":1}\n[]\n", "validation:type body /1"},
	{lineTo + "{\"n\":1}\n{\"n\":2", "validation:json body /1/n"},
	{lineTo + "{\"n\":1}{\"n\":2}\n", "validation:json body /0"},
	{lineTo + "{\"n\":1}\r{\"n\":2}\n", "validation:json body /0"},
	{lineTo + "{\n\"n\":1}\n", "validation:json body /0/*"},
	{lineTo + "{\"n\":1,\"n\":2}\n", "validation:duplicate-name body /0"},
	{lineTo + "[{\"n\":1}]", "validation:type body /0"},
	{lineTo + "\x1e{\"n\":1}\n", "validation:json body"},
	{seqTo + "\x1e{\"n\":1}\n\x1e{\n\"n\":2}\n", allowed},
	{seqTo + "\x1e{\"n\":1}", "validation:json body /0"},
	{seqTo + "\x1e{\"n\":1}\x1e{\"n\":2}\n", "validation:json body /0"},
	{seqTo + "{\"n\":1}\n", "validation:json body"},
	{seqTo + "\n\x1e{\"n\":1}\n", "validation:json body"},
	{seqTo + "\x1e{\"n\":1}\n\x1e\x1e{\"n\":1}\n", "validation:json body /0"},
	{seqTo + "\x1e{\"n\":1}\n\x1e{\"n\":2.5}\n", "validation:type body /1/n"},
	{seqTo + strings.Repeat("\x1e{\"n\":1}\n", 3), "validation:max-items body"},

	{textTo + "some text", allowed},
	{textTo + "éééééééééé", allowed},
	{textTo + "ééééééééééé", "validation:max-length body"},
	{textTo + "ABC", "validation:pattern body"},
	{textTo + "a\xff", "validation:text body"},
	{textTo + "a\xc3", "validation:text body"},
	{"POST /text\ncontent-type: text/plain; charset=iso-8859-1\n\na", "validation:content-type header content-type"},
	{"POST /text\ncontent-type: text/csv; charset=iso-8859-1\n\n\xff", allowed},
}

func TestBodies(t *testing.T) { judgeBodies(t, "testdata/bodies.yaml", bodies) }

// row is a request and its verdict.
type row struct{ request, want string }

// judgeBodies judges requests in both modes, with their bodies in chunks of
// several sizes, and short ones cut in two everywhere.
func judgeBodies(t *testing.T, path string, rows []row) {
	t.Helper()
	enforcing := compiled(t, path, inMode(violation.Enforce))
	shadowing := compiled(t, path, inMode(violation.Shadow))
	for _, row := range rows {
		m := parse(t, row.request)
		shadowed := judge(shadowing, m, 0, false)
		if shadowed != row.want && !strings.HasPrefix(shadowed, row.want+"; ") {
			t.Errorf("shadow: got %s\nwant %s\nin %s", shadowed, row.want, row.request)
		}
		for _, size := range []int{0, 1, 2, 3, 7, 100} {
			if got := judge(enforcing, m, size, size%2 == 0); got != row.want {
				t.Errorf("chunks of %d:\n got %s\nwant %s\nin %s", size, got, row.want, row.request)
			}
			if got := judge(shadowing, m, size, false); got != shadowed {
				t.Errorf("shadow, chunks of %d:\n got %s\nwant %s\nin %s", size, got, shadowed, row.request)
			}
		}
		if len(m.body) > 200 {
			continue
		}
		for i := range m.body {
			if got := judgeCut(enforcing, m, i); got != row.want {
				t.Errorf("cut at %d:\n got %s\nwant %s\nin %s", i, got, row.want, row.request)
			}
		}
	}
	t.Logf("%d bodies", len(rows))
}

// judgeCut judges a request whose body comes in two chunks.
func judgeCut(e *enforce.Engine, m message, at int) string {
	r := e.Begin()
	defer r.End()
	action := r.Headers(m.headers, false, world{})
	if action != enforce.Reject {
		action = r.Body(m.body[:at], false)
	}
	if action != enforce.Reject {
		action = r.Body(m.body[at:], true)
	}
	return verdict(r, action)
}

func TestReadingBodiesAllocatesNothing(t *testing.T) {
	e := compiled(t, "testdata/bodies.yaml", inMode(violation.Enforce))
	allocateNothing(t, e, map[string]string{
		"form":     formTo + `item=p%65n&quantity=2&note=` + strings.Repeat("a+b%26", 500) + `&tags=a&tags=b&address={"street":"x"}`,
		"parts":    parts("title||pen", "count||7", "tags||a", "files; filename=a||"+strings.Repeat("\xff-\r\n", 5000)),
		"lines":    lineTo + strings.Repeat("{\"n\":1,\"s\":\"x\"}\n", 50),
		"rejected": formTo + "item=pen&quantity=two",
		"text":     textTo + "some text",
	})
}

func BenchmarkBodies(b *testing.B) {
	e := compiled(b, "testdata/bodies.yaml", inMode(violation.Enforce))
	for name, text := range map[string]string{
		"form":      formTo + `item=p%65n&quantity=2&note=a+%22note%22&tags=a&tags=b`,
		"file":      parts("title||a", "files; filename=a||"+strings.Repeat("0123456789abcdef\r\n", 5000)),
		"long form": formTo + `item=pen&quantity=2&note=` + strings.Repeat("many+words+", 10000),
	} {
		b.Run(name, func(b *testing.B) {
			m := parse(b, text)
			b.SetBytes(int64(len(m.body)))
			b.ReportAllocs()
			for b.Loop() {
				drive(e, m)
			}
		})
	}
}

// FuzzBodies: where the chunks end makes no difference to the verdict.
func FuzzBodies(f *testing.F) {
	heads := []string{formTo, openTo, parts(), lineTo, seqTo, textTo, deepTo}
	for i, head := range heads {
		heads[i], _, _ = strings.Cut(head, "\n\n")
	}
	const lines = uint8(3) // the index of lineTo
	for _, row := range bodies {
		head, body, _ := strings.Cut(row.request, "\n\n")
		if !slices.Contains(heads, head) || len(body) >= 500 {
			continue
		}
		for i := range heads {
			f.Add(uint8(i), []byte(body), uint64(1))
		}
	}
	for _, body := range []string{
		`{"n":1,"s":"\u00e9\ud83d\ude00\n\"\/\b"}`, `{"s":"\ud83d\u0041","n":1}`, `{"s":"\q"}`, `{"n":-12345678.125e+2}`, `{"n":12345678901234567}`,
		`{"n":1,"n":1}`, `{"n":-0.5E-1}`, `{"n":0.12345678}`, `{"n":tru}`, `{"n":[true,false,null,{"a":[]}]}`, "{\"s\":\"\u0800\u07ff\ufffd\U00010000\U000fffff\U0010ffff\"}",
		"{\"s\":\"\xed\xa0\x80\"}", "{\"s\":\"\xf4\x90\x80\x80\"}", strings.Repeat("[", 100), strings.Repeat(`{"n":`, 100),
	} {
		f.Add(lines, []byte(body+"\n"), uint64(1))
		f.Add(lines, []byte(body+strings.Repeat(" ", 40)+"\n"), uint64(1))
	}
	engines := []*enforce.Engine{
		compiled(f, "testdata/bodies.yaml", inMode(violation.Enforce)),
		compiled(f, "testdata/bodies.yaml", inMode(violation.Shadow)),
	}
	f.Fuzz(func(t *testing.T, to uint8, body []byte, seed uint64) {
		if len(body) == 0 {
			return
		}
		m := parse(t, heads[int(to)%len(heads)]+"\nchunked: yes\n\nx")
		m.body = body
		random := rand.New(rand.NewPCG(seed, 0))
		for _, e := range engines {
			whole := judge(e, m, 0, false)
			r := e.Begin()
			action := r.Headers(m.headers, false, world{})
			for rest := body; len(rest) > 0 && action != enforce.Reject; {
				n := 1 + random.IntN(len(rest))
				action = r.Body(rest[:n], n == len(rest))
				rest = rest[n:]
			}
			if got := verdict(r, action); got != whole {
				t.Errorf("%s %q:\n got %s\nwant %s", m.headers[4].Value, body, got, whole)
			}
			r.End()
		}
	})
}
