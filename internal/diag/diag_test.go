package diag

import "testing"

func TestList(t *testing.T) {
	var l List
	if l.Err() != nil || l.HasErrors() {
		t.Error("an empty list has errors")
	}
	l.Warnf(Pos{"b.yaml", 2, 1}, "odd")
	if l.Err() != nil {
		t.Error("a warning is an error")
	}
	l.Errorf(Pos{"b.yaml", 10, 3}, "wrong %s", "type")
	l.Errorf(Pos{"b.yaml", 2, 7}, "unknown field")
	l.Errorf(Pos{"a.yaml", 9, 0}, "no column")
	l.Errorf(Pos{File: "c.yaml"}, "empty file")
	l.Errorf(Pos{"b.yaml", 2, 7}, "unknown field") // said twice, reported once

	const want = `a.yaml:9: no column
b.yaml:2:7: unknown field
b.yaml:10:3: wrong type
c.yaml: empty file`
	if got := l.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if first := l.Sorted()[1]; first.String() != "b.yaml:2:1: warning: odd" {
		t.Errorf("got %s", first)
	}
}

func TestNilListDiscards(t *testing.T) {
	var l *List
	l.Errorf(Pos{}, "lost")
	l.Merge(&List{})
	if l.HasErrors() || l.Err() != nil || l.Sorted() != nil {
		t.Error("a nil list keeps something")
	}
}
