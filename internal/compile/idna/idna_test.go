package idna

import (
	"slices"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
)

func of(c rune) artifact.Traits {
	runs := CodePoints()
	i, found := slices.BinarySearchFunc(runs, c, func(r artifact.Run, c rune) int { return int(r.First() - c) })
	if !found {
		i--
	}
	return runs[i].Traits()
}

func TestTraits(t *testing.T) {
	const (
		l, r, an, en, neutral, nsm = artifact.LeftToRight, artifact.RightToLeft, artifact.ArabicNumber, artifact.EuropeanNumber, artifact.Neutral, artifact.NonspacingMark
		mark, virama, cjk          = artifact.Mark, artifact.Virama, artifact.CJK
		next, previous             = artifact.JoinsNext, artifact.JoinsPrevious
	)
	for _, test := range []struct {
		c    rune
		want artifact.Traits
		name string
	}{
		{'a', l, "a small letter"},
		{'A', 0, "a capital letter"},
		{'7', en, "a digit"},
		{'-', neutral, "the hyphen"},
		{'_', 0, "punctuation"},
		{0x00df, l, "sharp s, an exception"},
		{0x03c2, l, "final sigma, an exception"},
		{0x00b7, neutral, "middle dot, in context"},
		{0x0300, nsm | mark, "a nonspacing mark"},
		{0x0903, l | mark, "a spacing mark"},
		{0x094d, nsm | mark | virama, "a virama"},
		{0x05d0, r, "a Hebrew letter"},
		{0x0627, r | previous, "alef, of Joining_Type R"},
		{0x0628, r | next | previous, "beh, of Joining_Type D"},
		{0x0621, r, "hamza, of Joining_Type U"},
		{0x0640, 0, "tatweel, an exception"},
		{0x0660, an, "an Arabic-Indic digit"},
		{0x06f0, en, "an extended Arabic-Indic digit"},
		{0x200c, neutral, "zero width non-joiner"},
		{0x302e, 0, "an exception"},
		{0x3007, l | cjk, "ideographic zero, an exception"},
		{0x3042, l | cjk, "Hiragana"},
		{0x4e00, l | cjk, "Han"},
		{0xac00, l, "a Hangul syllable"},
		{0x1100, 0, "a Hangul Jamo"},
		{0xff21, 0, "a full-width letter"},
		{0x0378, 0, "not assigned"},
		{0x10ffff, 0, "not a character"},
	} {
		if got := of(test.c); got != test.want {
			t.Errorf("U+%04X, %s: %08b, want %08b", test.c, test.name, got, test.want)
		}
	}
	runs := CodePoints()
	for i := range runs[1:] {
		if runs[i].First() >= runs[i+1].First() || runs[i].Traits() == runs[i+1].Traits() {
			t.Fatalf("runs %x and %x", runs[i], runs[i+1])
		}
	}
	t.Logf("%d runs", len(runs))
	if len(runs) > 4096 {
		t.Error("that is more than 16 KB")
	}
}
