package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

const (
	clients = 4                    // that load a gateway, each on a connection of its own
	pace    = 2 * time.Millisecond // between the requests of one client
)

// load is a constant stream of requests.
type load struct {
	t       testing.TB
	stop    chan struct{}
	ended   sync.WaitGroup
	sent    atomic.Int32
	drained atomic.Int32 // good answers after which the gateway closed the connection

	mu       sync.Mutex
	failures []string
}

// call is a request and the status that it must have.
type call struct {
	method, path, body string
	status             int
}

// startLoad sends the requests in turn until End.
func startLoad(t testing.TB, base string, requests ...call) *load {
	t.Helper()
	l := &load{t: t, stop: make(chan struct{})}
	for range clients {
		l.ended.Go(func() { l.client(base, requests) })
	}
	t.Cleanup(l.end)
	envoytest.Eventually(t, "load on the gateway", func() bool { return l.sent.Load() > 50 })
	return l
}

func (l *load) client(base string, requests []call) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := 0; ; i++ {
		r := requests[i%len(requests)]
		if err := l.send(client, base, r); err != nil {
			l.mu.Lock()
			l.failures = append(l.failures, time.Now().Format("05.000 ")+err.Error())
			l.mu.Unlock()
		}
		l.sent.Add(1)
		select {
		case <-tick.C:
		case <-l.stop:
			return
		}
	}
}

func (l *load) send(client *http.Client, base string, r call) error {
	var body io.Reader
	if r.body != "" {
		// Of a type that the client can't send a second time: it does not
		// hide a failure by trying again.
		body = io.MultiReader(strings.NewReader(r.body))
	}
	request, err := http.NewRequest(r.method, base+r.path, body)
	if err != nil {
		return err
	}
	if r.body != "" {
		request.ContentLength = int64(len(r.body))
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if response.Close && response.StatusCode < 300 {
		l.drained.Add(1)
	}
	if err == nil && response.StatusCode != r.status {
		err = fmt.Errorf("%s %s: status %d, want %d: %.200s", r.method, r.path, response.StatusCode, r.status, text)
	}
	return err
}

// more waits until n more requests are answered.
func (l *load) more(n int32) {
	l.t.Helper()
	from := l.sent.Load()
	eventually(l.t, "the load goes on", func() bool { return l.sent.Load() > from+n })
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.ended.Wait()
}

// End stops the load. It fails the test if a request failed, or there were
// fewer than floor.
func (l *load) End(floor int) {
	l.t.Helper()
	l.end()
	l.t.Logf("load: %d requests, %d failed, %d connections drained", l.sent.Load(), len(l.failures), l.drained.Load())
	if len(l.failures) > 0 {
		l.t.Errorf("requests failed:\n%s", strings.Join(l.failures[:min(10, len(l.failures))], "\n"))
	}
	if int(l.sent.Load()) < floor {
		l.t.Errorf("only %d requests, want at least %d", l.sent.Load(), floor)
	}
}

// worker is a connection to one of Envoy's worker threads, which keeps its
// connections. So what holds on one connection of each worker holds on all.
type worker struct {
	t      testing.TB
	client http.Client
	base   string
}

// workers connects to each worker thread of an Envoy that nobody else
// connects to meanwhile.
func workers(t testing.TB, envoy *envoytest.Envoy, listen string, n int) []*worker {
	t.Helper()
	var found []*worker
	have := map[int]bool{}
	for attempt := 0; len(found) < n; attempt++ {
		if attempt == 200 {
			t.Fatalf("of %d workers %d take connections", n, len(found))
		}
		before := accepted(envoy, listen)
		conn, err := net.Dial("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		var after []int
		envoytest.Eventually(t, "the connection is some worker's", func() bool {
			after = accepted(envoy, listen)
			return !slices.Equal(before, after)
		})
		id, more := 0, 0
		for i := range after {
			if len(before) < len(after) || after[i] != before[i] {
				id, more = i, more+1
			}
		}
		if more > 1 || have[id] {
			conn.Close()
			continue
		}
		have[id] = true
		found = append(found, newWorker(t, conn, "http://"+listen))
	}
	return found
}

func newWorker(t testing.TB, conn net.Conn, base string) *worker {
	var dialed atomic.Bool
	t.Cleanup(func() { conn.Close() })
	return &worker{t: t, base: base, client: http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			if dialed.Swap(true) {
				return nil, errors.New("the connection to the worker was closed")
			}
			return conn, nil
		}},
	}}
}

// accepted counts the connections of each worker so far.
func accepted(envoy *envoytest.Envoy, listen string) []int {
	var counts []int
	page := envoy.Admin(`/stats?filter=` + listen[strings.IndexByte(listen, ':')+1:] + `\.worker_\d%2B\.downstream_cx_total`)
	for line := range strings.Lines(page) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, err := strconv.Atoi(value)
		if err == nil {
			counts = append(counts, n)
		}
	}
	return counts
}

// get is the status of a GET request to the worker.
func (w *worker) get(path string) int {
	w.t.Helper()
	return gateway.Do(w.t, &w.client, gateway.Request(w.t, "GET", w.base+path, "")).Status
}

// await waits until every worker answers GET path with status.
func await(t testing.TB, all []*worker, path string, status int) {
	t.Helper()
	for _, w := range all {
		deadline := time.Now().Add(20 * time.Second)
		for got := w.get(path); got != status; got = w.get(path) {
			if time.Now().After(deadline) {
				t.Fatalf("GET %s: still %d after 20 s, want %d", path, got, status)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// median of some durations.
func median(d []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)/2]
}
