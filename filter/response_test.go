//go:build !wasip1

package main_test

import (
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/threatgate/threatgate/internal/violation"
)

// listing begins a request whose response is to come.
func listing(t *testing.T, mode violation.Mode) (host proxytest.HostEmulator, id uint32) {
	t.Helper()
	host, _ = start(t, bundle(t, mode))
	id = host.InitializeHttpContext()
	if action := host.CallOnRequestHeaders(id, headers("GET", "/orders"), true); action != types.ActionContinue {
		t.Fatalf("request: action %d", action)
	}
	return host, id
}

func TestEnforceHoldsResponses(t *testing.T) {
	host, id := listing(t, violation.Enforce)
	if action := host.CallOnResponseHeaders(id, [][2]string{{":status", "200"}, typed}, false); action != types.ActionPause {
		t.Errorf("headers: action %d, want pause", action)
	}
	if action := host.CallOnResponseBody(id, []byte(`["a",`), false); action != types.ActionPause {
		t.Errorf("first chunk: action %d, want pause", action)
	}
	if action := host.CallOnResponseBody(id, []byte(`"b"]`), true); action != types.ActionContinue {
		t.Errorf("last chunk: action %d, want continue", action)
	}
	if r := host.GetSentLocalResponse(id); r != nil {
		t.Errorf("answered %d %s", r.StatusCode, r.Data)
	}
}

func TestEnforceReplacesResponses(t *testing.T) {
	for _, row := range []struct {
		name, status, body, details string
	}{
		{"body", "200", `["a",1`, "threatgate:response-body:validation:type"},
		{"status", "201", `[]`, "threatgate:response:validation:status"},
	} {
		t.Run(row.name, func(t *testing.T) {
			host, id := listing(t, violation.Enforce)
			if host.CallOnResponseHeaders(id, [][2]string{{":status", row.status}, typed}, false); host.GetSentLocalResponse(id) == nil {
				host.CallOnResponseBody(id, []byte(row.body), false)
				host.CallOnResponseTrailers(id, [][2]string{{"x", "y"}})
			}
			if r := host.GetSentLocalResponse(id); r == nil || r.StatusCode != 502 || r.StatusCodeDetail != row.details {
				t.Errorf("answer %+v, want 502 for %s", r, row.details)
			}
		})
	}
}

func TestShadowNeverPausesResponses(t *testing.T) {
	host, id := listing(t, violation.Shadow)
	if action := host.CallOnResponseHeaders(id, [][2]string{{":status", "200"}, typed}, false); action != types.ActionContinue {
		t.Errorf("headers: action %d", action)
	}
	for i, chunk := range []string{`[1,`, `2`, `]`} {
		if action := host.CallOnResponseBody(id, []byte(chunk), i == 2); action != types.ActionContinue {
			t.Errorf("chunk %d: action %d", i, action)
		}
	}
	if r := host.GetSentLocalResponse(id); r != nil {
		t.Errorf("answered %d", r.StatusCode)
	}
}

// The filter's own answer passes the filter.
func TestOwnAnswersAreNotJudged(t *testing.T) {
	host, _ := start(t, bundle(t, violation.Enforce))
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, headers("PUT", "/orders"), true)
	if r := host.GetSentLocalResponse(id); r == nil || r.StatusCode != 405 {
		t.Fatalf("answer %+v", r)
	}
	if action := host.CallOnResponseHeaders(id, [][2]string{{":status", "405"}}, false); action != types.ActionContinue {
		t.Errorf("headers: action %d, want continue", action)
	}
	if action := host.CallOnResponseBody(id, []byte("{}"), true); action != types.ActionContinue {
		t.Errorf("body: action %d, want continue", action)
	}
}
