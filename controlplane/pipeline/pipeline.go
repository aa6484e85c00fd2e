// Package pipeline is the main line, from files to releases. It only reads:
// whoever calls it decides what becomes of the result.
package pipeline

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
)

// Input says what to compile. Model or Spec must be given.
type Input struct {
	Model       string // path of a threat model document
	Spec        string // path of a specification; with Model: the service to compile is the one that has it
	ID          string // of the service of a Spec without Model; "" makes one from the title
	Environment string // overlay of the model; "" for none
	MatchHosts  bool   // the hosts of specifications' servers are matched

	// These stand in for what the model says of the service. They need a
	// Spec, or a model of one service.
	Upstream string // host:port or URL
	Listen   string // host:port
	Mode     *violation.Mode

	// Offline compiles services that have no place behind a gateway, too.
	Offline bool

	Modes policy.Modes // set at run time, over all that documents say

	Catalogue *threat.Catalogue

	// ReadFile reads every file; nil reads from the disk.
	ReadFile func(name string) ([]byte, error)
}

// Root is the file that names all others.
func (in *Input) Root() string {
	if in.Model != "" {
		return in.Model
	}
	return in.Spec
}

// Output is what comes of an Input. Only Diags and Files are set if Diags
// has an error.
type Output struct {
	Graph    *model.Graph
	Threats  []threat.Threat
	Policies *policy.Set
	Releases []*compile.Release

	Diags diag.List
	Files map[string][]byte // what was read, by path; nil: looked for and not readable
}

// Run goes from files to releases.
func Run(in Input) *Output {
	out := &Output{Files: map[string][]byte{}}
	in.ReadFile = out.recording(in.ReadFile)

	graph := load(&in, &out.Diags)
	if graph == nil {
		return out
	}
	threats := threat.Enumerate(graph, in.Catalogue)
	policies := policy.Derive(graph, in.Catalogue, threats, in.Modes, &out.Diags)
	policies.Services = slices.DeleteFunc(policies.Services, func(s *policy.Service) bool { return !gatewayed(s, &in, &out.Diags) })
	if len(policies.Services) == 0 && !out.Diags.HasErrors() {
		out.Diags.Errorf(graph.Pos, "no service has a listen address and an upstream: nothing would be behind the gateway")
	}
	releases := compile.Releases(policies, &out.Diags)
	if !out.Diags.HasErrors() {
		out.Graph, out.Threats, out.Policies, out.Releases = graph, threats, policies, releases
	}
	return out
}

// gatewayed reports whether requests to s go through the gateway: whether the
// model says where it listens and where to. A model may well have services
// that it only describes.
func gatewayed(s *policy.Service, in *Input, diags *diag.List) bool {
	switch {
	case s.Upstream == "" && in.Offline:
		s.Upstream = "upstream.invalid:80" // RFC 6761
	case s.Upstream == "" && s.Listen == "":
		diags.Warnf(s.Pos, "service %s has neither upstream nor listen address: it is not behind the gateway", s.ID)
		return false
	case s.Upstream == "":
		diags.Errorf(s.Pos, "service %s has a listen address and no upstream", s.ID)
		return false
	case s.Listen == "" && !in.Offline:
		diags.Errorf(s.Pos, "service %s has an upstream and no listen address", s.ID)
	}
	return true
}

// recording is read, or ReadFile, keeping what it returns.
func (out *Output) recording(read func(string) ([]byte, error)) func(string) ([]byte, error) {
	if read == nil {
		read = ReadFile
	}
	return func(name string) ([]byte, error) {
		data, err := read(name)
		out.Files[filepath.Clean(name)] = data
		return data, err
	}
}

// load returns nil after an error.
func load(in *Input, diags *diag.List) *model.Graph {
	openSpec := func(path string, references map[string]string, diags *diag.List) (*inventory.API, []string) {
		return openapi.LoadFrom(in.ReadFile, path, references, diags)
	}
	var graph *model.Graph
	if in.Model != "" {
		graph, _ = model.Load(in.Model, model.Options{
			OpenSpec:    openSpec,
			ReadFile:    in.ReadFile,
			Environment: in.Environment,
			MatchHosts:  in.MatchHosts,
		}, diags)
	} else if api, _ := openSpec(in.Spec, nil, diags); api != nil {
		api.Name = cmp.Or(in.ID, api.Name)
		graph = model.Bare(api)
		if service := graph.Services[0]; in.MatchHosts {
			service.Hosts = service.ServerHosts()
		}
	}
	if graph == nil || !in.single() {
		return graph
	}
	return narrow(graph, in, diags)
}

// single reports whether the input is about one service alone.
func (in *Input) single() bool {
	return in.Spec != "" || in.Upstream != "" || in.Listen != "" || in.Mode != nil
}

// narrow leaves the one service in the graph that the input is about, with
// what the input says of it.
func narrow(graph *model.Graph, in *Input, diags *diag.List) *model.Graph {
	services := graph.Services
	if in.Spec != "" {
		services = slices.DeleteFunc(slices.Clone(services), func(s *model.Service) bool {
			return !slices.ContainsFunc(s.Versions, func(v model.Version) bool { return sameFile(v.API.Pos.File, in.Spec) })
		})
	}
	switch {
	case len(services) == 0:
		diags.Errorf(graph.Pos, "no service has the specification %s", in.Spec)
		return nil
	case len(services) > 1:
		diags.Errorf(graph.Pos, "the model has %d services; --spec names the specification of one of them", len(services))
		return nil
	}
	s := services[0]
	if in.Upstream != "" {
		s.Upstream = in.Upstream
	}
	if in.Listen != "" {
		s.Listen = in.Listen
	}
	if in.Mode != nil {
		s.Mode = *in.Mode
	}
	graph.Services = services
	return graph
}

func sameFile(a, b string) bool {
	x, err1 := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	return err1 == nil && err2 == nil && x == y
}

// maxFile is more than any stage accepts of one file, in bytes: they say so.
const maxFile = 64<<20 + 1

// ReadFile reads a regular file. Its errors leave out the name, which
// diagnostics have anyway.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(name)
	}
	switch fault := (*fs.PathError)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file")
	case errors.As(err, &fault):
		return nil, fault.Err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}
