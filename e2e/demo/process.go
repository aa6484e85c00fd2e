package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	termTimeout  = 10 * time.Second // from SIGTERM to SIGKILL
	poll         = 50 * time.Millisecond
)

// process is a child that writes to a log file.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
}

// start runs a program. It gets a process group of its own: the terminal's
// Ctrl-C reaches the demo only, which stops its children in order.
func start(name, log, program string, args ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{name: name, log: log, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		p.cmd.Wait() // its error is the state's text, see why
	}()
	return p, nil
}

// stop ends the process, if it has not ended, and returns when it has.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.ended:
	case <-time.After(termTimeout):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// why says how the process ended, with the end of its log.
func (p *process) why() error {
	<-p.ended
	return fmt.Errorf("%s ended: %s; the end of %s:\n%s", p.name, p.cmd.ProcessState, p.log, p.tail())
}

func (p *process) tail() string {
	const lines = 15
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// await returns when ready says so. It is an error if one of the processes
// ends before that, if it takes too long, or if ctx is done. The last process
// is the one that is waited for.
func await(ctx context.Context, ready func() bool, processes ...*process) error {
	last := processes[len(processes)-1]
	deadline := time.Now().Add(startTimeout)
	for !ready() {
		for _, p := range processes {
			select {
			case <-p.ended:
				return p.why()
			default:
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after %s; the end of %s:\n%s", last.name, startTimeout, last.log, last.tail())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
	return nil
}
