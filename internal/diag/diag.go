// Package diag holds positions in source documents and the diagnostics
// found there.
//
// A stage that reads or compiles user input takes a *List and reports into
// it instead of stopping at the first fault, so that a user sees every
// mistake of a document at once. Positions are 1-based and count columns in
// bytes, as editors and compilers do.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a document. The zero Pos means "nowhere in particular".
type Pos struct {
	File string
	Line int // 1-based; 0 if unknown
	Col  int // 1-based, in bytes; 0 if unknown
}

// String renders file:line:col, leaving out what is unknown.
func (p Pos) String() string {
	switch {
	case p.File == "" && p.Line == 0:
		return "-"
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// Severity says what a diagnostic means for the document it is about.
type Severity uint8

const (
	// Error: the document can't be used.
	Error Severity = iota
	// Warning: the document is used, but not everything it says is enforced.
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one message about one place.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	Message  string
}

// String renders "file:line:col: message", with "warning: " before the
// message of a warning.
func (d Diagnostic) String() string {
	if d.Severity == Warning {
		return fmt.Sprintf("%s: warning: %s", d.Pos, d.Message)
	}
	return fmt.Sprintf("%s: %s", d.Pos, d.Message)
}

// List collects diagnostics. The zero List is ready to use; a nil *List
// discards what is reported to it. A List is not safe for concurrent use.
type List struct {
	items []Diagnostic
}

// Errorf reports an error at pos.
func (l *List) Errorf(pos Pos, format string, args ...any) {
	l.add(pos, Error, format, args)
}

// Warnf reports a warning at pos.
func (l *List) Warnf(pos Pos, format string, args ...any) {
	l.add(pos, Warning, format, args)
}

func (l *List) add(pos Pos, s Severity, format string, args []any) {
	if l != nil {
		l.items = append(l.items, Diagnostic{pos, s, fmt.Sprintf(format, args...)})
	}
}

// Merge reports everything that other holds.
func (l *List) Merge(other *List) {
	if l != nil && other != nil {
		l.items = append(l.items, other.items...)
	}
}

// Errors returns those that are errors.
func (l *List) Errors() *List {
	errors := &List{}
	if l != nil {
		errors.items = slices.DeleteFunc(slices.Clone(l.items), func(d Diagnostic) bool { return d.Severity != Error })
	}
	return errors
}

// HasErrors reports whether any diagnostic is an error.
func (l *List) HasErrors() bool {
	return l != nil && slices.ContainsFunc(l.items, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns the diagnostics by position, without repetitions.
func (l *List) Sorted() []Diagnostic {
	if l == nil {
		return nil
	}
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Severity, b.Severity), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(out)
}

// Err returns nil if there is no error, else an error whose text is every
// error diagnostic, one a line.
func (l *List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return listError{l}
}

type listError struct{ list *List }

func (e listError) Error() string {
	var lines []string
	for _, d := range e.list.Sorted() {
		if d.Severity == Error {
			lines = append(lines, d.String())
		}
	}
	return strings.Join(lines, "\n")
}
