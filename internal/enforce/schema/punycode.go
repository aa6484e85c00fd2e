package schema

// The parameters of Punycode (RFC 3492, section 5).
const (
	punyBase     = 36
	punyLeast    = 1
	punyMost     = 26
	punySkew     = 38
	punyDamp     = 700
	punyBias     = 72
	punyFirst    = 0x80
	punyOverflow = 1 << 30
)

// punycode is a label while it is encoded or decoded.
type punycode struct {
	bias  int
	basic int // code points that stand for themselves
}

// threshold is that of the k-th digit (section 6.1).
func (p *punycode) threshold(k int) int {
	return min(max(k*punyBase-p.bias, punyLeast), punyMost)
}

// adapt is the bias after delta, with n code points known (section 6.1).
func (p *punycode) adapt(delta, n int) {
	if delta /= 2; n-1 == p.basic {
		delta /= punyDamp / 2
	}
	delta += delta / n
	p.bias = 0
	for delta > (punyBase-punyLeast)*punyMost/2 {
		delta /= punyBase - punyLeast
		p.bias += punyBase
	}
	p.bias += (punyBase - punyLeast + 1) * delta / (delta + punySkew)
}

// appendDecoded appends what a label of lower-case ASCII stands for, within
// the capacity of dst. It fails if that is ASCII alone (section 6.2).
func appendDecoded(dst, label []rune) ([]rune, bool) {
	p := punycode{bias: punyBias}
	for i, c := range label {
		if c == '-' {
			p.basic = i
		}
	}
	dst = append(dst, label[:p.basic]...)
	if p.basic > 0 {
		label = label[p.basic+1:]
	}
	code, at := punyFirst, 0
	for len(label) > 0 {
		before, weight := at, 1
		for k := 1; ; k++ {
			if len(label) == 0 {
				return nil, false
			}
			digit := punyDigit(label[0])
			label = label[1:]
			at += digit * weight
			if digit < 0 || at > punyOverflow {
				return nil, false
			}
			if digit < p.threshold(k) {
				break
			}
			if weight *= punyBase - p.threshold(k); weight > punyOverflow {
				return nil, false
			}
		}
		n := len(dst) + 1
		if n > cap(dst) {
			return nil, false
		}
		p.adapt(at-before, n)
		code += at / n
		at %= n
		dst = dst[:n]
		copy(dst[at+1:], dst[at:])
		dst[at] = rune(code)
		at++
	}
	return dst, len(dst) > p.basic
}

func punyDigit(c rune) int {
	switch {
	case 'a' <= c && c <= 'z':
		return int(c - 'a')
	case '0' <= c && c <= '9':
		return int(c-'0') + 26
	}
	return -1
}

// appendEncoded appends the encoding of a label within the capacity of dst,
// which is at least the label's length (section 6.3).
func appendEncoded(dst []byte, label []rune) ([]byte, bool) {
	p := punycode{bias: punyBias}
	for _, c := range label {
		if c < punyFirst {
			dst = append(dst, byte(c))
		}
	}
	if p.basic = len(dst); p.basic > 0 {
		dst = append(dst, '-')
	}
	delta, code := 0, rune(punyFirst)
	for n := p.basic; n < len(label); {
		next := rune(1 << 30)
		for _, c := range label {
			if c >= code {
				next = min(next, c)
			}
		}
		delta += int(next-code) * (n + 1)
		code = next
		for _, c := range label {
			if c < code {
				delta++
			}
			if c != code {
				continue
			}
			q := delta
			for k := 1; ; k++ {
				if len(dst) == cap(dst) {
					return nil, false
				}
				t := p.threshold(k)
				if q < t {
					dst = append(dst, punyDigits[q])
					break
				}
				dst = append(dst, punyDigits[t+(q-t)%(punyBase-t)])
				q = (q - t) / (punyBase - t)
			}
			n++
			p.adapt(delta, n)
			delta = 0
		}
		delta++
		code++
	}
	return dst, true
}

const punyDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
