package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"go.uber.org/zap"

	"github.com/threatgate/threatgate/controlplane/envoy"
)

// Names of the systems, as the table has them.
const (
	bareEnvoy = "bare Envoy"
	readsOnly = "reads only, Go SDK"
	enforcing = "Threatgate, enforce"
	shadowing = "Threatgate, shadow"
	judgeBoth = "Threatgate, responses"
	extProc   = "ext_proc, kin-openapi"
)

// identifier makes names that fit into a path.
var identifier = strings.NewReplacer(" ", "-", ",", "")

// system is one Envoy with what judges its requests.
type system struct {
	name   string
	listen string
	pids   []int // of all its processes
}

// laboratory is everything that runs.
type laboratory struct {
	dir       string // of configurations, logs and sockets
	envoy     string // binaries
	beside    string // directory of threatgate and the Wasm modules
	upstream  *upstream
	systems   []*system
	processes []*process
}

const startTimeout = time.Minute

// open starts all systems, in front of one upstream.
func open(ctx context.Context) (lab *laboratory, err error) {
	lab = &laboratory{}
	defer func() {
		if err != nil {
			lab.close()
		}
	}()
	if lab.envoy, err = envoy.Find(ctx, "", zap.NewNop()); err != nil {
		return lab, err
	}
	self, err := os.Executable()
	if err != nil {
		return lab, err
	}
	lab.beside = filepath.Dir(self)
	if lab.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return lab, err
	}
	if lab.upstream, err = newUpstream(); err != nil {
		return lab, err
	}
	socket := filepath.Join(lab.dir, "peer.sock")
	judge, err := lab.start("peer", exec.Command(self, peerCommand, socket))
	if err != nil {
		return lab, err
	}
	for _, s := range []func() (*system, error){
		func() (*system, error) { return lab.static(bareEnvoy, nil, nil) },
		func() (*system, error) {
			return lab.static(readsOnly, []*hcmv3.HttpFilter{readerFilter(filepath.Join(lab.beside, "bench-reader.wasm"))}, nil)
		},
		func() (*system, error) { return lab.threatgate(enforcing, "enforce", "off") },
		func() (*system, error) { return lab.threatgate(shadowing, "shadow", "off") },
		func() (*system, error) { return lab.threatgate(judgeBoth, "enforce", "enforce") },
		func() (*system, error) {
			return lab.static(extProc, []*hcmv3.HttpFilter{peerFilter()}, []*clusterv3.Cluster{newPeerCluster(socket)}, judge.Process.Pid)
		},
	} {
		if err := ctx.Err(); err != nil {
			return lab, err
		}
		started, err := s()
		if err != nil {
			return lab, err
		}
		lab.systems = append(lab.systems, started)
	}
	return lab, nil
}

// close stops everything, in the reverse order.
func (lab *laboratory) close() {
	for i := range lab.processes {
		lab.processes[len(lab.processes)-1-i].stop()
	}
	if lab.upstream != nil {
		lab.upstream.server.Close()
	}
	os.RemoveAll(lab.dir)
}

func (lab *laboratory) start(name string, command *exec.Cmd) (*process, error) {
	p, err := start(lab.dir, name, command)
	if err == nil {
		lab.processes = append(lab.processes, p)
	}
	return p, err
}

// static starts an Envoy without a control plane.
func (lab *laboratory) static(name string, filters []*hcmv3.HttpFilter, clusters []*clusterv3.Cluster, judges ...int) (*system, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config, err := bootstrap(listen, lab.upstream.address, filters, clusters)
	if err != nil {
		return nil, err
	}
	id := identifier.Replace(name)
	file := filepath.Join(lab.dir, id+".json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	p, err := lab.start(id, exec.Command(lab.envoy, "-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"))
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", listen)
		if err == nil {
			return &system{name: name, listen: listen, pids: append(judges, p.Process.Pid)}, conn.Close()
		}
		if err := p.ended(); err != nil {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
}

// model is that of the specification beside it; of responses it says what the
// model's word of that name says.
const model = `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: bench}
spec: {services: [{id: orders, responses: "%s", specs: [{file: spec.yaml}]}]}
`

// threatgate starts the control plane and its Envoy, as a user does.
func (lab *laboratory) threatgate(name, mode, responses string) (*system, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	id := identifier.Replace(name)
	file := filepath.Join(lab.dir, id+".yaml")
	if err := errors.Join(
		os.WriteFile(filepath.Join(lab.dir, "spec.yaml"), spec, 0o600),
		os.WriteFile(file, fmt.Appendf(nil, model, responses), 0o600),
	); err != nil {
		return nil, err
	}
	command := exec.Command(filepath.Join(lab.beside, "threatgate"), "run", "--model", file, "--mode", mode,
		"--upstream", "http://"+lab.upstream.address, "--listen", listen, "--admin", admin,
		"--token-file", filepath.Join(lab.dir, id+".token"), "--envoy", lab.envoy, "--concurrency", "1")
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p, err := lab.start(id, command)
	if err != nil {
		return nil, err
	}
	ready := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "ready") {
				ready <- nil
			}
		}
		ready <- errors.Join(errors.New("threatgate is not ready"), lines.Err())
	}()
	select {
	case err = <-ready:
	case <-p.exited:
		err = p.ended()
	case <-time.After(startTimeout):
		err = fmt.Errorf("threatgate is not ready after %v", startTimeout)
	}
	if err != nil {
		return nil, err
	}
	pids, err := children(p.Process.Pid)
	if err != nil {
		return nil, err
	}
	if len(pids) != 1 {
		return nil, fmt.Errorf("threatgate has %d children and not one, Envoy", len(pids))
	}
	return &system{name: name, listen: listen, pids: append(pids, p.Process.Pid)}, nil
}

// freeAddress is one on loopback that nothing listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// cell is one measurement.
type cell struct {
	requests int64
	cpu      time.Duration
}

// perRequest is in microseconds.
func (c cell) perRequest() float64 { return float64(c.cpu.Nanoseconds()) / 1e3 / float64(c.requests) }

// connections of the load.
const connections = 8

// measure sends a row's requests through a system for a duration, after a
// tenth of it uncounted. It fails if the upstream has not seen every one,
// whole.
func (lab *laboratory) measure(s *system, r row, d time.Duration) (cell, error) {
	client, err := dial(s.listen, connections)
	if err != nil {
		return cell{}, err
	}
	defer client.close()
	request := r.wire()
	lab.upstream.answer.Store(&r.answer)
	if _, err := client.run(request, len(r.answer), d/10); err != nil {
		return cell{}, err
	}
	requests, bytes := lab.upstream.requests.Load(), lab.upstream.bytes.Load()
	before, err := s.cpuTime()
	if err != nil {
		return cell{}, err
	}
	answered, err := client.run(request, len(r.answer), d)
	if err != nil {
		return cell{}, err
	}
	after, err := s.cpuTime()
	if err != nil {
		return cell{}, err
	}
	requests, bytes = lab.upstream.requests.Load()-requests, lab.upstream.bytes.Load()-bytes
	if requests != answered || bytes != answered*int64(len(r.body)) {
		return cell{}, fmt.Errorf("%d requests of %d bytes were answered, and the upstream saw %d with %d bytes", answered, len(r.body), requests, bytes)
	}
	return cell{answered, after - before}, nil
}

func (s *system) cpuTime() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range s.pids {
		t, err := cpuTime(pid)
		if err != nil {
			return 0, err
		}
		sum += t
	}
	return sum, nil
}
