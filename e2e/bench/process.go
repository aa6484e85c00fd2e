package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a child of ours.
type process struct {
	*exec.Cmd
	exited chan struct{} // closed once it has ended
	log    string        // file of its standard error
}

const stopTimeout = 20 * time.Second // for threatgate, which stops an Envoy first

func start(dir, name string, command *exec.Cmd) (*process, error) {
	p := &process{Cmd: command, exited: make(chan struct{}), log: filepath.Join(dir, name+".log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.Stderr = log
	// A group of its own: a Ctrl-C is for us, who stop it.
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.Wait() // how it ended is in its log
		close(p.exited)
	}()
	return p, nil
}

// stop ends the process and waits for its end.
func (p *process) stop() {
	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		p.Process.Kill()
		<-p.exited
	}
}

func (p *process) ended() error {
	select {
	case <-p.exited:
		text, err := os.ReadFile(p.log)
		return errors.Join(fmt.Errorf("%s ended:\n%s", p.Path, text), err)
	default:
		return nil
	}
}

// cpuTime is the processor time that all threads of a process have used, in
// user and kernel mode, with the resolution of the scheduler: the times in
// /proc are of ten milliseconds. The clock is clock_getcpuclockid(3)'s.
func cpuTime(pid int) (time.Duration, error) {
	const schedClock = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// children are the ids of the processes that a process has started.
func children(pid int) ([]int, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			pids = append(pids, child)
		}
	}
	return pids, nil
}
