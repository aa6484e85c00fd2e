package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func child(t *testing.T, script string) *process {
	t.Helper()
	p, err := start("child", filepath.Join(t.TempDir(), "child.log"), "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func TestStop(t *testing.T) {
	p := child(t, "exec sleep 60")
	p.stop()
	if err := syscall.Kill(p.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the child is still there (%v)", err)
	}
	p.stop() // once more does no harm
}

func TestAwait(t *testing.T) {
	never := func() bool { return false }
	t.Run("ready", func(t *testing.T) {
		asked := 0
		ready := func() bool { asked++; return asked == 3 }
		if err := await(t.Context(), ready, child(t, "exec sleep 60")); err != nil {
			t.Error(err)
		}
	})
	t.Run("ended", func(t *testing.T) {
		p := child(t, "for i in $(seq 20); do echo line $i; done; exit 3")
		err := await(t.Context(), never, p)
		if err == nil || !strings.HasPrefix(err.Error(), "child ended: exit status 3; the end of "+p.log+":\nline 6\n") {
			t.Errorf("%v, want exit status 3 and the last 15 lines", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*poll)
		defer cancel()
		begin := time.Now()
		if err := await(ctx, never, child(t, "exec sleep 60")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want %v", err, context.DeadlineExceeded)
		}
		if waited := time.Since(begin); waited > startTimeout/2 {
			t.Errorf("waited %s", waited)
		}
	})
}
