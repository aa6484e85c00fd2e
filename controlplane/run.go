package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/envoy"
	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
)

const (
	readyTimeout   = time.Minute // from start to judging
	maxConcurrency = 256         // of Envoy's workers: more only take memory

	readyPoll = 10 * time.Millisecond // of Envoy's listener
)

// runOptions are the command line of `run`.
type runOptions struct {
	input       inputFlags
	gateway     gatewayFlags
	admin       adminFlags
	wasm        wasmFlag
	envoy       string
	concurrency int
	state       string
}

func (c *cli) run() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run --spec FILE --upstream URL",
		Short: "Judge the traffic of one service: a control plane and one Envoy",
		Long: `Run starts a control plane and one Envoy in front of one upstream, and prints a
line with "ready" on stdout once traffic is judged. A change of the files is
judged by as soon as it is saved. SIGINT or SIGTERM stops both.

An Envoy that outlived its control plane goes on judging, and is taken over by
the next run for the same address, with the modes that were set by threatgate
mode. --mode has to be given again.`,
		Example: `  threatgate run --spec openapi.yaml --upstream http://127.0.0.1:8080 --listen 127.0.0.1:10000
  threatgate run --model shop.yaml --spec orders.yaml --upstream https://orders.internal --mode enforce`,
		Args: cobra.NoArgs,
	}
	o.input.add(cmd)
	o.gateway.add(cmd, "the model's, else "+defaultListen)
	o.admin.add(cmd)
	o.wasm.add(cmd)
	cmd.Flags().StringVar(&o.envoy, "envoy", "", "Envoy's `binary` (default: $ENVOY, one on PATH or beside this program)")
	cmd.Flags().IntVar(&o.concurrency, "concurrency", 0, "Envoy's worker `threads` (default: one for each processor)")
	cmd.Flags().StringVar(&o.state, "state", "", "`directory` for modes and policies that outlive this run (default: one that lives as long as Envoy)")
	cmd.RunE = c.runs(func(cmd *cobra.Command, _ []string) error { return c.runGateway(cmd.Context(), &o) })
	return cmd
}

func (c *cli) runGateway(ctx context.Context, o *runOptions) (err error) {
	in, err := o.input.input()
	if err != nil {
		return err
	}
	if o.input.model == "" && o.gateway.upstream == "" {
		return usagef("--upstream is needed")
	}
	if o.concurrency < 0 || o.concurrency > maxConcurrency {
		return usagef("--concurrency: %d is not one of 0 to %d", o.concurrency, maxConcurrency)
	}
	if err := o.gateway.apply(&in); err != nil {
		return err
	}
	wasm, err := o.wasm.path()
	if err != nil {
		return err
	}
	tokenFile, err := o.admin.token()
	if err != nil {
		return err
	}
	log, err := c.logger()
	if err != nil {
		return err
	}
	binary, err := findParts(ctx, wasm, o.envoy, log)
	if err != nil {
		return unlessBroken(in, err)
	}
	if in.Listen == "" {
		if in.Listen, err = modelListen(in); err != nil {
			return err
		}
	}
	dir, err := envoy.OpenDirectory(in.Listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	p, err := c.newPlane(ctx, log, in, server.Options{}, wasm, cmp.Or(o.state, dir.State()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()

	door, err := admin.Listen(o.admin.address, tokenFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, door.Close()) }()
	gateway := envoy.Options{Binary: binary, Listen: in.Listen, Concurrency: o.concurrency, Log: p.log}
	return p.runEnvoy(ctx, dir, gateway, door, func() {
		fmt.Fprintf(c.stdout, "ready: http://%s is judged, admin http://%s\n", in.Listen, door.Addr())
	})
}

// findParts looks for what `run` needs besides this program.
func findParts(ctx context.Context, wasm, named string, log *zap.Logger) (binary string, err error) {
	if err := findFilter(wasm); err != nil {
		return "", err
	}
	return envoy.Find(ctx, named, log)
}

// modelListen is where the model has its one service listen, or the default.
func modelListen(in pipeline.Input) (string, error) {
	in.Offline = true
	out := pipeline.Run(in)
	if out.Diags.HasErrors() {
		return "", &rollout.InputError{Diags: &out.Diags}
	}
	if services := out.Policies.Services; len(services) == 1 && services[0].Listen != "" {
		return services[0].Listen, nil
	}
	return defaultListen, nil
}

// runEnvoy serves one Envoy until ctx is done, Envoy ends or a part of the
// control plane fails. Envoy is stopped first, so that its last records arrive.
func (p *plane) runEnvoy(ctx context.Context, dir *envoy.Directory, options envoy.Options, door *admin.Listener, ready func()) error {
	bootstrap := snapshot.DefaultBootstrap()
	bootstrap.Admin, bootstrap.ControlPlane = dir.Admin(), dir.XDS()
	bootstrap.PushCounters = false // read from process.Admin, they are up to date at once
	var err error
	if options.Bootstrap, err = snapshot.Bootstrap(bootstrap); err != nil {
		return err
	}
	xds, err := listenUnix(dir.XDS())
	if err != nil {
		return err
	}
	process, err := envoy.Start(ctx, dir, options)
	if err != nil {
		return errors.Join(err, xds.Close())
	}
	planeContext, endPlane := context.WithCancel(context.WithoutCancel(ctx))
	failed := make(chan error, 1)
	go func() {
		failed <- p.serve(planeContext, xds, door, prometheus.Gatherers{p.registry, process.Admin})
	}()
	judging := make(chan error, 1)
	go func() { judging <- p.awaitJudging(ctx, process, options.Listen) }()

	var ended error
	for waiting := true; waiting; {
		select {
		case <-ctx.Done():
			p.log.Info("stopping")
			waiting = false
		case <-process.Exited:
			ended, waiting = process.Why(), false
		case ended = <-failed:
			failed, waiting = nil, false
		case err := <-judging:
			judging = nil
			if err == nil {
				ready()
			} else if ctx.Err() == nil {
				ended, waiting = process.WithLog(err), false
			}
		}
	}
	ended = errors.Join(ended, process.Stop(context.WithoutCancel(ctx)))
	endPlane()
	if failed != nil {
		ended = errors.Join(ended, <-failed)
	}
	return ended
}

// awaitJudging returns once Envoy judges traffic by the policy: it has
// accepted all of it and takes connections.
func (p *plane) awaitJudging(ctx context.Context, process *envoy.Process, listen string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	defer p.announce("loading the policy into Envoy", zap.Duration("for no longer than", readyTimeout))()
	if err := p.rollout.WaitAcked(ctx); err != nil {
		return fmt.Errorf("envoy does not take the policy: %w", err)
	}
	for !process.Listening(ctx, listen) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("envoy does not listen on %s: %w", listen, ctx.Err())
		case <-time.After(readyPoll):
		}
	}
	return nil
}

// listenUnix listens on a socket that an earlier owner of the directory may
// have left.
func listenUnix(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}
