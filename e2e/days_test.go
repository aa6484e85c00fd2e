package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

// broken is a specification with a mistake, which is in line 2, column 8.
const broken = "openapi: 3.0.3\npaths: 7\n"

// TestKilledControlPlane kills the control plane under load, twice: once it
// comes back to what it left, once to a specification with a mistake. The
// modes are those that were set while it ran.
func TestKilledControlPlane(t *testing.T) {
	t.Run("run", func(t *testing.T) {
		s := newSite(t)
		spec := saved(t, "orders.yaml", orders())
		g := testKills(t, spec, func() (*gateway.Gateway, *envoytest.Envoy) {
			g := s.run("--spec", spec, "--mode", "shadow", "--state", "") // which Envoy's directory has
			return g, g.Envoy()
		})
		envoytest.Eventually(t, "Envoy is adopted", func() bool {
			return strings.Contains(g.Stderr(), "adopted the Envoy that was left running")
		})
		envoy := g.Envoy()
		g.Stop()
		expectEnd(t, g.Process, 0)
		if !gone(envoy.PID()) {
			t.Error("Envoy is left running")
		}
		if _, err := os.Stat(gateway.Directory(s.listen)); !os.IsNotExist(err) {
			t.Errorf("the directory is left: %v", err)
		}
	})
	t.Run("serve", func(t *testing.T) {
		s := newSite(t)
		spec := saved(t, "orders.yaml", orders())
		var envoy *envoytest.Envoy
		testKills(t, spec, func() (*gateway.Gateway, *envoytest.Envoy) {
			g := s.serve("--spec", spec, "--upstream", s.upstream.URL, "--listen", s.listen, "--mode", "shadow")
			if envoy == nil {
				envoy = s.envoy(t)
				awaitListening(t, s.listen)
			}
			return g, envoy
		})
	})
}

// testKills starts and kills control planes, and returns the last.
func testKills(t *testing.T, spec string, start func() (*gateway.Gateway, *envoytest.Envoy)) *gateway.Gateway {
	g, envoy := start()
	all := workers(t, envoy, g.Listen, 2)
	g.Command("mode", "enforce")
	await(t, all, "/nowhere", 404)
	load := startLoad(t, g.URL(""), append(valid, invalid...)...)

	g.Kill()
	load.more(200)
	restarted := time.Now()
	g, next := start()
	ready := time.Since(restarted)
	if next.PID() != envoy.PID() {
		t.Errorf("Envoy is another: pid %d, then %d", envoy.PID(), next.PID())
	}
	save(t, spec, orders("/new"))
	change := time.Now()
	await(t, all, "/new", 200)
	t.Logf("ready %v after the restart, a change enforced after another %v", ready.Round(time.Millisecond), time.Since(change).Round(time.Millisecond))
	if took := time.Since(restarted); took > 5*time.Second {
		t.Errorf("from the restart to a change enforced: %v, want 5 s at most", took)
	}

	g.Kill()
	save(t, spec, broken)
	load.more(200)
	g, _ = start()
	want := spec + ":2:8: "
	envoytest.Eventually(t, "the break is on stderr, with its place", func() bool { return strings.Contains(g.Stderr(), want) })
	envoytest.Eventually(t, "the node is back", func() bool {
		now := status(t, g.Admin, g.TokenFile)
		return slices.ContainsFunc(now.Problems, func(p string) bool { return strings.HasPrefix(p, want) }) &&
			now.APIs[0].Mode == "enforce" && len(now.Nodes) == 1 && now.Nodes[0].APIs[0].State == "acked"
	})
	for _, w := range all {
		if new, nowhere := w.get("/new"), w.get("/nowhere"); new != 200 || nowhere != 404 {
			t.Errorf("verdicts with the broken specification: %d %d, want 200 404", new, nowhere)
		}
	}
	save(t, spec, orders("/mended"))
	await(t, all, "/mended", 200)
	await(t, all, "/new", 404)
	load.End(500)
	if problems := status(t, g.Admin, g.TokenFile).Problems; len(problems) > 0 {
		t.Errorf("problems after the repair: %q", problems)
	}
	return g
}

