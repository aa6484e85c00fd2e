package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

// negotiator is an upstream that gives what it is asked for: a coding, and
// parts.
func negotiator(w http.ResponseWriter, r *http.Request) {
	accepts := strings.Join(r.Header.Values("Accept-Encoding"), ", ")
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/photo" {
		w.Header().Set("Content-Type", "image/png")
	}
	w.Header().Set("X-Remaining", "3")
	w.Header().Set("X-Asked", accepts+"|"+r.Header.Get("Range"))
	switch {
	case r.Header.Get("Range") != "":
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(userJSON))
	case strings.Contains(accepts, "br"):
		w.Header().Set("Content-Encoding", "br")
		io.WriteString(w, "not for the filter's eyes")
	case strings.Contains(accepts, "gzip"):
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, gzipped(userJSON))
	default:
		io.WriteString(w, userJSON)
	}
}

// TestNegotiation: where responses are enforced the upstream is asked for what
// can be judged, so that a client gets that and not a 502. In shadow it is
// asked for what the client wants, and that is not judged.
func TestNegotiation(t *testing.T) {
	spec := saved(t, "users.yaml", usersSpec+`
  /photo: {get: {operationId: photo, responses: {"200": {description: ok, content: {image/png: {}}}}}}
  /either: {get: {operationId: either, responses: {"200": {description: ok, content: {application/json: {schema: {type: object}}, image/png: {}}}}}}
`)
	rows := []struct {
		path, header, asked string // the request's header lines, and what the upstream gets in enforce
		unjudged            bool   // in shadow
	}{
		{"/user", "", "identity|", false},
		{"/user", "Accept-Encoding: gzip", "gzip|", false},
		{"/user", "Accept-Encoding: gzip, deflate, br, zstd", "gzip, deflate|", true},
		{"/user", "Accept-Encoding: br\nAccept-Encoding: zstd;q=0.5", "identity|", true},
		{"/user", "Accept-Encoding: br\nAccept-Encoding: gzip;q=0.5", "gzip;q=0.5|", true},
		{"/user", "Range: bytes=0-3", "identity|", true},
		{"/user", "Accept-Encoding: identity\nRange: bytes=0-3", "identity|", true},
		{"/either", "Range: bytes=0-3", "identity|", true},
		{"/photo", "Range: bytes=0-3", "|bytes=0-3", false},
	}
	for _, mode := range []string{"enforce", "shadow"} {
		t.Run(mode, func(t *testing.T) {
			up := gateway.NewUpstream(t)
			up.Handler = negotiator
			g := gateway.RunBefore(t, up, "--spec", spec, "--mode", mode)
			unjudged := 0.0
			for _, p := range protocols {
				plain := p.client.Transport.(*http.Transport).Clone()
				plain.DisableCompression = true // or it asks for gzip where the test does not
				client := &http.Client{Transport: plain}
				defer client.CloseIdleConnections()
				for _, row := range rows {
					request := gateway.Request(t, "GET", g.URL(row.path), "")
					asked := http.Header{}
					for line := range strings.Lines(row.header) {
						name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
						request.Header.Add(name, value)
						asked.Add(name, value)
					}
					want := row.asked
					if mode == "shadow" {
						want = strings.Join(asked.Values("Accept-Encoding"), ", ") + "|" + asked.Get("Range")
						if row.unjudged {
							unjudged++
						}
					}
					response, err := client.Do(request)
					if err != nil {
						t.Fatal(err)
					}
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
					status := http.StatusOK
					if strings.HasSuffix(want, "|bytes=0-3") {
						status = http.StatusPartialContent
					}
					got := strings.ReplaceAll(response.Header.Get("X-Asked"), ",zstd", ", zstd") // lines that Envoy joins
					got = strings.ReplaceAll(got, ",gzip;q", ", gzip;q")
					if got != want || response.StatusCode != status {
						t.Errorf("%s, %s, %q: status %d, the upstream was asked for %q; want %d, %q", p.name, row.path, row.header, response.StatusCode, got, status, want)
					}
				}
			}
			all := float64(len(rows) * len(protocols))
			envoytest.Eventually(t, "every exchange is allowed", func() bool {
				return g.Metric("threatgate_requests_total", `decision="allowed"`) == all &&
					g.Metric("threatgate_violations_total") == unjudged &&
					g.Metric("threatgate_violations_total", `code="unjudged"`) == unjudged
			})
		})
	}
}
