package e2e_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/gateway"
)

// wire is an HTTP/1.1 connection on which a test writes what no client
// library would.
type wire struct {
	t      testing.TB
	conn   net.Conn
	reader *bufio.Reader
}

// dial connects to a gateway.
func dial(t testing.TB, g *gateway.Gateway) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", g.Listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &wire{t, conn, bufio.NewReader(conn)}
}

// head is the start of a request.
func head(line string, header ...string) string {
	return line + " HTTP/1.1\r\nHost: gateway.test\r\n" + strings.Join(append(header, "", ""), "\r\n")
}

// chunk is a chunk of a body (RFC 9112 section 7.1); an empty one is the last.
func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// write sends each part by itself. An answer may end the connection before
// all is sent.
func (w *wire) write(parts ...string) {
	for _, p := range parts {
		if _, err := io.WriteString(w.conn, p); err != nil {
			return
		}
	}
}

// answer reads the answer to a request with this method.
func (w *wire) answer(method string) gateway.Answer {
	w.t.Helper()
	response, err := http.ReadResponse(w.reader, &http.Request{Method: method})
	if err != nil {
		w.t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatalf("answer %d breaks off: %v", response.StatusCode, err)
	}
	a := gateway.Answer{Status: response.StatusCode, Header: response.Header, Body: body}
	if response.Close {
		a.Header.Set("Connection", "close")
	}
	if a.Header.Get("Content-Type") == "application/problem+json" && len(body) > 0 {
		if err := json.Unmarshal(body, &a.Problem); err != nil {
			w.t.Fatalf("problem details are not JSON: %v\n%s", err, body)
		}
	}
	return a
}

// expectEnd checks that the gateway closes the connection, be it with a
// reset for what it has not read, and sends nothing more.
func (w *wire) expectEnd() {
	w.t.Helper()
	if rest, err := io.ReadAll(w.reader); err != nil && !errors.Is(err, syscall.ECONNRESET) || len(rest) > 0 {
		w.t.Errorf("after the end: %q, %v", rest, err)
	}
}

// streamed sends a request whose body is written part by part, and after it
// the trailers, over a client's connection.
func streamed(t testing.TB, client *http.Client, g *gateway.Gateway, line string, trailer http.Header, parts ...string) gateway.Answer {
	t.Helper()
	return <-startStream(t, client, g, line, trailer, func(body io.Writer) {
		for _, p := range parts {
			io.WriteString(body, p) // fails once the request is rejected
		}
	})
}

// startStream is streamed, with the parts written by a function of its own.
func startStream(t testing.TB, client *http.Client, g *gateway.Gateway, line string, trailer http.Header, write func(io.Writer)) <-chan gateway.Answer {
	t.Helper()
	method, target, _ := strings.Cut(line, " ")
	request := gateway.Request(t, method, g.URL(target), "", "Content-Type: application/json")
	reader, writer := io.Pipe()
	request.Body, request.ContentLength = reader, -1
	if trailer != nil {
		request.Trailer = http.Header{}
		for name := range trailer {
			request.Trailer[name] = nil
		}
	}
	go func() {
		write(writer)
		for name, values := range trailer {
			request.Trailer[name] = values
		}
		writer.Close()
	}()
	answers := make(chan gateway.Answer, 1)
	go func() { answers <- gateway.Do(t, client, request) }()
	return answers
}
