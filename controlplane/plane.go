package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/controlplane/store"
	"github.com/threatgate/threatgate/controlplane/watch"
)

// plane is a control plane: what `run` and `serve` have in common.
type plane struct {
	log      *zap.Logger
	registry *prometheus.Registry
	feed     *admin.Feed
	store    *store.Store
	watcher  *watch.Watcher
	server   *server.Server
	rollout  *rollout.Rollout
}

// newPlane compiles the input, or finds the last good policy in the state
// directory. Nothing is served yet. What is wrong with the input, and what it
// does not enforce, goes to stderr.
func (c *cli) newPlane(ctx context.Context, log *zap.Logger, in pipeline.Input, options server.Options, wasm, state string) (_ *plane, err error) {
	p := &plane{log: log, registry: prometheus.NewRegistry(), feed: &admin.Feed{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.store, err = store.Open(ctx, state); err != nil {
		return nil, fmt.Errorf("%w; --state names another", err)
	}
	if p.watcher, err = watch.New(pipeline.ReadFile, p.log); err != nil {
		return nil, err
	}
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counts := newMetrics(p.registry)
	options.OnNode = func(node string, connected bool) {
		if connected {
			p.log.Info("Envoy connected", zap.String("node", node))
		} else {
			p.log.Info("Envoy gone", zap.String("node", node))
		}
	}
	options.OnShared = func(s *server.Shared) { p.log.Error(s.Error()) }
	options.OnEvent = func(e server.Event) {
		counts.event(e)
		if api, revision, ok := p.rollout.Policy(e.TypeURL, e.Name, e.Version); ok && !e.Nack {
			p.log.Info("has the policy", zap.String("node", e.Node), zap.String("api", api), zap.String("revision", revision))
		}
		if e.Nack {
			p.log.Error("refused by a node, which goes on with what it had",
				zap.String("node", e.Node), zap.String("resource", e.Name), zap.String("type", e.TypeURL), zap.String("detail", e.Detail))
		}
	}
	options.OnRecord = func(r server.Record) {
		counts.records.Inc()
		p.feed.Publish(r)
	}
	options.OnReport = func(_, _ string, r server.Report) { counts.report(r) }
	options.OnMalformed = func() { counts.malformed.Inc() }
	p.server = server.New(options)
	defer p.announce("compiling the policy")()
	p.rollout, err = rollout.New(ctx, rollout.Config{
		Input:       in,
		Environment: snapshot.Environment{WasmPath: wasm, Roots: snapshot.SystemRoots()},
		Store:       p.store,
		Server:      p.server,
		Watcher:     p.watcher,
		Log:         p.log,
	})
	if err != nil {
		return nil, err
	}
	p.registry.MustRegister(serving{p.rollout})
	status := p.rollout.Status()
	c.diagnose(status.Problems...)
	c.diagnose(status.Stale...)
	c.diagnose(status.Warnings...)
	if len(status.Problems) > 0 {
		log.Error("the last good policy is served in place of what has errors")
	}
	return p, nil
}

// patience is how long work is waited for without a word.
const patience = 2 * time.Second

// announce logs what goes on if that takes long, until it is ended.
func (p *plane) announce(what string, fields ...zap.Field) (end func()) {
	timer := time.AfterFunc(patience, func() { p.log.Info(what, fields...) })
	return func() { timer.Stop() }
}

// serve runs the control plane until ctx is done or a part of it fails. It
// closes the listeners.
func (p *plane) serve(ctx context.Context, xds net.Listener, door *admin.Listener, metrics prometheus.Gatherer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	config := admin.Config{Rollout: p.rollout, Feed: p.feed, Metrics: metrics, Version: version, Log: p.log}
	parts := []func() error{
		func() error { p.rollout.Run(ctx); return nil },
		func() error { return p.server.Serve(ctx, xds) },
		func() error { return door.Serve(ctx, config) },
	}
	ended := make(chan error)
	for _, part := range parts {
		go func() { ended <- part() }()
	}
	var errs error
	for range parts {
		if err := <-ended; err != nil {
			errs = errors.Join(errs, fmt.Errorf("the control plane failed: %w", err))
		}
		cancel() // one ends, all end
	}
	return errs
}

// close gives back what newPlane opened.
func (p *plane) close() error {
	var err error
	if p.watcher != nil {
		err = p.watcher.Close()
	}
	if p.store != nil {
		err = errors.Join(err, p.store.Close())
	}
	return err
}
