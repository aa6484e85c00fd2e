package enforce_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// encoded is a request with its body in a content coding.
func encoded(m message, coding string) message {
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if coding == "deflate" {
		w = zlib.NewWriter(&b)
	}
	w.Write(m.body)
	w.Close()
	headers := []enforce.Header{{Name: []byte("content-encoding"), Value: []byte(coding)}}
	for _, h := range m.headers {
		if string(h.Name) != "content-length" {
			headers = append(headers, h)
		}
	}
	return message{headers: headers, body: b.Bytes()}
}

// TestEncodedBodies: a body gets the verdict that it gets without its coding.
func TestEncodedBodies(t *testing.T) {
	ran := 0
	for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
		e := compiled(t, "testdata/bodies.yaml", inMode(mode))
		for _, row := range bodies {
			plain := parse(t, row.request)
			if len(plain.body) == 0 {
				continue
			}
			want := judge(e, plain, 0, false)
			for _, coding := range []string{"gzip", "x-gzip", "Deflate"} {
				m := encoded(plain, strings.ToLower(coding))
				m.headers[0].Value = []byte(coding)
				for _, size := range []int{0, 1, 7} {
					if got := judge(e, m, size, size%2 == 0); got != want {
						t.Errorf("%s, %s, chunks of %d:\n got %s\nwant %s\nin %s", mode, coding, size, got, want, row.request)
					}
					ran++
				}
			}
		}
	}
	t.Logf("%d bodies", ran)
}

func TestCodings(t *testing.T) {
	const header, body = "validation:content-encoding header content-encoding", "validation:content-encoding body"
	text := strings.TrimSuffix(textTo, "\n\n")
	gzipped := func(body string) string { return string(encoded(message{body: []byte(body)}, "gzip").body) }
	for _, row := range []struct{ request, want string }{
		{text + "\ncontent-encoding: br\n\nab", header},
		{text + "\ncontent-encoding: gzip, gzip\n\n" + gzipped("ab"), header},
		{text + "\ncontent-encoding: gzip\ncontent-encoding: gzip\n\n" + gzipped("ab"), header},
		{text + "\ncontent-encoding: gzip;q=1\n\n" + gzipped("ab"), header},
		{text + "\ncontent-encoding:\n\nab", allowed},
		{text + "\ncontent-encoding: identity\n\nab", allowed},
		{text + "\ncontent-encoding: gzip\nchunked: yes\n\n", allowed}, // there is no body

		{text + "\ncontent-encoding: gzip\n\nab", body},
		{text + "\ncontent-encoding: deflate\n\n" + gzipped("ab"), body},
		{text + "\ncontent-encoding: gzip\n\n" + gzipped("ab")[:24], body},
		{text + "\ncontent-encoding: gzip\n\n" + gzipped("ab") + gzipped("cd"), body},
		{text + "\ncontent-encoding: gzip\n\n" + gzipped("abcdefghijk") + gzipped("cd"), "validation:max-length body"},

		// The bound holds for both sizes, whatever the type.
		{text + "\ncontent-encoding: gzip\n\n" + gzipped(strings.Repeat("ab", 1<<19)), "validation:max-length body"},
		{text + "\ncontent-encoding: gzip\n\n" + gzipped(strings.Repeat("ab", 1<<20)), "validation:max-length body"},
		{"POST /text\ncontent-type: text/csv\ncontent-encoding: gzip\n\n" + gzipped(strings.Repeat("ab", 1<<19)), allowed},
		{"POST /text\ncontent-type: text/csv\ncontent-encoding: gzip\n\n" + gzipped(strings.Repeat("ab", 1<<19)+"c"), "validation:body-size body"},
		{"POST /text\ncontent-type: text/csv\ncontent-encoding: gzip\n\n" + gzipped("ab")[:24], body},
		{lineTo[:len(lineTo)-2] + "\ncontent-encoding: gzip\n\n" + gzipped(strings.Repeat("\n", 2<<20)), "validation:body-size body"},
	} {
		for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
			e := compiled(t, "testdata/bodies.yaml", inMode(mode))
			for _, size := range []int{0, 1, 3} {
				got := judge(e, parse(t, row.request), size, false)
				if got != row.want && (mode == violation.Enforce || !strings.HasPrefix(got, row.want+"; ")) {
					t.Errorf("%s, chunks of %d:\n got %s\nwant %s\nin %.100q", mode, size, got, row.want, row.request)
				}
			}
		}
	}
}

