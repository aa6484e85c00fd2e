package schema_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce/schema"
)

// near makes JSON that is near to what plainSchema allows.
type near struct{ *rand.Rand }

func (n near) pick(texts ...string) string { return texts[n.IntN(len(texts))] }

func (n near) object(depth int) string {
	members := []string{`"id":` + n.pick(`"a"`, `"abcdefgh"`, `"abcdefghi"`, `"\u0061"`, `"é"`, `""`)}
	for range n.IntN(5) {
		name := n.pick("n", "price", "rate", "steps", "on", "any", "sixteen-letters-", "seventeen-letters", "list", "rows", "self", "few", "closed", "set", "either", "other", `o\u006e`)
		members = append(members, fmt.Sprintf(`"%s"%s:%s%s`, name, n.pick("", "", " "), n.pick("", "", "\n "), n.value(name, depth)))
	}
	n.Shuffle(len(members), func(i, k int) { members[i], members[k] = members[k], members[i] })
	return "{" + n.pick("", " ") + strings.Join(members, n.pick(",", ", ", ",\n\t")) + n.pick("", " ") + "}"
}

func (n near) value(name string, depth int) string {
	if depth == 0 || n.IntN(6) == 0 {
		return n.number()
	}
	switch name {
	case "on":
		return n.pick("true", "false", "null")
	case "list", "set":
		return n.list(n.number)
	case "rows":
		return n.list(func() string { return n.list(func() string { return n.object(depth - 1) }) })
	case "self":
		return n.object(depth - 1)
	case "few", "closed":
		return n.pick("{}", `{"a":1}`, `{"a":1,"b":2}`, `{"a":1,"a":2}`, `{"a":1,"b":2,"c":3}`, `{"a":`+n.number()+`}`)
	}
	return n.pick(`"red"`, `"xyz"`, `"Zoë"`, `"long"`, `"a value of more than sixteen bytes"`, `"\ud83d\ude00"`, `"\ud83d"`, "null", "[1,{}]", n.number())
}

func (n near) list(item func() string) string {
	var items []string
	for range n.IntN(4) {
		items = append(items, item())
	}
	return "[" + strings.Join(items, n.pick(",", " , ")) + "]"
}

// number has up to as many digits as stand on both sides of what is plain.
func (n near) number() string {
	var b strings.Builder
	b.WriteString(n.pick("", "", "-"))
	for range 1 + n.IntN(18) {
		b.WriteByte(byte('0' + n.IntN(10)))
		if n.IntN(4) == 0 {
			break
		}
	}
	b.WriteString(n.pick("", "", "", ".", ".0", ".25", ".5000000000000001", "e1", "E-2", "e400", "e"))
	return b.String()
}

// TestPlainAgrees: what is found does not depend on how much of a text can be
// seen at once, for texts near the schema and such with one byte changed.
func TestPlainAgrees(t *testing.T) {
	const cases, marks = 20_000, "{}[],:\"\\0-.e \x00\xff"
	p, root := compile(t, "3.0.3", plainSchema)
	n := near{rand.New(rand.NewPCG(1, 0))}
	var m schema.Machine
	valid := 0
	for range cases {
		text := []byte(n.object(3))
		switch n.IntN(4) {
		case 0:
			text[n.IntN(len(text))] = marks[n.IntN(len(marks))]
		case 1:
			text = text[:n.IntN(len(text))]
		}
		var bytes [][]byte
		for i := range text {
			bytes = append(bytes, text[i:i+1])
		}
		cut := n.IntN(len(text) + 1)
		for _, o := range []schema.Options{all, {MaxDepth: 4, MaxToken: 16, FailFast: true, MaxViolations: 1}} {
			want := judge(&m, p, root, o, bytes...)
			for _, chunks := range [][][]byte{{text}, {buffered(string(text))}, {text[:cut:cut], text[cut:]}, {buffered(string(text[:cut])), buffered(string(text[cut:]))}} {
				if got := judge(&m, p, root, o, chunks...); got != want {
					t.Fatalf("%q:\n got %s\nwant %s", chunks, got, want)
				}
			}
			if want == "" {
				valid++
			}
		}
	}
	t.Logf("%d texts; %d of %d verdicts are that nothing is wrong", cases, valid, 2*cases)
	if valid < cases/20 {
		t.Error("so few are valid that little is compared")
	}
}
