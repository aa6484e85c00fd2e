package envoy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxSocketPath is sun_path of Linux less its final NUL; see unix(7).
const maxSocketPath = 107

// Directory is where one Envoy and its control plane meet: their sockets,
// the bootstrap, the log, the pid and the control plane's state. Its path follows from the user and the
// listen address, so that a later control plane finds an Envoy that survived
// an earlier one. Whoever has it open has it alone.
type Directory struct {
	path string
	lock *os.File
}

// OpenDirectory makes and locks the directory for an Envoy that listens on
// listen ("host:port").
func OpenDirectory(listen string) (*Directory, error) {
	parent := filepath.Join(os.TempDir(), fmt.Sprintf("threatgate-%d", os.Getuid()))
	path := filepath.Join(parent, strings.NewReplacer(":", "_", "/", "_").Replace(listen))
	d := &Directory{path: path}
	if len(d.XDS()) > maxSocketPath || len(d.Admin()) > maxSocketPath {
		return nil, fmt.Errorf("%s: too long for a Unix socket; set TMPDIR to a shorter directory", d.XDS())
	}
	for {
		if err := makePrivate(parent); err != nil {
			return nil, err
		}
		err := makePrivate(path)
		var lock *os.File
		if err == nil {
			lock, err = os.OpenFile(d.file("lock"), os.O_CREATE|os.O_RDWR, 0o600)
		}
		if errors.Is(err, os.ErrNotExist) {
			continue // an owner removed a directory just now
		}
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			lock.Close()
			return nil, fmt.Errorf("another threatgate is running the gateway on %s", listen)
		}
		if d.lock = lock; d.holds(lock) {
			return d, d.forgetDead()
		}
		lock.Close()
	}
}

// forgetDead removes the state of an Envoy that is no more.
func (d *Directory) forgetDead() error {
	if _, ok := survivor(d); ok {
		return nil
	}
	return os.RemoveAll(d.State())
}

// makePrivate makes dir, or checks that the one there is only ours: the
// directory above may be writable by all.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil // gone since; the caller notices when it makes a file there
	}
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("%s is not a directory that only this user can enter; remove it", dir)
	}
	return nil
}

// holds reports whether lock is still the file that others will lock, and
// not one that was removed between opening and locking it.
func (d *Directory) holds(lock *os.File) bool {
	held, err1 := lock.Stat()
	there, err2 := os.Stat(d.file("lock"))
	return err1 == nil && err2 == nil && os.SameFile(held, there)
}

// Close gives the directory up. What is in it goes, unless an Envoy that was
// left running still needs it.
func (d *Directory) Close() error {
	if _, ok := survivor(d); ok {
		return d.lock.Close()
	}
	err := os.RemoveAll(d.path)
	if siblings := os.Remove(filepath.Dir(d.path)); siblings != nil && !errors.Is(siblings, syscall.ENOTEMPTY) && !errors.Is(siblings, os.ErrNotExist) {
		err = errors.Join(err, siblings)
	}
	return errors.Join(err, d.lock.Close())
}

// XDS is the path of the control plane's Unix socket.
func (d *Directory) XDS() string { return d.file("xds.sock") }

// State is the path of a directory for what must outlive the control plane as
// long as Envoy does.
func (d *Directory) State() string { return d.file("state") }

// Admin is the path of Envoy's admin socket.
func (d *Directory) Admin() string { return d.file("admin.sock") }

func (d *Directory) file(name string) string { return filepath.Join(d.path, name) }
