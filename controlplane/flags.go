package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/pipeline"
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

func (f *gatewayFlags) add(cmd *cobra.Command, listen string) {
	cmd.Flags().StringVar(&f.upstream, "upstream", "", "`URL` of the service behind the gateway")
	cmd.Flags().StringVar(&f.listen, "listen", listen, "`host:port` that the gateway listens on")
	cmd.Flags().StringVar(&f.mode, "mode", "", "`mode` of the service, in place of the model's: shadow, enforce or off")
}

func (f *gatewayFlags) apply(in *pipeline.Input) error {
	in.Upstream = f.upstream
	if f.listen != "" {
		address, err := net.ResolveTCPAddr("tcp", f.listen)
		if err != nil || address.Port == 0 || address.IP == nil {
			return usagef("--listen: %q is not host:port", f.listen)
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

// adminFlags say where the admin interface is.
type adminFlags struct{ address, tokenFile string }

func (f *adminFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.address, "admin", defaultAdmin, "`host:port` of the admin interface, on loopback")
	cmd.Flags().StringVar(&f.tokenFile, "token-file", "", "`file` of the admin token (default: one of this user's for the admin address)")
}

func (f *adminFlags) token() (string, error) {
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
