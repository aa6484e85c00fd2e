package envoy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
)

const (
	startTimeout = 30 * time.Second
	drainTimeout = 5 * time.Second // for requests in flight
	termTimeout  = 5 * time.Second // from SIGTERM to SIGKILL
	poll         = 20 * time.Millisecond
)

// Options say which Envoy to run and how.
type Options struct {
	Binary      string
	Listen      string // host:port that the bootstrap's control plane will make it listen on
	Bootstrap   []byte
	Concurrency int // worker threads; 0: as many as the machine has
	Log         *zap.Logger
}

// Process is a running Envoy. It outlives the control plane that started it
// if that is killed: it has a process group of its own, and writes to a file
// and not to a pipe.
type Process struct {
	*Admin
	Exited <-chan struct{} // closed when Envoy has ended, for whatever reason

	pid    int
	dir    *Directory
	status string // how a child ended; set before Exited is closed
}

// Start returns the Envoy of dir: the one that runs there already if it is
// the one that opts describe, else a new one in its place.
func Start(ctx context.Context, dir *Directory, opts Options) (*Process, error) {
	args := []string{
		opts.Binary, "--config-path", dir.file("envoy.yaml"),
		"--disable-hot-restart", // many Envoys may share this machine
		"--log-level", "warning",
	}
	if opts.Concurrency > 0 {
		args = append(args, "--concurrency", strconv.Itoa(opts.Concurrency))
	}
	if pid, ok := survivor(dir); ok {
		p := attach(pid, dir)
		before, err := os.ReadFile(dir.file("envoy.yaml"))
		if err == nil && bytes.Equal(before, opts.Bootstrap) && slices.Equal(commandLine(p.pid), args) && p.Alive(ctx) {
			opts.Log.Info("adopted the Envoy that was left running", zap.Int("pid", p.pid))
			return p, nil
		}
		opts.Log.Info("replacing the Envoy that was left running", zap.Int("pid", p.pid))
		if err := p.Stop(ctx); err != nil {
			return nil, err
		}
	}
	if err := free(opts.Listen); err != nil {
		return nil, err
	}
	return start(ctx, dir, args, opts)
}

// free checks that nobody listens on address: Envoy sets SO_REUSEPORT, and
// would share it with another of this user's Envoys.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("the gateway can't listen: %w; --listen, or the model's listen, names another address", err)
	}
	return l.Close()
}

func start(ctx context.Context, dir *Directory, args []string, opts Options) (*Process, error) {
	if err := os.WriteFile(dir.file("envoy.yaml"), opts.Bootstrap, 0o600); err != nil {
		return nil, err
	}
	if err := os.Remove(dir.Admin()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	log, err := os.Create(dir.file("envoy.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	p := &Process{Admin: NewAdmin(dir.Admin()), Exited: exited, pid: cmd.Process.Pid, dir: dir}
	go func() {
		defer close(exited)
		cmd.Wait() // its error is the state's text
		p.status = cmd.ProcessState.String()
	}()
	if err := os.WriteFile(dir.file("envoy.pid"), []byte(strconv.Itoa(p.pid)), 0o600); err != nil {
		return nil, errors.Join(err, p.Stop(ctx))
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for !p.Alive(ctx) {
		select {
		case <-p.Exited:
			return nil, p.Why()
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("envoy does not answer: %w", ctx.Err()), p.Stop(context.WithoutCancel(ctx)))
		case <-time.After(poll):
		}
	}
	opts.Log.Info("started Envoy", zap.Int("pid", p.pid), zap.String("binary", opts.Binary))
	return p, nil
}

// survivor is the pid of the Envoy that runs in dir, if one does.
func survivor(dir *Directory) (pid int, ok bool) {
	text, err := os.ReadFile(dir.file("envoy.pid"))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(string(text))
	return pid, err == nil && isOurs(pid, dir)
}

// attach makes a Process of an Envoy that another control plane started.
func attach(pid int, dir *Directory) *Process {
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		for isOurs(pid, dir) { // not a child: nothing to wait for
			time.Sleep(5 * poll)
		}
	}()
	return &Process{Admin: NewAdmin(dir.Admin()), Exited: exited, pid: pid, dir: dir, status: "how is not known: an earlier control plane started it"}
}

// isOurs reports whether pid is a process that runs with dir's bootstrap,
// and not another one to which the system gave its number.
func isOurs(pid int, dir *Directory) bool {
	return slices.Contains(commandLine(pid), dir.file("envoy.yaml"))
}

// commandLine is empty if pid is no live process.
func commandLine(pid int) []string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// Stop drains Envoy, ends it and returns when it has ended.
func (p *Process) Stop(ctx context.Context) error {
	drain, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	p.Drain(drain) // as far as it goes: the signals below end Envoy in any case
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-p.Exited:
			return nil
		default:
		}
		if err := syscall.Kill(p.pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("envoy (pid %d): %w", p.pid, err)
		}
		select {
		case <-p.Exited:
			return nil
		case <-time.After(termTimeout):
		}
	}
	return fmt.Errorf("envoy (pid %d) does not end", p.pid)
}

// Why says how Envoy ended, with the end of its log.
func (p *Process) Why() error {
	<-p.Exited
	return p.WithLog(fmt.Errorf("envoy ended (%s)", p.status))
}

// logTail is how many lines of Envoy's log go into an error.
const logTail = 20

// WithLog adds the end of Envoy's log to err.
func (p *Process) WithLog(err error) error {
	data, readErr := os.ReadFile(p.dir.file("envoy.log"))
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return fmt.Errorf("%w; the end of its log:\n%s", err, strings.Join(lines[max(0, len(lines)-logTail):], "\n"))
}
