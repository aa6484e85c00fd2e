package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
)

const (
	defaultXDS   = "127.0.0.1:18000"
	defaultState = ".threatgate"
)

// serveOptions are the command line of `serve`.
type serveOptions struct {
	input   inputFlags
	gateway gatewayFlags
	admin   adminFlags
	wasm    wasmFlag
	xds     string
	tls     tlsFlags
	state   string
}

func (c *cli) serve() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve --model FILE | --spec FILE",
		Short: "Serve policies to Envoys: xDS, log receiver and admin interface",
		Long: `Serve compiles a model and serves its policies to every Envoy that connects (see
"threatgate bootstrap"). Beyond loopback xDS needs mutual TLS.`,
		Example: `  threatgate serve --model shop.yaml
  threatgate serve --model shop.yaml --xds 10.0.0.5:18000 --tls-cert cp.pem --tls-key cp.key --tls-client-ca nodes.pem`,
		Args: cobra.NoArgs,
	}
	o.input.add(cmd)
	o.gateway.add(cmd, "the model's")
	o.admin.add(cmd)
	o.wasm.add(cmd)
	o.tls.add(cmd)
	cmd.Flags().StringVar(&o.xds, "xds", defaultXDS, "`host:port` for Envoys: xDS and their logs")
	cmd.Flags().StringVar(&o.state, "state", defaultState, "`directory` for modes and the last good policies")
	cmd.RunE = c.runs(func(cmd *cobra.Command, _ []string) error { return c.servePlane(cmd.Context(), &o) })
	return cmd
}

func (c *cli) servePlane(ctx context.Context, o *serveOptions) (err error) {
	in, err := o.input.input()
	if err != nil {
		return err
	}
	in.MatchHosts = true
	if err := o.gateway.apply(&in); err != nil {
		return err
	}
	if o.input.model == "" && (in.Upstream == "" || in.Listen == "") {
		return usagef("a specification alone says nothing of the gateway: --upstream and --listen are needed")
	}
	if o.state == "" {
		return usagef("--state: a directory is needed")
	}
	address, err := resolve("--xds", o.xds)
	if err != nil {
		return err
	}
	security, err := o.tls.config()
	if err != nil {
		return err
	}
	if security == nil && !address.IP.IsLoopback() {
		return usagef("--xds: %s is not on loopback: --tls-cert, --tls-key and --tls-client-ca are needed", o.xds)
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
	if err := findFilter(wasm); err != nil {
		return unlessBroken(in, err)
	}
	p, err := c.newPlane(ctx, log, in, server.Options{TLS: security}, wasm, o.state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.registry.MustRegister(newPushed(p.server))

	door, err := admin.Listen(o.admin.address, tokenFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, door.Close()) }()
	xds, err := net.ListenTCP("tcp", address)
	if err != nil {
		return fmt.Errorf("xDS address: %w; --xds names another", err)
	}
	fmt.Fprintf(c.stdout, "ready: xDS on %s, admin http://%s\n", xds.Addr(), door.Addr())
	stopping := context.AfterFunc(ctx, func() { log.Info("stopping") })
	defer stopping()
	return p.serve(ctx, xds, door, p.registry)
}

// tlsFlags are PEM files of a mutual TLS.
type tlsFlags struct{ certificate, key, ca string }

func (f *tlsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.certificate, "tls-cert", "", "own certificate chain, a PEM `file`")
	cmd.Flags().StringVar(&f.key, "tls-key", "", "its key, a PEM `file`")
	cmd.Flags().StringVar(&f.ca, "tls-client-ca", "", "PEM `file` of the authorities whose clients may connect")
}

// config is nil without flags.
func (f *tlsFlags) config() (*tls.Config, error) {
	if f.certificate == "" && f.key == "" && f.ca == "" {
		return nil, nil
	}
	if f.certificate == "" || f.key == "" || f.ca == "" {
		return nil, usagef("--tls-cert, --tls-key and --tls-client-ca go together")
	}
	own, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	pem, err := os.ReadFile(f.ca)
	if err != nil {
		return nil, fmt.Errorf("--tls-client-ca: %w", err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--tls-client-ca: %s has no certificate", f.ca)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clients,
	}, nil
}

func (c *cli) bootstrap() *cobra.Command {
	o := snapshot.DefaultBootstrap()
	var files snapshot.TLSFiles
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Print the bootstrap of an Envoy that `threatgate serve` controls",
		Example: `  threatgate bootstrap > envoy.yaml
  envoy --disable-hot-restart -c envoy.yaml`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&o.Node, "node", o.Node, "`id` of the Envoy, unique among the control plane's")
	cmd.Flags().StringVar(&o.ControlPlane, "xds", o.ControlPlane, "`host:port` of the control plane, an IP address")
	cmd.Flags().StringVar(&o.Admin, "envoy-admin", o.Admin, "`host:port` or absolute path of a socket for Envoy's own admin interface")
	cmd.Flags().StringVar(&files.Certificate, "tls-cert", "", "the Envoy's certificate chain, a PEM `file`")
	cmd.Flags().StringVar(&files.Key, "tls-key", "", "its key, a PEM `file`")
	cmd.Flags().StringVar(&files.CA, "tls-ca", "", "PEM `file` of the control plane's authority")
	cmd.Flags().StringVar(&files.ServerName, "tls-server-name", "", "`name` in the control plane's certificate")
	cmd.RunE = c.runs(func(*cobra.Command, []string) error {
		if files != (snapshot.TLSFiles{}) {
			if files.Certificate == "" || files.Key == "" || files.CA == "" || files.ServerName == "" {
				return usagef("--tls-cert, --tls-key, --tls-ca and --tls-server-name go together")
			}
			o.TLS = &files
		}
		out, err := snapshot.Bootstrap(o)
		if err != nil {
			return usageError{err.Error()}
		}
		_, err = c.stdout.Write(out)
		return err
	})
	return cmd
}
