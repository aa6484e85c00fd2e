package enforce_test

import (
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

const (
	formTo = "POST /form\ncontent-type: application/x-www-form-urlencoded\n\n"
	openTo = "POST /open\ncontent-type: application/x-www-form-urlencoded\n\n"
	textTo = "POST /text\ncontent-type: text/plain\n\n"
)

// bodies are requests with bodies of all formats but JSON.
var bodies = []struct{ request, want string }{
	{formTo + "item=pen&quantity=2", allowed},
	{formTo + "quantity=2&item=pen&note=a+%22long%22+one%0D%0A&express=true", allowed},
	{formTo + "&item=pen&&quantity=2&", allowed},
	{formTo + "item=%70%65n&%71uantity=%32", allowed},
	{formTo + "item=p%C3%A9n&quantity=2", allowed},
	{formTo + "item=pén&quantity=2", allowed},
	{strings.Replace(formTo, "\n\n", "; charset=UTF-8\n\n", 1) + "item=pen&quantity=2", allowed},
	{strings.Replace(formTo, "\n\n", "; charset=utf-7\n\n", 1) + "item=pen&quantity=2", "validation:content-type header content-type"},
	{"POST /form", "validation:body-missing body"},
	{formTo + "&", "validation:required body /item"},
	{formTo + "item=pen", "validation:required body /quantity"},
	{formTo + "item=pen&quantity=0", "validation:minimum body /quantity"},
	{formTo + "item=pen&quantity=two", "validation:type body /quantity"},
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
	{openTo + "roles[]=x", allowed},

	{textTo + "some text", allowed},
	{textTo + "éééééééééé", allowed},
	{textTo + "ééééééééééé", "validation:max-length body"},
	{textTo + "ABC", "validation:pattern body"},
	{textTo + "a\xff", "validation:text body"},
	{textTo + "a\xc3", "validation:text body"},
	{"POST /text\ncontent-type: text/plain; charset=iso-8859-1\n\na", "validation:content-type header content-type"},
	{"POST /text\ncontent-type: text/csv; charset=iso-8859-1\n\n\xff", allowed},
}

func TestBodies(t *testing.T) {
	enforcing := compiled(t, "testdata/bodies.yaml", inMode(violation.Enforce))
	shadowing := compiled(t, "testdata/bodies.yaml", inMode(violation.Shadow))
	for _, row := range bodies {
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
	t.Logf("%d bodies", len(bodies))
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
	for name, text := range map[string]string{
		"form":     formTo + `item=p%65n&quantity=2&note=` + strings.Repeat("a+b%26", 500) + `&tags=a&tags=b&address={"street":"x"}`,
		"rejected": formTo + "item=pen&quantity=two",
		"text":     textTo + "some text",
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, text)
			run := func() { drive(e, m) }
			run()
			if n := testing.AllocsPerRun(200, run); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkBodies(b *testing.B) {
	e := compiled(b, "testdata/bodies.yaml", inMode(violation.Enforce))
	for name, text := range map[string]string{
		"form":      formTo + `item=p%65n&quantity=2&note=a+%22note%22&tags=a&tags=b`,
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