func TestEncodingsRefused(t *testing.T) {
	refuse := true
	e := compiled(t, "testdata/bodies.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		set.Services[0].RefuseEncodings = &refuse
	})
	m := parse(t, textTo+"ab")
	for _, row := range []struct {
		m    message
		want string
	}{
		{m, allowed},
		{encoded(m, "gzip"), "validation:content-encoding header content-encoding"},
	} {
		if got := judge(e, row.m, 0, false); got != row.want {
			t.Errorf("got %s, want %s", got, row.want)
		}
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	e := compiled(t, "testdata/bodies.yaml", inMode(violation.Enforce))
	whole := encoded(parse(t, formTo+"item=pen&quantity=2&note="+strings.Repeat("many words ", 1000)), "gzip")
	broken := message{headers: whole.headers, body: append(bytes.Clone(whole.body), 0)}
	run := func() {
		drive(e, whole)
		drive(e, broken)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A body that is only announced takes no decoder, which is 38 KiB.
func TestWaitingBodiesAreSmall(t *testing.T) {
	e := compiled(t, "testdata/bodies.yaml", inMode(violation.Enforce))
	m := encoded(parse(t, textTo+"ab"), "gzip")
	const streams = 100
	begin := func() {
		waiting := make([]*enforce.Request, streams)
		for i := range waiting {
			waiting[i] = e.Begin()
			if action := waiting[i].Headers(m.headers, false, world{}); action != enforce.Hold {
				t.Fatalf("action %d", action)
			}
		}
		for _, r := range waiting {
			r.End()
		}
	}
	begin() // makes the requests, which are used again
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin()
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / streams; each > 1<<10 {
		t.Errorf("a stream that waits for its body takes %d bytes", each)
	}
}

// TestStreamedUploads: where the model says so, enforce lets a body flow
// while it judges it, and says of a violation that the upstream has seen the
// beginning.
func TestStreamedUploads(t *testing.T) {
	stream := true
	e := compiled(t, "testdata/bodies.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		set.Services[0].StreamUploads = &stream
	})
	for _, row := range []struct {
		request string
		cut     int
		want    string // what the calls return, and the verdict
	}{
		{textTo + "abcd", 2, "pass pass pass allowed"},
		{textTo + "abCd", 2, "pass pass reject validation:pattern body-stream"},
		{textTo + "abcdefghijk", 2, "pass pass reject validation:max-length body-stream"},
		{formTo + "item=pen&quantity=0", 9, "pass pass reject validation:minimum body-stream /quantity"},
		{formTo + "quantity=0&item=pen", 12, "pass reject validation:minimum body-stream /quantity"},
		{"POST /form\ncontent-type: text/plain\n\nabc", 1, "reject validation:content-type header content-type"},
		{"POST /form\nchunked: yes\ncontent-type:\n\nabc", 1, "pass reject validation:content-type header content-type"},
	} {
		m := parse(t, row.request)
		r := e.Begin()
		got := ""
		step := func(a enforce.Action) bool {
			got += []string{enforce.Pass: "pass ", enforce.Hold: "hold ", enforce.Reject: "reject "}[a]
			return a != enforce.Reject
		}
		action := r.Headers(m.headers, false, world{})
		if step(action) {
			action = r.Body(m.body[:row.cut], false)
			if step(action) {
				action = r.Body(m.body[row.cut:], true)
				step(action)
			}
		}
		if got += verdict(r, action); got != row.want {
			t.Errorf("%q:\n got %s\nwant %s", row.request, got, row.want)
		}
		r.End()
	}
}
