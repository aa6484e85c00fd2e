package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/gateway"
)

// endless is n times the text.
func endless(text string, n int) io.Reader {
	readers := make([]io.Reader, 0, 1+n/1000)
	block := strings.Repeat(text, 1000)
	for ; n >= 1000; n -= 1000 {
		readers = append(readers, strings.NewReader(block))
	}
	return io.MultiReader(append(readers, strings.NewReader(strings.Repeat(text, n)))...)
}

// around is an order whose note is what is inside, of n bytes.
func around(n int, inside io.Reader) (int, io.Reader) {
	const before, after = `{"item":"pen","note":`, `}`
	return len(before) + n + len(after), io.MultiReader(strings.NewReader(before), inside, strings.NewReader(after))
}

// large is an order of 100 MB.
func large() (int, io.Reader) {
	const n = 100_000_000
	return around(n+2, io.MultiReader(strings.NewReader(`"`), endless("x", n), strings.NewReader(`"`)))
}

// TestHugeRequests sends what is far over every limit, in both modes: it is
// answered in order, and costs no memory.
func TestHugeRequests(t *testing.T) {
	const deep = 100_000
	rows := []struct {
		name            string
		head            func() string           // the request line's target and more header lines
		body            func() (int, io.Reader) // nil: none
		chunked         bool
		enforce, shadow string // status and type of the problem
	}{
		{
			name:    "100 MB body",
			body:    large,
			enforce: "413 urn:threatgate:validation:body-size", shadow: "200",
		},
		{
			name:    "100 MB body in chunks",
			body:    large,
			chunked: true,
			enforce: "413 urn:threatgate:validation:body-size", shadow: "200",
		},
		{
			name:    "JSON 100,000 deep",
			body:    func() (int, io.Reader) { return around(2*deep, io.MultiReader(endless("[", deep), endless("]", deep))) },
			enforce: "400 urn:threatgate:validation:depth", shadow: "200",
		},
		{
			name:    "JSON 100,000 deep, never closed",
			body:    func() (int, io.Reader) { return around(deep, endless(`[`, deep)) },
			enforce: "400 urn:threatgate:validation:depth", shadow: "200",
		},
		{
			name: "10,000 headers",
			head: func() string {
				var lines strings.Builder
				for i := range 10_000 {
					fmt.Fprintf(&lines, "X-%d: y\r\n", i)
				}
				return "/orders HTTP/1.1\r\n" + lines.String()
			},
			enforce: "431 urn:threatgate:envoy:http1.headers_too_large", shadow: "431 urn:threatgate:envoy:http1.headers_too_large",
		},
		{
			name:    "1,000 small headers",
			head:    func() string { return "/orders HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 1000) },
			enforce: "431 urn:threatgate:envoy:http1.too_many_headers", shadow: "431 urn:threatgate:envoy:http1.too_many_headers",
		},
		{
			name:    "1 MB target",
			head:    func() string { return "/orders?limit=" + strings.Repeat("1", 1<<20) + " HTTP/1.1\r\n" },
			enforce: "431 urn:threatgate:envoy:http1.headers_too_large", shadow: "431 urn:threatgate:envoy:http1.headers_too_large",
		},
		{
			name:    "1 MB header",
			head:    func() string { return "/orders HTTP/1.1\r\nX-Large: " + strings.Repeat("y", 1<<20) + "\r\n" },
			enforce: "431 urn:threatgate:envoy:http1.headers_too_large", shadow: "431 urn:threatgate:envoy:http1.headers_too_large",
		},
	}
	g := gateway.Run(t, "--spec", saved(t, "orders.yaml", orders()), "--concurrency", "2")
	g.Upstream.Handler = func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }
	envoy := g.Envoy()
	for _, mode := range []string{"shadow", "enforce"} {
		g.Command("mode", mode)
		startLoad(t, g.URL(""), valid...).End(50)
		before := envoy.Resident()
		for _, row := range rows {
			want := row.shadow
			if mode == "enforce" {
				want = row.enforce
			}
			head := "/orders HTTP/1.1\r\n"
			if row.head != nil {
				head = row.head()
			}
			for range 3 {
				if got := sendHuge(t, g.Listen, head, row.body, row.chunked); got != want {
					t.Errorf("%s, %s: %s, want %s", mode, row.name, got, want)
				}
			}
		}
		_, body := large()
		request := gateway.Request(t, "POST", g.URL("/orders"), "", "Content-Type: application/json")
		request.Body = io.NopCloser(body)
		if a, want := gateway.Do(t, gateway.H2, request), map[string]int{"shadow": 200, "enforce": 413}[mode]; a.Status != want {
			t.Errorf("%s, 100 MB body by HTTP/2: %d, want %d: %s", mode, a.Status, want, a.Body)
		}
		growth := envoy.Resident() - before
		t.Logf("%s: %d huge requests, Envoy's resident memory was %d MB and grew by %.1f MB", mode, 3*len(rows)+1, before>>20, float64(growth)/(1<<20))
		if growth >= maxGrowth {
			t.Errorf("%s: Envoy's resident memory grew by %d bytes", mode, growth)
		}
		startLoad(t, g.URL(""), valid...).End(50)
	}
}

// sendHuge sends a request and returns the answer's status and problem. It
// reads while it writes: the answer may come before the request is sent.
func sendHuge(t *testing.T, address, head string, body func() (int, io.Reader), chunked bool) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	method, size, content := "GET", 0, io.Reader(nil)
	framing := ""
	if body != nil {
		method = "POST"
		size, content = body()
		framing = fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", size)
		if chunked {
			framing = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
		}
	}
	go func() {
		out := bufio.NewWriterSize(conn, 64<<10)
		fmt.Fprintf(out, "%s %sHost: %s\r\n%s\r\n", method, head, address, framing)
		switch {
		case chunked:
			chunks := httputil.NewChunkedWriter(out)
			io.Copy(chunks, content)
			chunks.Close()
			io.WriteString(out, "\r\n")
		case content != nil:
			io.Copy(out, content)
		}
		out.Flush() // fails once the gateway has had enough
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	got := fmt.Sprint(response.StatusCode)
	if bytes.HasPrefix(text, []byte("{")) {
		var problem gateway.Problem
		if err := json.Unmarshal(text, &problem); err != nil {
			return err.Error()
		}
		got += " " + problem.Type
	}
	return got
}
