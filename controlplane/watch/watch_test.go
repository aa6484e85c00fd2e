package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"
)

// longest is how long a change may take to be reported, on a busy machine.
const longest = 5 * time.Second

func start(t *testing.T, files ...string) *Watcher {
	t.Helper()
	w, err := New(os.ReadFile, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	contents := map[string][]byte{}
	for _, f := range files {
		contents[f], _ = os.ReadFile(f)
	}
	w.Watch(contents)
	expectQuiet(t, w) // after which the directories are watched
	return w
}

func expectChange(t *testing.T, w *Watcher) {
	t.Helper()
	select {
	case <-w.Changes:
	case <-time.After(longest):
		t.Fatalf("no change reported within %v", longest)
	}
}

func expectQuiet(t *testing.T, w *Watcher) {
	t.Helper()
	select {
	case <-w.Changes:
		t.Fatal("a change was reported where there is none")
	case <-time.After(2 * most):
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(content), 0o600))
}

// A directory that can't be watched because the watching ends is no fault.
func TestCloseIsSilent(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	for range 30 {
		w, err := New(os.ReadFile, zap.New(core))
		must(t, err)
		w.Watch(map[string][]byte{filepath.Join(t.TempDir(), "file"): nil})
		time.Sleep(quiet)
		must(t, w.Close())
	}
	for _, entry := range logged.All() {
		t.Errorf("logged: %s %v", entry.Message, entry.ContextMap())
	}
}

func TestChanges(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, file string)
	}{
		{"written in place", func(t *testing.T, file string) { write(t, file, "two") }},
		{"replaced by a rename", func(t *testing.T, file string) {
			write(t, file+".new", "two")
			must(t, os.Rename(file+".new", file))
		}},
		{"removed", func(t *testing.T, file string) { must(t, os.Remove(file)) }},
		{"removed with its directories", func(t *testing.T, file string) {
			must(t, os.RemoveAll(filepath.Dir(filepath.Dir(file))))
		}},
		{"emptied", func(t *testing.T, file string) { write(t, file, "") }},
		{"directory replaced", func(t *testing.T, file string) {
			dir := filepath.Dir(file)
			must(t, os.Rename(dir, dir+".old"))
			must(t, os.Mkdir(dir, 0o700))
			write(t, file, "two")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a", "b", "spec.yaml")
			must(t, os.MkdirAll(filepath.Dir(file), 0o700))
			write(t, file, "one")
			w := start(t, file)

			tc.change(t, file)
			expectChange(t, w)
			expectQuiet(t, w)

			must(t, os.MkdirAll(filepath.Dir(file), 0o700))
			write(t, file, "three")
			expectChange(t, w)
			expectQuiet(t, w)
		})
	}
}

func TestSymbolicLinkSwapped(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"1", "2"} {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "spec.yaml"), version)
	}
	must(t, os.Symlink("1", filepath.Join(dir, "current")))
	must(t, os.Symlink("current/spec.yaml", filepath.Join(dir, "spec.yaml")))
	w := start(t, filepath.Join(dir, "spec.yaml"))

	must(t, os.Symlink("2", filepath.Join(dir, "next")))
	must(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")))
	expectChange(t, w)
	write(t, filepath.Join(dir, "2", "spec.yaml"), "2 edited")
	expectChange(t, w)
}

func TestSameContentIsNoChange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spec.yaml")
	write(t, file, "one")
	w := start(t, file)
	write(t, file, "one")
	now := time.Now().Add(time.Hour)
	must(t, os.Chtimes(file, now, now))
	write(t, file+".swp", "an editor's")
	expectQuiet(t, w)
}

func TestChangedBeforeWatched(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spec.yaml")
	write(t, file, "two")
	w, err := New(os.ReadFile, zaptest.NewLogger(t))
	must(t, err)
	t.Cleanup(func() { w.Close() })
	w.Watch(map[string][]byte{file: []byte("one")})
	expectChange(t, w)
}

// A file may be half written when it begins to be watched.
func TestQuietBeforeTheFirstLook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spec.yaml")
	write(t, file, "two")
	looked := make(chan time.Time, 100)
	w, err := New(func(name string) ([]byte, error) {
		looked <- time.Now()
		return os.ReadFile(name)
	}, zaptest.NewLogger(t))
	must(t, err)
	t.Cleanup(func() { w.Close() })
	begin := time.Now()
	w.Watch(map[string][]byte{file: []byte("tw")})
	expectChange(t, w)
	if after := (<-looked).Sub(begin); after < quiet {
		t.Errorf("looked after %v, want %v at least", after, quiet)
	}
}

func TestManySavesAreFewChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spec.yaml")
	write(t, file, "0")
	w := start(t, file)
	begin := time.Now()
	for i := range 100 {
		write(t, file, fmt.Sprint(i+1))
		time.Sleep(time.Millisecond)
	}
	expectChange(t, w)
	bound := 2 + int(time.Since(begin)/quiet)
	reports := 1
	for {
		select {
		case <-w.Changes:
			reports++
			continue
		case <-time.After(2 * most):
		}
		break
	}
	if reports > bound {
		t.Errorf("100 saves were reported as %d changes, want at most %d", reports, bound)
	}
}

func TestWatchAfterCloseReturns(t *testing.T) {
	w, err := New(os.ReadFile, zaptest.NewLogger(t))
	must(t, err)
	must(t, w.Close())
	w.Watch(map[string][]byte{"spec.yaml": nil})
}
