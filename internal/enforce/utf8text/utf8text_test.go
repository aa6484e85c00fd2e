package utf8text

import (
	"testing"
	"unicode/utf8"
)

// Every text of up to four bytes that differ in what they mean for UTF-8 is
// judged as unicode/utf8 judges it, wherever it is split.
func TestText(t *testing.T) {
	bytes := []byte{'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff}
	cases := 0
	var judge func(text []byte)
	judge = func(text []byte) {
		for split := range len(text) + 1 {
			cases++
			var in Text
			ok := in.Valid(text[:split]) == split && in.Valid(text[split:]) == len(text)-split && in.Whole()
			if want := utf8.Valid(text); ok != want {
				t.Errorf("% x split at %d: valid %t, want %t", text, split, ok, want)
			}
		}
		if len(text) == 4 {
			return
		}
		for _, c := range bytes {
			judge(append(text[:len(text):len(text)], c))
		}
	}
	judge(nil)
	t.Logf("%d cases", cases)
}