// modelOf is a model of two services, each with a line of its own that a row
// may break.
func modelOf(s *site, carts string, more ...string) string {
	upstream := strings.TrimPrefix(s.upstream.URL, "http://")
	return strings.Join(append([]string{
		"apiVersion: threatgate.dev/v1alpha1",
		"kind: ThreatModel",
		"metadata: {name: shop}",
		"spec:",
		"  services:",
		`    - {id: orders, mode: enforce, specs: [{file: orders.yaml}], upstream: "` + upstream + `", listen: "` + s.listen + `"}`,
		`    - {id: carts, mode: enforce, specs: [{file: carts.yaml}], upstream: "` + upstream + `", listen: "` + carts + `"}`,
	}, more...), "\n") + "\n"
}

// TestBrokenInput breaks the input of a running control plane in one way
// after the other. What is broken changes nothing and is reported with its
// place, and what is repaired is taken.
func TestBrokenInput(t *testing.T) {
	s := newSite(t)
	dir := t.TempDir()
	carts := gateway.FreeAddress(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	save(t, file("orders.yaml"), orders())
	save(t, file("carts.yaml"), orders())
	save(t, file("shop.yaml"), modelOf(s, carts))
	g := s.serve("--model", file("shop.yaml"))
	envoy := s.envoy(t)
	awaitListening(t, s.listen)
	awaitListening(t, carts)
	all := append(workers(t, envoy, s.listen, 2), workers(t, envoy, carts, 2)...)
	await(t, all, "/orders", 200)
	load := startLoad(t, g.URL(""), append(valid, invalid...)...)

	model := modelOf(s, carts)
	rows := []struct {
		name, file string
		content    string // "": the file vanishes
		want       string // of a problem, after the directory
	}{
		{"a specification that is not one", "orders.yaml", broken, `orders\.yaml:2:8: `},
		{"a specification that is not YAML", "orders.yaml", "openapi: [\n", `orders\.yaml:1: `},
		{"half a specification", "carts.yaml", orders()[:300], `carts\.yaml:\d+:\d+: `},
		{"an empty specification", "carts.yaml", " ", `carts\.yaml: `},
		{"a specification that vanishes", "orders.yaml", "", `shop\.yaml:6:\d+: .*orders\.yaml|orders\.yaml: `},
		{"an unknown field", "shop.yaml", strings.Replace(model, "mode: enforce", "mood: enforce", 1), `shop\.yaml:6:\d+: .*mood`},
		{"two services on one address", "shop.yaml", strings.Replace(model, carts, s.listen, 1), `shop\.yaml:7:\d+: .*` + regexp.QuoteMeta(s.listen)},
		{"a flow to nowhere", "shop.yaml", modelOf(s, carts, "  flows:", "    - {id: f, from: orders, to: nobody}"), `shop\.yaml:9:\d+: .*nobody`},
		{"a service twice", "shop.yaml", strings.Replace(model, "id: carts", "id: orders", 1), `shop\.yaml:7:\d+: `},
		{"a model that is not YAML", "shop.yaml", "kind: [\n", `shop\.yaml:1: `},
		{"a model that vanishes", "shop.yaml", "", `shop\.yaml: `},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := file(row.file)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if row.content == "" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				save(t, path, row.content)
			}
			want := regexp.MustCompile(row.want)
			envoytest.Eventually(t, "the break is reported and logged, with "+row.want, func() bool {
				return slices.ContainsFunc(status(t, g.Admin, g.TokenFile).Problems, want.MatchString) && want.MatchString(g.Stderr())
			})
			for _, w := range all {
				if known, unknown := w.get("/orders"), w.get("/nowhere"); known != 200 || unknown != 404 {
					t.Errorf("verdicts on %s: %d %d, want 200 404", w.base, known, unknown)
				}
			}
			save(t, path, string(good))
			envoytest.Eventually(t, "the repair is taken", func() bool {
				return len(status(t, g.Admin, g.TokenFile).Problems) == 0
			})
		})
	}
	save(t, file("orders.yaml"), orders("/new"))
	await(t, all[:2], "/new", 200)

	// Taken out of the model, a service loses its listener; the other doesn't.
	orders, _, _ := strings.Cut(model, "    - {id: carts")
	save(t, file("shop.yaml"), orders)
	eventually(t, "nothing listens for carts", func() bool { return !listening(carts) })
	await(t, all[:2], "/new", 200)
	load.End(500)
	t.Logf("%d ways to break the input", len(rows))
	if nacks := g.Metric("threatgate_xds_nacks_total"); nacks != 0 {
		t.Errorf("%v resources were refused", nacks)
	}
}

