package admin

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// TokenFile is where the token of the control plane whose admin address is
// address ("host:port") is kept for this user.
func TokenFile(address string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "threatgate", strings.NewReplacer(":", "_", "/", "_").Replace(address)+".token"), nil
}

// newToken draws a token and writes it to file, which only the user can read.
// An error leaves out names.
func newToken(file string) (token string, err error) {
	defer func() {
		if cause := syscall.Errno(0); errors.As(err, &cause) {
			err = cause
		}
	}()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".token-*") // mode 0600
	if err != nil {
		return "", err
	}
	token = rand.Text()
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return token, nil
}

// forget removes the token's file, unless it holds another's by now.
func forget(file, token string) error {
	if data, err := os.ReadFile(file); err != nil || string(data) != token+"\n" {
		return nil
	}
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) { // it may be forgotten from two sides at once
		return err
	}
	return nil
}

// bears reports whether an Authorization header bears the token (RFC 6750).
func bears(authorization, token string) bool {
	scheme, credentials, _ := strings.Cut(authorization, " ")
	return strings.EqualFold(scheme, "bearer") && subtle.ConstantTimeCompare([]byte(credentials), []byte(token)) == 1
}
