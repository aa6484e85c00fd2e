package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

// TestSignals ends "threatgate run" under load, and looks for what is left.
func TestSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			spec := saved(t, "orders.yaml", orders())
			s := newSite(t)
			temp := envoytest.Directory(t)
			t.Setenv("TMPDIR", temp)
			g := s.run("--spec", spec, "--mode", "enforce", "--state", "")
			pid := g.Envoy().PID()

			second := gateway.Start(t, func(line string) { t.Errorf("the second: %s", line) },
				"run", "--spec", spec, "--upstream", s.upstream.URL, "--listen", s.listen,
				"--admin", gateway.FreeAddress(t), "--token-file", filepath.Join(temp, "second"), "--wasm", s.wasm)
			expectEnd(t, second, 1)
			if want := "threatgate: another threatgate is running the gateway on " + s.listen + "\n"; !strings.HasSuffix(second.Stderr(), want) {
				t.Errorf("the second: %s\nwant %s", second.Stderr(), want)
			}

			startLoad(t, g.URL(""), valid...).End(50)
			if err := syscall.Kill(g.PID(), signal); err != nil {
				t.Fatal(err)
			}
			expectEnd(t, g.Process, 0)
			if !gone(pid) {
				t.Errorf("Envoy (pid %d) is left running", pid)
			}
			if left, err := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 || err != nil {
				t.Errorf("left in the temporary directory: %v %v", left, err)
			}
			if _, err := os.Stat(s.tokenFile); !os.IsNotExist(err) {
				t.Errorf("the token is left: %v", err)
			}
			for _, address := range []string{s.listen, s.admin} {
				if listening(address) {
					t.Errorf("something still listens on %s", address)
				}
			}
		})
	}
}

