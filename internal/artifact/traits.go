package artifact

// Traits is what IDNA 2008 goes by in a code point: 0 if no label may hold it
// (RFC 5892), else one direction and any of the flags.
type Traits uint8

// Directions are the classes that the Bidi rule tells apart (RFC 5893,
// section 2).
const (
	LeftToRight    Traits = iota + 1 // L
	RightToLeft                      // R, AL
	ArabicNumber                     // AN
	EuropeanNumber                   // EN
	Neutral                          // ES, CS, ET, ON, BN
	NonspacingMark                   // NSM

	DirectionMask Traits = 7
)

const (
	Mark          Traits = 1 << (iota + 3) // can't be first in a label
	Virama                                 // of canonical combining class 9
	JoinsNext                              // of Joining_Type L or D
	JoinsPrevious                          // R or D
	CJK                                    // of the script Hiragana, Katakana or Han
)

// Run is a run of code points of the same traits: the first one, shifted by 8
// bits, and the traits. It ends where the next run begins.
type Run uint32

// First is the first code point of the run.
func (r Run) First() rune { return rune(r >> 8) }

// Traits are those of each code point of the run.
func (r Run) Traits() Traits { return Traits(r) }
