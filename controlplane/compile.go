package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/policy"
)

func (c *cli) compile() *cobra.Command {
	var input inputFlags
	var api, output string
	var explain bool
	cmd := &cobra.Command{
		Use:   "compile {--spec FILE | --model FILE} {-o BUNDLE | --explain}",
		Short: "Write what the filter judges by",
		Long: `Compile writes the policy bundle of one service, which is what the filter gets
from run and serve. What the specification says and the bundle does not enforce
is listed on stderr. The revision of a running gateway is another where its
upstream and address are not in the model, and where serve matches hosts.`,
		Example: `  threatgate compile --spec openapi.yaml -o openapi.bundle --explain
  threatgate compile --model shop.yaml --api orders -o orders.bundle`,
		Args: cobra.NoArgs,
	}
	input.add(cmd)
	cmd.Flags().StringVar(&api, "api", "", "`service` to compile, where the model has several")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write, - for stdout")
	cmd.Flags().BoolVar(&explain, "explain", false, "say on stdout what is in it")
	cmd.RunE = c.runs(func(*cobra.Command, []string) error {
		switch {
		case output == "" && !explain:
			return usagef("-o or --explain is needed")
		case output == "-" && explain:
			return usagef("-o - and --explain both write to stdout")
		}
		in, err := input.input()
		if err != nil {
			return err
		}
		out, err := c.compileOffline(in)
		if err != nil {
			return err
		}
		i, err := choose(out.Releases, api)
		if err != nil {
			return err
		}
		if output == "-" {
			_, err = c.stdout.Write(out.Releases[i].Bundle)
		} else if output != "" {
			err = writeFile(output, out.Releases[i].Bundle)
		}
		if err == nil && explain {
			explainRelease(c.stdout, out.Releases[i], out.Policies.Services[i])
		}
		return err
	})
	return cmd
}

// choose finds the release of the service api, or the only one.
func choose(releases []*compile.Release, api string) (int, error) {
	var names []string
	for i, r := range releases {
		if r.Service == api || api == "" && len(releases) == 1 {
			return i, nil
		}
		names = append(names, r.Service)
	}
	if api == "" {
		return 0, usagef("the model has several services, --api names one: %s", strings.Join(names, ", "))
	}
	return 0, usagef("--api: there is no service %q, only: %s", api, strings.Join(names, ", "))
}

// writeFile replaces a file in one step: who reads it sees the old or the new.
func writeFile(name string, data []byte) (err error) {
	defer func() {
		if cause := syscall.Errno(0); errors.As(err, &cause) {
			err = fmt.Errorf("%s: %w", name, cause) // and not the temporary file
		}
	}()
	temporary, err := os.CreateTemp(filepath.Dir(name), ".threatgate-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.Write(data); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Chmod(0o644); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}

// explainRelease lists a service's operations and what each is held to.
func explainRelease(w io.Writer, r *compile.Release, s *policy.Service) {
	fmt.Fprintf(w, "service %s, revision %s, %d bytes, mode %s\n", r.Service, r.Revision(), len(r.Bundle), s.Mode)
	fmt.Fprintf(w, "%d of %d operations can be enforced in all that their specification and the model say\n", r.Coverage.Operations.Full, r.Coverage.Operations.All)
	for i, o := range s.Operations {
		fmt.Fprintf(w, "\n%s %s%s (%s)\n  %s\n", o.Method, o.BasePaths[0], o.Path, o.Label, o.Operation.Operation.Pos)
		if _, partial := slices.BinarySearch(r.Partial, i); partial {
			fmt.Fprintf(w, "  not in all: the warnings say what is not enforced\n")
		}
		fmt.Fprintf(w, "  mode %s, failure %s, %s\n", o.Mode, o.Failure, bodies(o))
		if len(o.Token.Alternatives) == 0 {
			fmt.Fprintf(w, "  credentials none\n")
		}
		for i, alternative := range o.Token.Alternatives {
			fmt.Fprintf(w, "  %s %s\n", [...]string{"credentials", "or"}[min(i, 1)], credentials(alternative))
		}
		for _, l := range o.Limits {
			fmt.Fprintf(w, "  limit %d in %s, burst %d, for each %s\n", l.Count, l.Window, l.Burst, [...]string{"address", "subject", "operation"}[l.Per])
		}
	}
}

// bodies is what an operation takes as a body, and how.
func bodies(o *policy.Operation) string {
	if o.Body == nil {
		return "no body"
	}
	var types []string
	for _, m := range o.Body.Content {
		types = append(types, m.Type)
	}
	text := fmt.Sprintf("body %s up to %d bytes", strings.Join(types, ", "), o.Bounds.MaxBody)
	if o.RefusesEncodings() {
		text += ", not encoded"
	}
	if o.StreamsUploads() {
		text += ", passed on while it is judged"
	}
	return text
}

func credentials(alternative policy.Alternative) string {
	if len(alternative) == 0 {
		return "none"
	}
	var parts []string
	for _, k := range alternative {
		part := k.Scheme
		if len(k.Issuers) == 0 {
			part += " (form only)"
		} else {
			var ids []string
			for _, issuer := range k.Issuers {
				ids = append(ids, issuer.ID)
			}
			part += " of " + strings.Join(ids, " or ")
		}
		if len(k.Scopes) > 0 {
			part += " with " + strings.Join(k.Scopes, " ")
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " and ")
}
