package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/threatgate/threatgate/e2e/demo/shop"
)

// printGuide says what is running and what to try.
func printGuide(w io.Writer, at *layout) {
	fmt.Fprintf(w, "\nThe shop is open, and the gateway judges every request. All services are in shadow mode:\nviolations are counted and recorded, nothing is refused.\n\n")
	for _, s := range at.services {
		fmt.Fprintf(w, "  %-11s http://%s   (itself on %s)\n", s.name, s.listen, s.upstream)
	}
	fmt.Fprintf(w, "\nTry (tokens of alice, bob, carol and mallory, the forger, are in %s):\n", at.dir)
	for _, e := range shop.Examples() {
		fmt.Fprintf(w, "\n  # %s\n", e.Title)
		if e.Shadow == e.Enforce {
			fmt.Fprintf(w, "  # in both modes %s\n", e.Shadow)
		} else {
			fmt.Fprintf(w, "  # shadow %s; enforce %s\n", e.Shadow, e.Enforce)
		}
		fmt.Fprintf(w, "  %s\n", curl(e, at))
	}
	command := func(name string) string {
		return fmt.Sprintf("%s %s --admin %s --token-file %s", at.threatgate, name, at.admin, at.adminToken)
	}
	fmt.Fprintf(w, `
Enforce, and try again:  %s enforce
  one service:           %s --api orders enforce
  back again:            %s shadow
Watch violations:        %s
See the findings:        %s check --model %s
Metrics:                 http://%s/metrics
                         http://%s/stats/prometheus (Envoy's own)
Logs:                    %s, %s
Threat model:            %s

Ctrl-C stops everything.
`, command("mode"), command("mode"), command("mode"), command("tail"), at.threatgate, at.model,
		at.admin, at.envoyAdmin, at.log("threatgate"), at.log("envoy"), at.model)
}

// curl is the example as a command line.
func curl(e shop.Example, at *layout) string {
	args := []string{"curl", "-si"}
	if e.Repeat > 0 {
		args = []string{"curl", "-s", "-o", "/dev/null", "-w", `'%{http_code}\n'`}
	}
	switch {
	case e.Method == "GET", e.Method == "POST" && e.Body != "":
	default:
		args = append(args, "-X", e.Method)
	}
	if e.As != "" {
		args = append(args, "-H", "@"+filepath.Join(at.dir, e.As))
	}
	if e.Header != "" {
		args = append(args, "-H", quote(e.Header))
	}
	url := "http://" + at.service(e.Service).listen + e.Target
	if strings.ContainsAny(url, "?&") {
		url = quote(url)
	}
	args = append(args, url)
	if e.Body != "" {
		args = append(args, "-H", "Content-Type:application/json", "-d", quote(e.Body))
	}
	line := strings.Join(args, " ")
	if e.Repeat > 0 {
		line = fmt.Sprintf("for i in $(seq %d); do %s; done", e.Repeat, line)
	}
	return line
}

// quote is s as one word of a shell (POSIX shell language section 2.2.2).
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
