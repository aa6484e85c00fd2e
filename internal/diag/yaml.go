package diag

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strconv"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// maxStep bounds how far YAMLFault goes back, in lines, so that it reads a
// large file few times.
const maxStep = 64

// YAMLFault returns the line of data in which the YAML package fails, with err,
// and its message. Of a block that isn't well-formed, the package itself tells
// only where the block begins.
func YAMLFault(data []byte, err error) (line int, message string) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last]
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	message = err.Error()[len(m[0]):]
	named, _ := strconv.Atoi(m[1])

	// The line is the last of the fewest that fail like this. What is begun and
	// never ended fails in the line that is named, which the package's scanner
	// counts from 1 and its parser from 0.
	_, last := failsLike(err, lines)
	for line := max(named, 1); line <= min(named+1, last); line++ {
		if same, _ := failsLike(err, lines[:line]); same {
			return line, message
		}
	}
	// Else it is near the last that was looked at.
	for step := 1; step < last; step *= 2 {
		if same, _ := failsLike(err, lines[:last-step]); !same {
			first := last - step
			return first + 1 + sort.Search(step-1, func(i int) bool {
				same, _ := failsLike(err, lines[:first+1+i])
				return same
			}), message
		}
		if last -= step; step == maxStep {
			break
		}
	}
	return last, message
}

// failsLike reports whether lines fail with err, too, and how many of them the
// YAML package looks at.
func failsLike(err error, lines [][]byte) (same bool, read int) {
	f := &feed{lines: lines}
	fault := yamlError(f)
	return fault != nil && fault.Error() == err.Error(), f.line
}

// yamlError is what the YAML package says of a file that should hold one document.
func yamlError(r io.Reader) error {
	decoder := yaml.NewDecoder(r)
	for range 2 {
		if err := decoder.Decode(new(yaml.Node)); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// feed reads lines one at a time: the last that was read tells how far a reader looked.
type feed struct {
	lines [][]byte
	line  int
	rest  []byte // of that line
}

func (f *feed) Read(p []byte) (n int, err error) {
	if len(f.rest) == 0 {
		if f.line == len(f.lines) {
			return 0, io.EOF
		}
		f.rest = f.lines[f.line]
		f.line++
	}
	n = copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}
