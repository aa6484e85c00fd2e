package model

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
)

// maxFile bounds the document and each file that it names, in bytes.
const maxFile = 8 << 20

// readFile reads a regular file of at most maxFile bytes.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// fileFault is what is wrong with a file, without its name.
func fileFault(data []byte, err error) error {
	fault := (*fs.PathError)(nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case errors.As(err, &fault):
		return fault.Err
	case err == nil && len(data) > maxFile:
		return fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	return err
}

// source is a YAML file whose nodes have positions.
type source struct {
	name  string
	lines [][]byte
	bytes map[int][]int // for a line that is not ASCII: the byte column of each character
}

// parseYAML reads a file that holds one YAML document. The root is nil if
// there is none or it is malformed.
func parseYAML(name string, data []byte, diags *diag.List) (src *source, root *yaml.Node) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	src = &source{name: name, lines: bytes.Split(data, []byte("\n")), bytes: map[int][]int{}}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		diags.Errorf(diag.Pos{File: name}, "the file is empty")
		return src, nil
	case err != nil:
		line, message := diag.YAMLFault(data, err)
		diags.Errorf(diag.Pos{File: name, Line: line}, "%s", message)
		return src, nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		diags.Errorf(src.pos(second.Content[0]), "a second YAML document in one file")
		return src, nil
	case !errors.Is(err, io.EOF):
		line, message := diag.YAMLFault(data, err)
		diags.Errorf(diag.Pos{File: name, Line: line}, "%s", message)
		return src, nil
	}
	return src, first.Content[0]
}

// pos is where n starts. YAML's columns count characters, ours bytes.
func (s *source) pos(n *yaml.Node) diag.Pos {
	pos := diag.Pos{File: s.name, Line: n.Line, Col: n.Column}
	if n.Line < 1 || n.Line > len(s.lines) {
		return pos // YAML has line ends that editors don't have, such as U+2028
	}
	columns, ok := s.bytes[n.Line]
	if !ok {
		columns = byteColumns(s.lines[n.Line-1])
		s.bytes[n.Line] = columns
	}
	if 0 < n.Column && n.Column <= len(columns) {
		pos.Col = columns[n.Column-1]
	}
	return pos
}

// byteColumns is the byte column of each character of the line; nil if all of
// them are ASCII.
func byteColumns(line []byte) []int {
	if bytes.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return nil
	}
	var columns []int
	for i := range string(line) {
		columns = append(columns, i+1)
	}
	return append(columns, len(line)+1)
}