// TestSignalBeforeReady ends "threatgate run" while its Envoy starts.
func TestSignalBeforeReady(t *testing.T) {
	spec := saved(t, "orders.yaml", orders())
	s := newSite(t)
	temp := envoytest.Directory(t)
	t.Setenv("TMPDIR", temp)
	p := gateway.Start(t, func(line string) { t.Errorf("stdout: %s", line) },
		"run", "--spec", spec, "--upstream", s.upstream.URL, "--listen", s.listen, "--admin", s.admin,
		"--token-file", s.tokenFile, "--wasm", s.wasm)
	pid := 0
	eventually(t, "Envoy has a process", func() bool {
		text, _ := os.ReadFile(filepath.Join(gateway.Directory(s.listen), "envoy.pid"))
		n, _ := fmt.Sscan(string(text), &pid)
		return n == 1
	})
	start := time.Now()
	if err := syscall.Kill(p.PID(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, p, 0)
	t.Logf("it took %v to end", time.Since(start).Round(time.Millisecond))
	if left, err := filepath.Glob(filepath.Join(temp, "*")); !gone(pid) || len(left) > 0 || err != nil {
		t.Errorf("left behind: Envoy %t, files %v %v", !gone(pid), left, err)
	}
}

// TestAdminIsLocked asks a real control plane, as a web page or another user
// of the machine could.
func TestAdminIsLocked(t *testing.T) {
	s := newSite(t)
	s.serve("--spec", saved(t, "orders.yaml", orders()), "--upstream", s.upstream.URL, "--listen", s.listen)
	info, err := os.Stat(s.tokenFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v %v, want mode 0600", info.Mode(), err)
	}
	text, err := os.ReadFile(s.tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	token := "Authorization: Bearer " + strings.TrimSpace(string(text))
	foreign := "Origin: http://evil.example"
	for _, row := range []struct {
		method, path, host string
		header             []string
		want               int
	}{
		{"GET", "/healthz", "", nil, 200},
		{"GET", "/metrics", "", nil, 200},
		{"GET", "/metrics", "localhost", nil, 200},
		{"GET", "/metrics", "evil.example", nil, 403},
		{"GET", "/healthz", "", []string{foreign}, 403},
		{"GET", "/v1/status", "", nil, 401},
		{"GET", "/v1/status", "", []string{token}, 200},
		{"GET", "/v1/status", "", []string{"Authorization: Bearer guess"}, 401},
		{"GET", "/v1/status", "evil.example", []string{token}, 403},
		{"GET", "/v1/status", "127.0.0.1.evil.example", []string{token}, 403},
		{"GET", "/v1/status", "", []string{token, foreign}, 403},
		{"GET", "/v1/status", "", []string{token, "Origin: null"}, 403},
		{"GET", "/v1/status", "", []string{token, "Origin: http://" + s.admin}, 200},
		{"GET", "/v1/violations", "", nil, 401},
		{"PUT", "/v1/modes", "", nil, 401},
		{"PUT", "/v1/modes", "", []string{token, foreign}, 403},
		{"PUT", "/v1/modes", "", []string{token, "Content-Type: text/plain"}, 400},
		{"PUT", "/v1/modes", "", []string{token}, 200},
		{"POST", "/v1/modes", "", []string{token}, 405},
		{"GET", "/debug/pprof/", "", nil, 401},
		{"GET", "/debug/pprof/", "", []string{token}, 404},
	} {
		body := ""
		if row.method != "GET" {
			body = `{"mode":"enforce"}`
		}
		request := gateway.Request(t, row.method, "http://"+s.admin+row.path, body, row.header...)
		if row.host != "" {
			request.Host = row.host
		}
		if got := gateway.Do(t, gateway.Client, request); got.Status != row.want {
			t.Errorf("%s %s, host %q, %q: %d, want %d: %s", row.method, row.path, row.host, row.header, got.Status, row.want, got.Body)
		}
	}
}

// TestMutualTLS connects Envoys to a control plane: one whose certificate it
// knows, one with another, one with none.
func TestMutualTLS(t *testing.T) {
	s := newSite(t)
	ownCertificate, ownKey := envoytest.Certificate(t, "control.example")
	nodeCertificate, nodeKey := envoytest.Certificate(t, "node.example")
	strangeCertificate, strangeKey := envoytest.Certificate(t, "node.example")
	g := s.serve("--spec", saved(t, "orders.yaml", orders()), "--upstream", s.upstream.URL, "--listen", s.listen, "--mode", "enforce",
		"--tls-cert", ownCertificate, "--tls-key", ownKey, "--tls-client-ca", nodeCertificate)

	trust := []string{"--tls-ca", ownCertificate, "--tls-server-name", "control.example"}
	for name, args := range map[string][]string{
		"another's certificate":        append([]string{"--tls-cert", strangeCertificate, "--tls-key", strangeKey}, trust...),
		"no TLS":                       nil,
		"the control plane is another": {"--tls-cert", nodeCertificate, "--tls-key", nodeKey, "--tls-ca", ownCertificate, "--tls-server-name", "other.example"},
	} {
		t.Run(name, func(t *testing.T) {
			envoy := s.envoy(t, args...)
			eventually(t, "it has tried again and again", func() bool {
				return attempts(envoy) >= 3
			})
			if nodes := status(t, g.Admin, g.TokenFile).Nodes; len(nodes) > 0 {
				t.Errorf("it is connected: %+v", nodes)
			}
			if listening(s.listen) {
				t.Error("it listens")
			}
			syscall.Kill(envoy.PID(), syscall.SIGKILL) // it would take its time
		})
	}
	t.Run("a node's certificate", func(t *testing.T) {
		s.envoy(t, append([]string{"--tls-cert", nodeCertificate, "--tls-key", nodeKey}, trust...)...)
		awaitListening(t, s.listen)
		for _, c := range []call{valid[0], invalid[0]} {
			if got := gateway.Do(t, gateway.Client, gateway.Request(t, c.method, g.URL(c.path), "")); got.Status != c.status {
				t.Errorf("GET %s: %d, want %d", c.path, got.Status, c.status)
			}
		}
		envoytest.Eventually(t, "the node has accepted the policy", func() bool {
			nodes := status(t, g.Admin, g.TokenFile).Nodes
			return len(nodes) == 1 && nodes[0].APIs[0].State == "acked"
		})
	})
}

// attempts counts an Envoy's connections to its control plane so far, such
// as came to nothing among them.
func attempts(envoy *envoytest.Envoy) (n int) {
	_, value, _ := strings.Cut(envoy.Admin(`/stats?filter=^cluster\.threatgate_control_plane\.upstream_cx_total$`), ": ")
	fmt.Sscan(value, &n)
	return n
}

// TestEnvoyFirst starts an Envoy before there is a control plane, and one
// beside a control plane whose filter is none. No request passes unjudged.
func TestEnvoyFirst(t *testing.T) {
	spec := saved(t, "orders.yaml", orders())
	t.Run("no control plane yet", func(t *testing.T) {
		s := newSite(t)
		envoy := s.envoy(t)
		eventually(t, "it has looked for its control plane", func() bool {
			return attempts(envoy) >= 2
		})
		if listening(s.listen) {
			t.Error("it listens without a policy")
		}
		s.serve("--spec", spec, "--upstream", s.upstream.URL, "--listen", s.listen, "--mode", "enforce")
		s.firstAnswer(404)
	})
	t.Run("a filter that is none", func(t *testing.T) {
		s := newSite(t)
		s.wasm = saved(t, "threatgate.wasm", "\x00asm\x01\x00\x00\x00")
		g := s.serve("--spec", spec, "--upstream", s.upstream.URL, "--listen", s.listen, "--mode", "enforce")
		s.envoy(t)
		eventually(t, "the filter is refused", func() bool {
			nodes := status(t, g.Admin, g.TokenFile).Nodes
			return len(nodes) == 1 && nodes[0].APIs[0].State == "refused"
		})
		// Envoy opens a listener whose filter was refused, and lets nobody in.
		awaitListening(t, s.listen)
		a := gateway.Do(t, gateway.Client, gateway.Request(t, "GET", g.URL("/orders"), ""))
		if arrived := s.upstream.Take(); a.Status != 500 || len(arrived) > 0 {
			t.Errorf("without a filter: %d %s; %d requests arrived", a.Status, a.Body, len(arrived))
		}
	})
}

// firstAnswer waits for an answer to a request that is not in the
// specification, of whatever kind, and checks its status.
func (s *site) firstAnswer(want int) {
	s.t.Helper()
	eventually(s.t, "the gateway answers", func() bool {
		response, err := http.Get("http://" + s.listen + "/nowhere")
		if err != nil {
			return false
		}
		response.Body.Close()
		if response.StatusCode != want {
			s.t.Errorf("the first answer is %d, want %d", response.StatusCode, want)
		}
		return true
	})
}

// TestFilterFileGoes takes the filter's file away from a gateway, or makes it
// another. What is judged stays judged; with the file back, changes are taken.
func TestFilterFileGoes(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(gateway.Binaries(t), "threatgate.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.wasm = saved(t, "threatgate.wasm", string(module))
	spec := saved(t, "orders.yaml", orders())
	g := s.run("--spec", spec, "--mode", "enforce")
	all := workers(t, g.Envoy(), g.Listen, 2)
	load := startLoad(t, g.URL(""), append(valid, invalid...)...)
	for i, row := range []struct {
		name string
		harm func() error
	}{
		{"gone", func() error { return os.Remove(s.wasm) }},
		{"half", func() error { return os.WriteFile(s.wasm, module[:len(module)/2], 0o600) }},
		{"empty", func() error { return os.WriteFile(s.wasm, nil, 0o600) }},
	} {
		before := status(t, g.Admin, g.TokenFile).APIs[0].Revision
		if err := row.harm(); err != nil {
			t.Fatal(err)
		}
		save(t, spec, orders("/"+row.name))
		var state string
		eventually(t, row.name+": the change is taken or refused", func() bool {
			now := status(t, g.Admin, g.TokenFile)
			state = now.Nodes[0].APIs[0].State
			return now.APIs[0].Revision != before && state != "pending"
		})
		t.Logf("%s: the change is %s", row.name, state)
		load.more(100)
		save(t, s.wasm, string(module))
		back := "/back" + strings.Repeat("x", i)
		save(t, spec, orders(back))
		await(t, all, back, 200)
	}
	load.End(500)
}

// TestUpstreamDown is about requests that are in order and reach nobody.
func TestUpstreamDown(t *testing.T) {
	nobody := &gateway.Upstream{URL: "http://" + gateway.FreeAddress(t)}
	g := gateway.RunBefore(t, nobody, "--spec", saved(t, "orders.yaml", orders()))
	for i, mode := range []string{"shadow", "enforce"} {
		g.Command("mode", mode)
		for _, c := range valid {
			a := gateway.Do(t, gateway.Client, gateway.Request(t, c.method, g.URL(c.path), c.body))
			if a.Status != 503 || a.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("%s, %s %s: %d %s: %s", mode, c.method, c.path, a.Status, a.Header.Get("Content-Type"), a.Body)
			}
		}
		envoytest.Eventually(t, "they are counted as allowed", func() bool {
			return g.Metric("threatgate_requests_total", `decision="allowed"`) == float64((i+1)*len(valid))
		})
	}
	if n := g.Metric("threatgate_violations_total") + g.Metric("threatgate_envoy_refusals_total"); n != 0 {
		t.Errorf("%v violations and refusals were counted", n)
	}
}
