package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/internal/violation"
)

// client is of the control plane that the flags name.
func (f *adminFlags) client() (*admin.Client, error) {
	file, err := f.token()
	if err != nil {
		return nil, err
	}
	client, err := admin.NewClient(f.address, file)
	if f.tokenFile != "" && err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no control plane of this user's runs with the admin address %s: there is no %s; start one, name it with --admin, or give the --token-file that it was started with", f.address, file)
	}
	return client, err
}

// findAPI returns an error if api is given and none of those that are served.
func findAPI(status *admin.Status, api string) error {
	var ids []string
	for _, a := range status.APIs {
		ids = append(ids, a.ID)
	}
	if api == "" || slices.Contains(ids, api) {
		return nil
	}
	return fmt.Errorf("there is no API %q, only: %s", api, strings.Join(ids, ", "))
}

func (c *cli) mode() *cobra.Command {
	var flags adminFlags
	var change admin.ModeChange
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "mode [shadow|enforce|off|reset]",
		Short: "Show or switch the mode of a running control plane's policies",
		Long: `Mode shows the mode of each API, and of each operation that has another.

With a mode it switches all APIs, one API or one operation, and returns once
every connected Envoy has accepted that. An operation that was switched by
itself follows its API again when that is switched. Reset takes back what was
set: the operation has the mode of its API again, the API that of all, and what
was never set that of the model.`,
		Example: `  threatgate mode
  threatgate mode --api orders --json
  threatgate mode shadow
  threatgate mode --api orders enforce
  threatgate mode --api orders --operation "GET /orders/{id}" off
  threatgate mode --operation createOrder reset`,
	}
	cmd.Args = func(_ *cobra.Command, args []string) error { return modeArgument(args, &change, asJSON) }
	flags.add(cmd)
	cmd.Flags().StringVar(&change.API, "api", "", "`API` to show or to switch (default: all)")
	cmd.Flags().StringVar(&change.Operation, "operation", "", "`operation` to switch: its id or \"METHOD /path/{template}\"")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	cmd.RunE = c.runs(func(cmd *cobra.Command, _ []string) error {
		client, err := flags.client()
		if err != nil {
			return err
		}
		status, err := client.Status(cmd.Context())
		if err != nil {
			return err
		}
		c.diagnose(status.Problems...)
		c.diagnose(status.Stale...)
		if change.Mode == "" {
			return c.showModes(status, change.API, asJSON)
		}
		return c.setMode(cmd.Context(), client, change)
	})
	return cmd
}

// modeArgument takes the mode to set, if one is given.
func modeArgument(args []string, change *admin.ModeChange, asJSON bool) error {
	switch {
	case len(args) == 0 && change.Operation != "":
		return usagef("a mode is needed: shadow, enforce, off or reset; without --operation, mode shows what is in force")
	case len(args) == 0:
		return nil
	case len(args) > 1:
		return usagef("one mode is needed, not %d arguments", len(args))
	case asJSON:
		return usagef("--json shows modes, and sets none")
	}
	if _, ok := violation.ParseMode(args[0]); !ok && args[0] != admin.Reset {
		return usagef("%q is none of shadow, enforce, off and reset", args[0])
	}
	change.Mode = args[0]
	return nil
}

// showModes prints the mode of each API, or of one, and of the operations that
// have another.
func (c *cli) showModes(status *admin.Status, api string, asJSON bool) error {
	if err := findAPI(status, api); err != nil {
		return err
	}
	var modes []admin.ModeChange
	for _, a := range status.APIs {
		if api != "" && api != a.ID {
			continue
		}
		modes = append(modes, admin.ModeChange{API: a.ID, Mode: a.Mode})
		for _, o := range a.Operations {
			if o.Mode != a.Mode {
				modes = append(modes, admin.ModeChange{API: a.ID, Operation: o.Label, Mode: o.Mode})
			}
		}
	}
	if asJSON {
		encoder := json.NewEncoder(c.stdout)
		for _, m := range modes {
			if err := encoder.Encode(m); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "API\tOPERATION\tMODE")
	for _, m := range modes {
		fmt.Fprintf(table, "%s\t%s\t%s\n", m.API, cmp.Or(m.Operation, "*"), m.Mode)
	}
	return table.Flush()
}

func (c *cli) setMode(ctx context.Context, client *admin.Client, change admin.ModeChange) error {
	result, err := client.SetMode(ctx, change)
	if err != nil {
		return err
	}
	for _, api := range result.APIs {
		fmt.Fprintf(c.stdout, "%s: %s\n", api.ID, describeModes(api, result.Target.Operation))
	}
	for _, o := range result.Following {
		fmt.Fprintf(c.stdout, "%s follows %s again\n", o.Operation, o.API)
	}
	switch result.Nodes {
	case 0:
		fmt.Fprintln(c.stdout, "no Envoy is connected; the next that connects gets it")
	case 1:
		fmt.Fprintln(c.stdout, "accepted by 1 Envoy")
	default:
		fmt.Fprintf(c.stdout, "accepted by %d Envoys\n", result.Nodes)
	}
	return nil
}

// describeModes is an API's mode, and the operations that have another or were
// asked for.
func describeModes(api rollout.API, asked string) string {
	out := fmt.Sprintf("%s (revision %s)", api.Mode, api.Revision)
	for _, o := range api.Operations {
		if o.Mode != api.Mode || o.Label == asked {
			out += fmt.Sprintf("\n  %s: %s", o.Label, o.Mode)
		}
	}
	return out
}

func (c *cli) tail() *cobra.Command {
	var flags adminFlags
	var api string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show violations as they happen",
		Long: `Tail prints a line for each violation from now on: time, mode, decision, API,
operation, code, place and pointer, threat, request id, separated by tabs.`,
		Example: `  threatgate tail
  threatgate tail --api orders --json`,
		Args: cobra.NoArgs,
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&api, "api", "", "`API` to show (default: all)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	cmd.RunE = c.runs(func(cmd *cobra.Command, _ []string) error {
		client, err := flags.client()
		if err != nil {
			return err
		}
		status, err := client.Status(cmd.Context())
		if err != nil {
			return err
		}
		if err := findAPI(status, api); err != nil {
			return err
		}
		encoder := json.NewEncoder(c.stdout)
		return client.Violations(cmd.Context(), func(v admin.Violation) {
			switch {
			case api != "" && v.API != api:
			case asJSON:
				encoder.Encode(v)
			default:
				fmt.Fprintln(c.stdout, line(v))
			}
		}, func(n int) {
			fmt.Fprintf(c.stderr, "threatgate: %d violations were too many to show\n", n)
		})
	})
	return cmd
}

func line(v admin.Violation) string {
	fields := []string{
		v.Time.Local().Format("2006-01-02T15:04:05.000Z07:00"), v.Mode, v.Decision, v.API, v.Operation,
		v.Family + ":" + v.Code, strings.TrimSpace(v.In + " " + v.Pointer), v.Threat, v.Request,
	}
	for i, f := range fields {
		fields[i] = strings.Map(printable, f)
	}
	return strings.Join(fields, "\t")
}

// printable keeps a terminal from being written to by whoever sent a record.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}
