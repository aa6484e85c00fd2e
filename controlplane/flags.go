package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/violation"
)

const (
	defaultListen = "127.0.0.1:10000"
	defaultAdmin  = "127.0.0.1:9902"
)

// inputFlags say what to compile.
type inputFlags struct{ spec, model, environment string }

func (f *inputFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.spec, "spec", "", "OpenAPI description `file`; with --model: the service that has it")
	cmd.Flags().StringVar(&f.model, "model", "", "threat model `file`")
	cmd.Flags().StringVar(&f.environment, "environment", "", "`id` of the model's environment to apply")
}

func (f *inputFlags) input() (pipeline.Input, error) {
	if f.spec == "" && f.model == "" {
		return pipeline.Input{}, usagef("--spec or --model is needed")
	}
	if f.environment != "" && f.model == "" {
		return pipeline.Input{}, usagef("--environment needs --model")
	}
	rules, err := catalogue()
	return pipeline.Input{Spec: f.spec, Model: f.model, Environment: f.environment, Catalogue: rules}, err
}

// gatewayFlags stand in for what a model says of the service.
type gatewayFlags struct{ upstream, listen, mode string }

func (f *gatewayFlags) add(cmd *cobra.Command, listen string) { // listen: the default, in words
	cmd.Flags().StringVar(&f.upstream, "upstream", "", "`URL` of the service behind the gateway")
	cmd.Flags().StringVar(&f.listen, "listen", "", "`host:port` that the gateway listens on (default: "+listen+")")
	cmd.Flags().StringVar(&f.mode, "mode", "", "`mode` of the service, in place of the model's: shadow, enforce or off")
}

func (f *gatewayFlags) apply(in *pipeline.Input) error {
	if f.upstream != "" {
		upstream, err := model.ParseUpstream(f.upstream)
		if err != nil {
			return usagef("--upstream: %q is not %v", f.upstream, err)
		}
		in.Upstream = upstream
	}
	if f.listen != "" {
		address, err := resolve("--listen", f.listen)
		if err != nil {
			return err
		}
		in.Listen = address.String()
	}
	if f.mode != "" {
		mode, ok := violation.ParseMode(f.mode)
		if !ok {
			return usagef("--mode: %q is none of shadow, enforce and off", f.mode)
		}
		in.Mode = &mode
	}
	return nil
}

// resolve reads the host:port of a flag.
func resolve(flag, text string) (*net.TCPAddr, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return nil, usagef("%s: %q is not host:port", flag, text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, usagef("%s: the port of %q is not one of 1 to 65535", flag, text)
	}
	address, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		return nil, usagef("%s: %v", flag, err)
	}
	return address, nil
}

// adminFlags say where the admin interface is.
type adminFlags struct{ address, tokenFile string }

func (f *adminFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.address, "admin", defaultAdmin, "`host:port` of the admin interface, on loopback")
	cmd.Flags().StringVar(&f.tokenFile, "token-file", "", "`file` of the admin token (default: one of this user's for the admin address)")
}

// token is the file of the token, if the address is one that may be.
func (f *adminFlags) token() (string, error) {
	address, err := resolve("--admin", f.address)
	if err != nil {
		return "", err
	}
	if !address.IP.IsLoopback() {
		return "", usagef("--admin: %s is not on loopback; the interface has no TLS", f.address)
	}
	if f.tokenFile != "" {
		return f.tokenFile, nil
	}
	return admin.TokenFile(f.address)
}

// wasmFlag names the filter.
type wasmFlag struct{ file string }

func (f *wasmFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "wasm", "", "`file` of the filter (default: threatgate.wasm beside this program)")
}

// path is absolute: Envoy has a working directory of its own.
func (f *wasmFlag) path() (string, error) {
	file := f.file
	if file == "" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		file = filepath.Join(filepath.Dir(self), "threatgate.wasm")
	}
	return filepath.Abs(file)
}

// unlessBroken is what is wrong with the input, if anything is, else err.
func unlessBroken(in pipeline.Input, err error) error {
	in.Offline = true
	if out := pipeline.Run(in); out.Diags.HasErrors() {
		return &rollout.InputError{Diags: &out.Diags}
	}
	return err
}

// findFilter looks before Envoy does, whose message would come late.
func findFilter(wasm string) error {
	info, err := os.Stat(wasm)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", wasm)
	}
	if err != nil {
		return fmt.Errorf("no filter: %w; `make build` makes one, --wasm names one", err)
	}
	return nil
}
