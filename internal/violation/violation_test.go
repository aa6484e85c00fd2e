package violation

import (
	"slices"
	"testing"
)

func TestEveryCodeHasItsFacts(t *testing.T) {
	seen := map[string]Code{}
	for c := None + 1; c < codeCount; c++ {
		if c.String() == "" || c.Title() == "" || c.Status() < 400 || c.Status() > 599 {
			t.Errorf("code %d: text %q, title %q, status %d", c, c.String(), c.Title(), c.Status())
		}
		urn := c.Family().String() + ":" + c.String()
		if other, dup := seen[urn]; dup {
			t.Errorf("codes %d and %d are both %s", other, c, urn)
		}
		seen[urn] = c
		if got, ok := ParseCode(c.Family().String(), c.String()); !ok || got != c {
			t.Errorf("ParseCode(%s) = %d, %t, want %d", urn, got, ok, c)
		}
	}
}

func TestWireRoundTrip(t *testing.T) {
	in := []Violation{
		{Pattern, InBody, "/items/0/sku", "#/components/schemas/Item/properties/sku", "API4-02"},
		{UndeclaredParameter, InQuery, "*", "", Contract},
		{ErrorStatus, InResponse, "", "", Contract},
		{WriteOnly, InResponseStream, "/password", "#/components/schemas/User", Contract},
	}
	var wire []byte
	for _, v := range in {
		wire = v.AppendWire(wire)
	}
	out, ok := ParseWire(string(wire))
	if !ok || !slices.Equal(out, in) {
		t.Fatalf("ParseWire(%q) = %+v, %t", wire, out, ok)
	}
	odd := Violation{Required, InQuery, "a\tb", "#/paths/~1x\n/get", "API8-01"}
	even := Violation{Required, InQuery, "a b", "#/paths/~1x /get", "API8-01"}
	if out, ok := ParseWire(string(odd.AppendWire(nil))); !ok || len(out) != 1 || out[0] != even {
		t.Errorf("control characters: %+v, %t", out, ok)
	}
	for _, bad := range []string{"x", "validation\tpattern\tbody\t/a\n", "validation\tnonsense\tbody\t/a\t\t\n", "validation\tpattern\tmoon\t/a\t\t\n"} {
		if got, ok := ParseWire(bad); ok {
			t.Errorf("ParseWire(%q) = %+v, want refusal", bad, got)
		}
	}
}

func TestWeaker(t *testing.T) {
	for _, row := range []struct{ a, b, want Mode }{
		{Enforce, Enforce, Enforce}, {Enforce, Shadow, Shadow}, {Shadow, Enforce, Shadow}, {Shadow, Shadow, Shadow},
		{Off, Enforce, Off}, {Enforce, Off, Off}, {Shadow, Off, Off}, {Off, Shadow, Off},
	} {
		if got := Weaker(row.a, row.b); got != row.want {
			t.Errorf("Weaker(%s, %s) = %s, want %s", row.a, row.b, got, row.want)
		}
	}
}

func TestModes(t *testing.T) {
	for _, m := range []Mode{Shadow, Enforce, Off} {
		if got, ok := ParseMode(m.String()); !ok || got != m {
			t.Errorf("ParseMode(%s) = %v, %t", m, got, ok)
		}
	}
	if _, ok := ParseMode("on"); ok {
		t.Error(`ParseMode("on") succeeded`)
	}
}
