// Package watch reports when the content of files has changed.
//
// It watches the directories that hold the files, because editors and
// deployment tools replace a file rather than write into it, and compares
// contents, because a touched file is no change.
package watch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

const (
	quiet = 30 * time.Millisecond  // a change is reported once nothing has happened for so long,
	most  = 200 * time.Millisecond // but no later than this after the first event
	retry = 5 * time.Second        // where the system has no more watches to give
)

// Watcher watches a set of files.
type Watcher struct {
	// Changes receives a value after the content of a file has changed, or
	// the file has come or gone. A change that nobody has received yet
	// covers those that follow it.
	Changes <-chan struct{}

	files  chan map[string][]byte
	read   func(name string) ([]byte, error)
	notify *fsnotify.Watcher
	done   chan struct{}
}

// New starts a watcher that watches nothing yet. It reads files by read, as
// those do who use them.
func New(read func(name string) ([]byte, error), log *zap.Logger) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	changes := make(chan struct{}, 1)
	w := &Watcher{Changes: changes, files: make(chan map[string][]byte), read: read, notify: notify, done: make(chan struct{})}
	go w.run(changes, log)
	return w, nil
}

// Watch replaces the set of files. Each comes with the content that its
// reader saw, nil if there was none: what has changed since then is reported.
func (w *Watcher) Watch(files map[string][]byte) {
	select {
	case w.files <- files:
	case <-w.done:
	}
}

// Close ends the watching.
func (w *Watcher) Close() error {
	err := w.notify.Close()
	<-w.done
	return err
}

// run owns all state.
func (w *Watcher) run(changes chan<- struct{}, log *zap.Logger) {
	defer close(w.done)
	seen := map[string]digest{}
	var first time.Time // of the events not yet looked into
	timer := time.NewTimer(0)
	timer.Stop()
	for {
		select {
		case files := <-w.files:
			clear(seen)
			for path, content := range files {
				seen[path] = digestOf(content)
			}
			// What changed before this, nothing may tell of; what is being
			// written, an event will.
			w.watchDirectories(seen) // its error comes again, at the look
			first = time.Now()
			timer.Reset(quiet)
		case _, ok := <-w.notify.Events:
			if !ok {
				return
			}
			if first.IsZero() {
				first = time.Now()
			}
			timer.Reset(min(quiet, time.Until(first.Add(most))))
		case err, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			log.Warn("watching files", zap.Error(err)) // an overflow: events were lost, so look
			timer.Reset(quiet)
		case <-timer.C:
			first = time.Time{}
			if err := w.watchDirectories(seen); errors.Is(err, fsnotify.ErrClosed) {
				return
			} else if err != nil {
				log.Warn("can't watch files, so looking at them now and then", zap.Error(err))
				timer.Reset(retry)
			}
			if w.update(seen) {
				select {
				case changes <- struct{}{}:
				default:
				}
			}
		}
	}
}

// watchDirectories watches the directory of each file or, while that is
// missing, the nearest one above it that exists; and no other directory.
func (w *Watcher) watchDirectories(files map[string]digest) (errs error) {
	wanted := map[string]bool{}
	for path := range files {
		for _, dir := range directories(path) {
			err := w.notify.Add(dir)
			for missing(err) && dir != filepath.Dir(dir) {
				dir = filepath.Dir(dir)
				err = w.notify.Add(dir)
			}
			if err != nil {
				errs = errors.Join(errs, fmt.Errorf("%s: %w", dir, err))
			}
			wanted[dir] = true
		}
	}
	for _, dir := range w.notify.WatchList() {
		if !wanted[dir] {
			w.notify.Remove(dir) // fails only if it has gone by itself
		}
	}
	return errs
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// directories returns where events about path appear: its directory and,
// where path leads through symbolic links, that of what they lead to.
func directories(path string) []string {
	dirs := []string{filepath.Dir(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(target) != dirs[0] {
		dirs = append(dirs, filepath.Dir(target))
	}
	return dirs
}

// digest is the SHA-256 of a content; the zero digest is a missing file's.
type digest [sha256.Size]byte

func digestOf(content []byte) digest {
	if content == nil {
		return digest{}
	}
	return sha256.Sum256(content)
}

// update reads every file and reports whether any differs from its digest.
func (w *Watcher) update(seen map[string]digest) bool {
	changed := false
	for path, before := range seen {
		content, err := w.read(path)
		if err != nil {
			content = nil
		}
		if now := digestOf(content); now != before {
			seen[path] = now
			changed = true
		}
	}
	return changed
}
