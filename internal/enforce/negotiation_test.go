package enforce_test

import (
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// renegotiated is what changes of a request: "name: value" lines, "-name" for
// a header that is removed.
func renegotiated(r *enforce.Request) string {
	var changes []string
	r.Renegotiate(func(name, value []byte) {
		if value == nil {
			changes = append(changes, "-"+string(name))
		} else {
			changes = append(changes, string(name)+": "+string(value))
		}
	})
	return strings.Join(changes, "; ")
}

const encodings = "GET /user\naccept-encoding: "

// noCodings is what a request without Accept-Encoding asks for in enforce.
const noCodings = "accept-encoding: identity"

// TestRenegotiation: enforce lets a client ask for what can be judged, and for
// nothing else; shadow and operations whose responses have no schema leave
// requests alone.
func TestRenegotiation(t *testing.T) {
	rows := []struct{ request, want string }{
		{"GET /user", noCodings},
		{encodings, ""},
		{encodings + "gzip", ""},
		{encodings + "gzip, deflate;q=0.5 ,x-gzip, identity", ""},
		{encodings + "GZIP;q=0, identity;q=0", ""},
		{encodings + "*;q=0", ""},
		{encodings + "gzip, *; q=0.000", ""},

		{encodings + "gzip, deflate, br, zstd", "accept-encoding: gzip, deflate"},
		{encodings + "br;q=1.0, GZip ; q=0.8,, *;q=0", "accept-encoding: GZip ; q=0.8, *;q=0"},
		{encodings + "br", "accept-encoding: identity"},
		{encodings + "br;q=0", "accept-encoding: identity"},
		{encodings + "br, identity;q=0", "accept-encoding: identity;q=0"}, // gzip would not be acceptable, either
		{encodings + "br, *;q=0", "accept-encoding: *;q=0"},
		{encodings + "*", "accept-encoding: gzip"},
		{encodings + "*;q=0.1, identity;q=0.5", "accept-encoding: identity;q=0.5, gzip;q=0.1"},
		{encodings + "gzip;q=0, *", "accept-encoding: gzip;q=0"},
		{encodings + "*;q=0.5, x-gzip;q=0.1, br;q=0", "accept-encoding: x-gzip;q=0.1"},
		{encodings + "gzip\naccept-encoding: br", "accept-encoding: gzip"},
		{encodings + "br\naccept-encoding: dcb, deflate", "accept-encoding: deflate"},
		{encodings + "gzip-dictionary, gzip2", "accept-encoding: identity"},
		{encodings + ";q=1", "accept-encoding: identity"},

		{"GET /user\nrange: bytes=0-9", noCodings + "; -range"},
		{"GET /user\nrange: Bytes=-9\naccept-encoding: br", "accept-encoding: identity; -range"},
		{"GET /user\nrange: items=0-9", noCodings},
		{"GET /user\nrange: items=0-9\nrange: bytes=0-9", noCodings + "; -range"},
		{"GET /user\nrange: bytes=0-9\nrange: items=0-9", noCodings + "; -range"},
		{"GET /pages\nrange: bytes=0-9", noCodings + "; -range"}, // which declares 206
		{"GET /mixed\nrange: bytes=0-9", noCodings + "; -range"},
		{"GET /film\nrange: bytes=0-9", noCodings},
		{"GET /download\nrange: bytes=0-9", noCodings},
		{"GET /download\naccept-encoding: br", noCodings}, // its errors have a schema
		{"GET /image\nrange: bytes=0-9\naccept-encoding: br", ""},
		{"GET /image", ""},
		{"GET /silent\nrange: bytes=0-9\naccept-encoding: br", ""},
		{"GET /none\nrange: bytes=0-9\naccept-encoding: br", ""},
		{"GET /nowhere\nrange: bytes=0-9\naccept-encoding: br", ""},
	}
	for _, mode := range []struct{ requests, responses violation.Mode }{
		{violation.Enforce, violation.Enforce},
		{violation.Enforce, violation.Shadow},
		{violation.Enforce, violation.Off},
		{violation.Shadow, violation.Enforce},
		{violation.Off, violation.Enforce},
	} {
		e := compiled(t, "testdata/responses.yaml", func(set *policy.Set) {
			inMode(mode.requests)(set)
			set.Services[0].Service.ResponseMode = &mode.responses
		})
		for _, row := range rows {
			want := row.want
			if mode.requests != violation.Enforce || mode.responses != violation.Enforce {
				want = ""
			}
			r := e.Begin()
			r.Headers(parse(t, row.request).headers, true, world{})
			if got := renegotiated(r); got != want {
				t.Errorf("%s, responses in %s: %q: %q, want %q", mode.requests, mode.responses, row.request, got, want)
			}
			r.End()
		}
	}
}

// TestWhatWasAskedFor judges responses that enforce would not have asked for,
// and parts of those that have a schema. In shadow it is the client who asked
// for them, so that only what enforce would get is held against the upstream.
func TestWhatWasAskedFor(t *testing.T) {
	const (
		coded = "200\nx-remaining: 3\ncontent-encoding: br\n\nab"
		part  = "206\nx-remaining: 3\ncontent-range: bytes 0-1/21\n\n{\"" // of ada
		parts = "206\nx-remaining: 3\ncontent-type: multipart/byteranges; boundary=x\n\n--x"

		wrongCoding = "validation:content-encoding response-header content-encoding"
		noCoding    = "validation:unjudged response-header content-encoding"
		noBody      = "validation:unjudged response-body"
	)
	for _, row := range []struct{ request, response, enforce, shadow string }{
		{encodings + "br", coded, wrongCoding, noCoding},
		{encodings + "gzip", coded, wrongCoding, wrongCoding},
		{getUser, coded, wrongCoding, wrongCoding},

		// Where the whole is to be judged enforce does not ask for parts.
		{getUser + "\nrange: bytes=0-1", part, "validation:status response", noBody},
		{getUser + "\nrange: bytes=0-1,4-5", parts, "validation:status response", noBody},
		{getUser + "\nrange: bytes=0-1", aUser + ada, allowed, allowed},
		{getUser + "\nrange: items=0-1\nrange: bytes=0-1", part, "validation:status response", noBody},
		{getUser, part, "validation:status response", "validation:status response"},

		// Nor where parts are declared, or only some of the content has a schema.
		{"GET /pages\nrange: bytes=0-1", part, "validation:json response-body /*", noBody},
		{"GET /pages\nrange: bytes=0-1,4-5", parts, "validation:content-type response-header content-type", noBody},
		{"GET /pages\nrange: bytes=0-1", "416", "validation:error-status response", "validation:error-status response"},
		{"GET /pages", part, "validation:json response-body /*", "validation:json response-body /*"},
		{"GET /pages\nrange: items=0-1", "206\nx-remaining: 3\ncontent-range: items 0-1/9\n\n" + ada, allowed, allowed},
		{"GET /pages\nrange: items=0-1", "206\nx-remaining: 3\ncontent-range: items 0-1/9\n\n{}", "validation:required response-body /id", "validation:required response-body /id; validation:required response-body /name"},
		{"GET /mixed\nrange: bytes=0-1", "200\ncontent-type: image/png\n\nab", allowed, allowed},
		{"GET /mixed\nrange: bytes=0-20", "206\ncontent-range: bytes 0-20/21\n\n" + ada, allowed, noBody},

		// Where no content has a schema parts are asked for, and judged as the 200
		// unless they are declared.
		{"GET /download\nrange: bytes=0-1", "206\ncontent-range: bytes 0-1/21\ncontent-type: application/octet-stream\n\nab", allowed, allowed},
		{"GET /download\nrange: bytes=0-1,4-5", parts, noBody, noBody},
		{"GET /film\nrange: bytes=0-1", "206\nx-remaining: 3\ncontent-range: bytes 0-1/9\ncontent-type: video/mp4\n\nab", allowed, allowed},
		{"GET /film\nrange: bytes=0-1", "206\nx-remaining: x\ncontent-range: bytes 0-1/9\ncontent-type: video/mp4\n\nab", "validation:type response-header x-remaining", "validation:type response-header x-remaining"},
		{"GET /film\nrange: bytes=0-1", part, "validation:content-type response-header content-type", "validation:content-type response-header content-type"},
		{"GET /film\nrange: bytes=0-1,4-5", parts, noBody, noBody},
		{"GET /image\nrange: bytes=0-1", "206\ncontent-range: bytes 0-1/9\ncontent-type: image/png\n\nab", allowed, allowed},
		{"GET /image", "206\ncontent-range: bytes 0-1/9\ncontent-type: image/png\n\nab", "validation:status response", "validation:status response"},
	} {
		for mode, want := range map[violation.Mode]string{violation.Enforce: row.enforce, violation.Shadow: row.shadow} {
			e := compiled(t, "testdata/responses.yaml", inMode(mode))
			for _, size := range []int{0, 1} {
				if got := answer(begun(t, e, row.request, world{}), parseResponse(row.response), size, size == 1); got != want {
					t.Errorf("%s, chunks of %d: %q: %q:\n got %s\nwant %s", mode, size, row.request, row.response, got, want)
				}
			}
		}
	}
}

// Where HTTP has no content its headers are of content that is not sent, even
// if it is only behind them that the message ends.
func TestBareResponses(t *testing.T) {
	const length = "\ncontent-length: 21"
	for _, row := range []struct{ request, response, want string }{
		{"HEAD /user", "200\nx-remaining: 3" + length, allowed},
		{"HEAD /user", "200\nx-remaining: 3\ncontent-type: application/json\ncontent-encoding: gzip" + length, allowed},
		{"HEAD /user", "200" + length, allowed},
		{getUser, "304\netag: 1" + length, allowed},
		{"GET /any", "304\netag: 1" + length, allowed},
		{"GET /any", "304\nx-remaining: x", "validation:type response-header x-remaining"},
		{"GET /any", "200\nx-remaining: 3" + length, "validation:content-type response-header content-type"},
	} {
		for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
			e := compiled(t, "testdata/responses.yaml", inMode(mode))
			r := begun(t, e, row.request, world{})
			action := r.ResponseHeaders(parseResponse(row.response).headers, false)
			if r.AwaitsResponse() && action != enforce.Reject {
				action = r.ResponseBody(nil, true)
			}
			if got := verdict(r, action); got != row.want {
				t.Errorf("%s: %q: %q: %s, want %s", mode, row.request, row.response, got, row.want)
			}
			r.End()
		}
	}
}

func TestNegotiatingAllocatesNothing(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", inMode(violation.Enforce))
	headers := parse(t, encodings+"gzip, deflate, br, *\nrange: bytes=0-9").headers
	changes := 0
	run := func() {
		r := e.Begin()
		r.Headers(headers, true, world{})
		r.Renegotiate(func(_, _ []byte) { changes++ })
		r.End()
	}
	run()
	if n := testing.AllocsPerRun(50, run); n != 0 || changes != 2*52 {
		t.Errorf("%v allocations for %d changes", n, changes)
	}
}
