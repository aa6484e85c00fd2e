package schema

import (
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// TestIntegers: what the filter takes for allowed at a glance is just the
// integers that the bounds allow, up to those that it can't compare so.
func TestIntegers(t *testing.T) {
	const most = artifact.MaxBound
	at := func(number string, open bool) bound {
		return bound{value: artifact.ParseNumeral(nil, []byte(number)), open: open, code: violation.Minimum}
	}
	none := bound{}
	for _, row := range []struct {
		min, max  bound
		divisor   uint64
		low, high int64
	}{
		{none, none, 0, -most, most},
		{at("1", false), at("100", false), 0, 1, 100},
		{at("1", true), at("100", true), 0, 2, 99},
		{at("-1.5", false), at("1.5", false), 0, -1, 1},
		{at("-1.5", true), at("1.5", true), 0, -1, 1},
		{at("0.1", false), at("0.9", false), 0, 1, 0},
		{at("0", true), none, 0, 1, most},
		{none, at("-0.0", true), 0, -most, -1},
		{at("-1e11", false), at("1e11", false), 0, -most, most},
		{at("-1e11", true), at("1e11", true), 0, -most + 1, most - 1},
		{at("-9223372036854775808", false), at("9223372036854775807", false), 0, -most, most},
		{at("1e300", false), none, 0, most + 1, most},
		{none, at("-1e300", false), 0, -most, -most - 1},
		{at("0.0000000000000000000000000001", false), none, 0, 1, most},
		{at("5", false), at("3", false), 0, 5, 3},
		{at("1", false), at("100", false), 5, 1, 0},
	} {
		r := numberRule{min: row.min, max: row.max, divisor: row.divisor}
		if low, high := r.integers(); low != row.low || high != row.high {
			t.Errorf("%+v to %+v: %d to %d, want %d to %d", row.min, row.max, low, high, row.low, row.high)
		}
	}
}