// TestBadStart starts commands with what they can't work with.
func TestBadStart(t *testing.T) {
	s := newSite(t)
	good, bad := saved(t, "orders.yaml", orders()), saved(t, "orders.yaml", broken)
	save(t, filepath.Join(filepath.Dir(good), "carts.yaml"), orders())
	model := func(edit func(string) string) string {
		path := filepath.Join(filepath.Dir(good), "shop"+regexp.MustCompile(`\W`).ReplaceAllString(t.Name(), "")+time.Now().Format("150405.000000000")+".yaml")
		save(t, path, edit(modelOf(s, gateway.FreeAddress(t))))
		return path
	}
	unknown := model(func(m string) string { return strings.Replace(m, "mode: enforce", "mood: enforce", 1) })
	twice := model(func(m string) string { return strings.Replace(m, "id: carts", "id: orders", 1) })
	missing := filepath.Join(t.TempDir(), "missing")
	run := []string{"run", "--upstream", s.upstream.URL, "--listen", s.listen, "--admin", s.admin, "--token-file", s.tokenFile}
	serve := []string{"serve", "--xds", s.xds, "--admin", s.admin, "--token-file", s.tokenFile}
	rows := []struct {
		name   string
		args   []string
		code   int
		stderr string // how it begins
	}{
		{"run, broken specification", append(run, "--spec", bad), 3, bad + ":2:8: "},
		{"run, no such specification", append(run, "--spec", missing), 3, missing + ": no such file"},
		{"run, unknown field", append(run, "--model", unknown, "--spec", good), 3, unknown + ":6:"},
		{"serve, unknown field", append(serve, "--model", unknown), 3, unknown + ":6:"},
		{"serve, contradiction", append(serve, "--model", twice), 3, twice + ":7:"},
		{"serve, no such model", append(serve, "--model", missing), 3, missing + ": no such file"},
		{"run, no filter", append(run, "--spec", good, "--wasm", missing), 1, "threatgate: no filter: stat " + missing + ": no such file or directory"},
		{"run, unknown flag", append(run, "--spec", good, "--speed", "9"), 2, "threatgate: unknown flag: --speed"},
		{"run, unknown mode", append(run, "--spec", good, "--mode", "on"), 2, `threatgate: --mode: "on"`},
		{"serve, xDS for everybody", append(serve, "--spec", good, "--upstream", s.upstream.URL, "--listen", s.listen, "--xds", "0.0.0.0:18000"), 2, "threatgate: --xds: 0.0.0.0:18000 is not on loopback"},
		{"serve, admin for everybody", append(serve, "--spec", good, "--upstream", s.upstream.URL, "--listen", s.listen, "--admin", "0.0.0.0:9902"), 2, "threatgate: --admin: 0.0.0.0:9902 is not on loopback"},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			args := append(slices.Clone(row.args), "--state", filepath.Join(s.state, string(rune('a'+i))))
			if !slices.Contains(args, "--wasm") {
				args = append(args, "--wasm", s.wasm)
			}
			p := gateway.Start(t, func(line string) { t.Errorf("stdout: %s", line) }, args...)
			expectEnd(t, p, row.code)
			if !slices.ContainsFunc(strings.Split(p.Stderr(), "\n"), func(line string) bool { return strings.HasPrefix(line, row.stderr) }) {
				t.Errorf("stderr:\n%s\nwant a line that begins with %s", p.Stderr(), row.stderr)
			}
			if listening(s.listen) {
				t.Error("the gateway listens")
			}
		})
	}
	t.Logf("%d bad starts", len(rows))
}
