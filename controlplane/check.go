package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/report"
	"github.com/threatgate/threatgate/internal/threat"
)

func (c *cli) check() *cobra.Command {
	var input inputFlags
	var format, failOn string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "check --spec FILE | --model FILE",
		Short: "Find threats, and say which still need a person",
		Long: `Check finds the threats in a specification or a model, takes off what the
compiled policies answer, and reports the rest. It exits with 1 if a finding is
as severe as --fail-on or more.`,
		Example: `  threatgate check --spec openapi.yaml
  threatgate check --model shop.yaml --format json --fail-on critical`,
		Args: cobra.NoArgs,
	}
	input.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "`format` of the report: text or json")
	cmd.Flags().StringVar(&failOn, "fail-on", "high", "lowest `severity` that fails: low, medium, high, critical or none")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show every place and every factor of the scores in text")
	cmd.RunE = c.runs(func(*cobra.Command, []string) error {
		bar, known := threat.ParseBand(failOn)
		if !known && failOn != "none" {
			return usagef("--fail-on: %q is none of low, medium, high, critical and none", failOn)
		}
		if format != "text" && format != "json" {
			return usagef("--format: %q is neither text nor json", format)
		}
		in, err := input.input()
		if err != nil {
			return err
		}
		out, err := c.compileOffline(in)
		if err != nil {
			return err
		}
		doc := report.New(out.Graph, threat.Findings(out.Threats, out.Policies.Posture, out.Graph.AcceptedRisks, time.Now()))
		detail := report.Detail{Places: 3}
		if verbose {
			detail = report.Detail{Factors: true}
		}
		if format == "json" {
			err = report.JSON(c.stdout, doc)
		} else {
			err = report.Text(c.stdout, doc, detail)
		}
		if err == nil && known && doc.AtOrOver(bar) > 0 {
			err = errFindings
		}
		return err
	})
	return cmd
}

// compileOffline runs the pipeline once. Diagnostics go to stderr.
func (c *cli) compileOffline(in pipeline.Input) (*pipeline.Output, error) {
	in.Offline = true
	out := pipeline.Run(in)
	for _, d := range out.Diags.Sorted() {
		if d.Severity == diag.Warning {
			fmt.Fprintln(c.stderr, d)
		}
	}
	if out.Diags.HasErrors() {
		return nil, &rollout.InputError{Diags: &out.Diags}
	}
	return out, nil
}
