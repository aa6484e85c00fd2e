// Package envoy runs one Envoy for one control plane: it finds the binary,
// starts it or adopts the one that an earlier control plane left running,
// asks it how it is, and stops it.
package envoy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"go.uber.org/zap"
)

// Older versions lack host calls that a filter in standard Go needs, and the
// access logger that counts requests.
const minMajor, minMinor = 1, 40

// Find returns the Envoy binary: the one named, else the first that is new
// enough of the one in $ENVOY, the one on PATH, and envoy or bin/envoy beside the
// running program or one directory above it. Those that are passed over are
// logged.
func Find(ctx context.Context, named string, log *zap.Logger) (string, error) {
	if named != "" {
		path, err := usable(ctx, named)
		if ctx.Err() != nil {
			return "", ctx.Err() // which ended the question after the version, too
		}
		if err != nil {
			return "", fmt.Errorf("--envoy: %w", err)
		}
		return path, nil
	}
	candidates := []string{os.Getenv("ENVOY"), "envoy"}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Dir(self)
		for _, dir := range []string{beside, filepath.Dir(beside)} {
			candidates = append(candidates, filepath.Join(dir, "envoy"), filepath.Join(dir, "bin", "envoy"))
		}
	}
	for i, name := range candidates {
		path, err := usable(ctx, name)
		if err == nil {
			return path, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		missing := errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
		if asked := i == 0 && name != ""; asked || !missing {
			log.Warn("this Envoy is not used", zap.Error(err))
		}
	}
	return "", errors.New("no Envoy: none in $ENVOY, on PATH or beside threatgate; `make envoy` gets one, --envoy names one")
}

// usable is the absolute path of an Envoy that is new enough.
func usable(ctx context.Context, name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	return path, checkVersion(ctx, path)
}

// versionLine is "<path>  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL".
var versionLine = regexp.MustCompile(`version: [^/\s]*/(\d+)\.(\d+)\.\d+[^/\s]*/`)

func checkVersion(ctx context.Context, path string) error {
	out, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %w", path, err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return fmt.Errorf("%s does not say that it is an Envoy", path)
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	if major < minMajor || major == minMajor && minor < minMinor {
		return fmt.Errorf("%s is Envoy %d.%d; %d.%d or newer is needed (`make envoy` gets one)", path, major, minor, minMajor, minMinor)
	}
	return nil
}
