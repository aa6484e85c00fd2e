// Command threatgate makes an API threat model executable: it compiles
// specifications and a threat model into policies, and serves them to Envoys
// that judge live traffic by them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // the command failed, or has findings
	exitUsage    = 2
	exitBadInput = 3 // a specification or model does not load
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &cli{stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var input *rollout.InputError
	switch {
	case err == nil || errors.Is(err, context.Canceled): // a signal may come before anything runs
		return exitOK
	case errors.Is(err, errFindings):
		return exitFailed
	case errors.As(err, &input):
		fmt.Fprintln(stderr, err)
		return exitBadInput
	case errors.As(err, &usage) || !c.running:
		fmt.Fprintf(stderr, "threatgate: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "threatgate: %v\n", err)
	return exitFailed
}

// errFindings is the outcome of a command that did what it should and found
// what it looked for.
var errFindings = errors.New("findings")

// usageError is a command line that makes no sense.
type usageError struct{ reason string }

func (e usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// cli is what all commands share.
type cli struct {
	stdout, stderr io.Writer
	logFormat      string
	running        bool // the command line was understood
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "threatgate",
		Short:         "An API threat model that judges live traffic",
		Example:       "  threatgate run --spec openapi.yaml --upstream http://127.0.0.1:8080 --listen 127.0.0.1:10000",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return errors.Join(cmd.Help(), usagef("a command is needed"))
		},
	}
	root.SetVersionTemplate("threatgate {{.Version}}\n")
	root.PersistentFlags().StringVar(&c.logFormat, "log-format", "console", "`format` of the log on stderr: console or json")
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(c.run(), c.serve(), c.mode(), c.tail(), c.check(), c.compile(), c.bootstrap(), c.version())
	return root
}

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  threatgate version",
		Args:    cobra.NoArgs,
		RunE: c.runs(func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.stdout, "threatgate %s\n", version)
			return err
		}),
	}
}

// runs is what a command does, once its command line is understood.
func (c *cli) runs(do func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c.running = true
		return do(cmd, args)
	}
}

// version is set by the linker: -X main.version=….
var version = "(development)"

// logger writes to stderr.
func (c *cli) logger() (*zap.Logger, error) {
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder // with its unit
	var encoder zapcore.Encoder
	switch c.logFormat {
	case "json":
		encoder = zapcore.NewJSONEncoder(encoding)
	case "console":
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoding.ConsoleSeparator = " "
		encoder = zapcore.NewConsoleEncoder(encoding)
	default:
		return nil, usagef("--log-format: %q is neither console nor json", c.logFormat)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(c.stderr)), zap.InfoLevel)), nil
}

// catalogue is the rule packs that come with the program.
func catalogue() (*threat.Catalogue, error) {
	var diags diag.List
	c := threat.LoadCatalogue(policies.FS, &diags)
	return c, diags.Err()
}

// diagnose prints diagnostics, one a line.
func (c *cli) diagnose(lines ...string) {
	if len(lines) > 0 {
		fmt.Fprintln(c.stderr, strings.Join(lines, "\n"))
	}
}
