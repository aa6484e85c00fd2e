package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Admin asks an Envoy through its admin interface, on a Unix socket.
type Admin struct{ client http.Client }

// NewAdmin returns a client of the admin interface on socket.
func NewAdmin(socket string) *Admin {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Admin{http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 10 * time.Second}}
}

// Alive reports whether an Envoy answers.
func (a *Admin) Alive(ctx context.Context) bool {
	_, err := a.do(ctx, http.MethodGet, "/server_info")
	return err == nil
}

// Listening reports whether Envoy is ready, has an active listener on
// address ("host:port"), and the address accepts a connection.
func (a *Admin) Listening(ctx context.Context, address string) bool {
	if _, err := a.do(ctx, http.MethodGet, "/ready"); err != nil {
		return false
	}
	body, err := a.do(ctx, http.MethodGet, "/listeners?format=json")
	if err != nil {
		return false
	}
	var list struct {
		Statuses []struct {
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if json.Unmarshal(body, &list) != nil {
		return false
	}
	want, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return false
	}
	for _, s := range list.Statuses {
		if s.Local.Socket.Port == want.Port && want.IP.Equal(net.ParseIP(s.Local.Socket.Address)) {
			conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
			if err == nil {
				conn.Close()
			}
			return err == nil
		}
	}
	return false
}

// Drain makes Envoy close its listeners and returns when no request is left,
// or ctx is done.
func (a *Admin) Drain(ctx context.Context) error {
	for _, path := range []string{"/healthcheck/fail", "/drain_listeners"} {
		if _, err := a.do(ctx, http.MethodPost, path); err != nil {
			return err
		}
	}
	for {
		active, err := a.activeRequests(ctx)
		if err != nil || active == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// activeRequests counts the requests in flight, without the admin's own.
func (a *Admin) activeRequests(ctx context.Context) (int, error) {
	body, err := a.do(ctx, http.MethodGet, "/stats?filter="+url.QueryEscape(`^http\..*\.downstream_rq_active$`))
	if err != nil {
		return 0, err
	}
	total := 0
	for line := range strings.Lines(string(body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if n, err := strconv.Atoi(value); err == nil && name != "http.admin.downstream_rq_active" {
			total += n
		}
	}
	return total, nil
}

// Prometheus returns the stats whose Envoy name matches filter (RE2), in
// Prometheus' text format.
func (a *Admin) Prometheus(ctx context.Context, filter string) ([]byte, error) {
	return a.do(ctx, http.MethodGet, "/stats/prometheus?filter="+url.QueryEscape(filter))
}

func (a *Admin) do(ctx context.Context, method, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://envoy"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("envoy admin: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("envoy admin: %s %s: %s", method, path, response.Status)
	}
	return body, err
}
