package schema

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
)

// hasFormat judges the formats that are no regular language, or not a small
// one. Strings of more than artifact.MaxFormat bytes have none of them.
func (m *Machine) hasFormat(f artifact.Format, s []byte) bool {
	if len(s) > artifact.MaxFormat {
		return false
	}
	switch f {
	case artifact.FormatDate:
		return isDate(s)
	case artifact.FormatDateTime, artifact.FormatDateTimeLocal:
		isZoned := f == artifact.FormatDateTime
		return len(s) > 11 && isDate(s[:10]) && s[10]|0x20 == 't' && isTime(s[11:], isZoned)
	case artifact.FormatTime, artifact.FormatTimeLocal:
		return isTime(s, f == artifact.FormatTime)
	case artifact.FormatUUID:
		return isUUID(s)
	case artifact.FormatEmail:
		return isEmail(s, nil)
	case artifact.FormatIDNEmail:
		return isEmail(s, &hostname{codePoints: m.program.CodePoints, international: true})
	case artifact.FormatHostname:
		h := hostname{codePoints: m.program.CodePoints}
		return isHostname(s) && (!bytes.Contains(s, []byte("--")) || h.judge(s))
	case artifact.FormatIDNHostname:
		h := hostname{codePoints: m.program.CodePoints, international: true}
		return h.judge(s)
	case artifact.FormatIPv4:
		return isIPv4(s)
	case artifact.FormatIPv6:
		return isIPv6(s)
	case artifact.FormatRegex:
		return hasGroups(s)
	}
	return true
}

// isDate is full-date of RFC 3339, section 5.6, in the calendar.
func isDate(s []byte) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	century, year, month, day := twoDigits(s), twoDigits(s[2:]), twoDigits(s[5:]), twoDigits(s[8:])
	return century >= 0 && year >= 0 && 1 <= month && month <= 12 && 1 <= day && day <= daysIn(100*century+year, month)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// isTime is full-time of RFC 3339, section 5.6, or without a zone partial-time.
// A second 60 is a leap second: it ends a day in UTC (section 5.7), of which
// without a zone only the minute can be told.
func isTime(s []byte, isZoned bool) bool {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return false
	}
	hour, minute, second := twoDigits(s), twoDigits(s[3:]), twoDigits(s[6:])
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return false
	}
	zone := s[8:]
	if len(zone) > 0 && zone[0] == '.' {
		n := 1
		for n < len(zone) && isDigit(zone[n]) {
			n++
		}
		if n == 1 {
			return false
		}
		zone = zone[n:]
	}
	if !isZoned || len(zone) == 0 {
		return !isZoned && len(zone) == 0 && (second < 60 || minute%15 == 14)
	}
	offset := 0
	if zone[0]|0x20 != 'z' || len(zone) != 1 {
		if len(zone) != 6 || zone[0] != '+' && zone[0] != '-' || zone[3] != ':' {
			return false
		}
		h, m := twoDigits(zone[1:]), twoDigits(zone[4:])
		if h < 0 || h > 23 || m < 0 || m > 59 {
			return false
		}
		offset = h*60 + m
		if zone[0] == '-' {
			offset = -offset
		}
	}
	const day = 24 * 60
	return second < 60 || (hour*60+minute-offset+day)%day == day-1
}

// isUUID is the text form of RFC 9562, section 4.
func isUUID(s []byte) bool {
	if len(s) != 36 {
		return false
	}
	if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	second := uint64(binary.LittleEndian.Uint32(s[9:])) | uint64(binary.LittleEndian.Uint32(s[14:]))<<32
	third := uint64(binary.LittleEndian.Uint32(s[19:])) | uint64(binary.LittleEndian.Uint32(s[24:]))<<32
	return areHex(binary.LittleEndian.Uint64(s)) && areHex(second) && areHex(third) && areHex(binary.LittleEndian.Uint64(s[28:]))
}

// areHex reports whether the eight bytes of w are hexadecimal digits. In the
// sums the top bit of a byte is set where the byte is at or above a bound.
func areHex(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	lower := w | ones*0x20
	digits := (w + ones*(0x80-'0')) &^ (w + ones*(0x80-'9'-1))
	letters := (lower + ones*(0x80-'a')) &^ (lower + ones*(0x80-'f'-1))
	return w&tops == 0 && (digits|letters)&tops == tops
}

// isEmail is Mailbox of RFC 5321, section 4.1.2, or, if there is something that
// judges international domains, of RFC 6531, section 3.3.
func isEmail(s []byte, international *hostname) bool {
	at := bytes.LastIndexByte(s, '@')
	if at < 1 || at > 64 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if local[0] == '"' {
		if !isQuotedString(local, international != nil) {
			return false
		}
	} else if !isDotString(local, international != nil) {
		return false
	}
	if n := len(domain); n > 2 && domain[0] == '[' && domain[n-1] == ']' {
		literal := domain[1 : n-1]
		if v6, ok := bytes.CutPrefix(literal, []byte("IPv6:")); ok {
			return isIPv6(v6)
		}
		return isIPv4(literal)
	}
	if international != nil {
		return international.judge(domain)
	}
	return isHostname(domain)
}

func isDotString(s []byte, international bool) bool {
	dot := true // a dot, or nothing, is just before
	for _, c := range s {
		if atext[c] == 0 && (c != '.' || dot) && (c < utf8.RuneSelf || !international) {
			return false
		}
		dot = c == '.'
	}
	return !dot
}

// atext are the characters of an atom (RFC 5322, section 3.2.3).
var atext = func() (set [256]uint8) {
	for c := range set {
		if isLetter(byte(c)) || isDigit(byte(c)) || bytes.IndexByte([]byte("!#$%&'*+-/=?^_`{|}~"), byte(c)) >= 0 {
			set[c] = 1
		}
	}
	return set
}()

func isQuotedString(s []byte, international bool) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			if i == len(s) {
				return false
			}
		} else if s[i] == '"' {
			return false
		}
		if (s[i] < ' ' || s[i] > '~') && (s[i] < utf8.RuneSelf || !international) {
			return false
		}
	}
	return true
}

// isHostname is a name of RFC 1123, section 2.1: labels of letters, digits
// and hyphens.
func isHostname(s []byte) bool {
	if len(s) > maxHostname {
		return false
	}
	label := 0
	for i, c := range s {
		switch {
		case isLetter(c) || isDigit(c):
		case c == '-' && label > 0:
		case c == '.' && label > 0 && s[i-1] != '-':
			label = 0
			continue
		default:
			return false
		}
		if label++; label > maxLabel {
			return false
		}
	}
	return label > 0 && s[len(s)-1] != '-'
}

// isIPv4 is dotted-quad of RFC 2673, section 3.2: no leading zeros.
func isIPv4(s []byte) bool {
	for part := range 4 {
		n, value := 0, 0
		for ; n < len(s) && isDigit(s[n]); n++ {
			value = value*10 + int(s[n]-'0')
		}
		if n == 0 || n > 3 || value > 255 || n > 1 && s[0] == '0' {
			return false
		}
		s = s[n:]
		if part < 3 {
			if len(s) == 0 || s[0] != '.' {
				return false
			}
			s = s[1:]
		}
	}
	return len(s) == 0
}

// isIPv6 is the text form of RFC 4291, section 2.2, without a zone.
func isIPv6(s []byte) bool {
	groups, gap := 0, false
	if bytes.HasPrefix(s, []byte("::")) {
		gap = true
		s = s[2:]
	}
	for len(s) > 0 {
		n := 0
		for n < len(s) && isHex(s[n]) {
			n++
		}
		if n < len(s) && s[n] == '.' {
			groups += 2
			return isIPv4(s) && gap == (groups < 8) && groups <= 8
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		s = s[n:]
		switch {
		case len(s) == 0:
		case bytes.HasPrefix(s, []byte("::")):
			if gap {
				return false
			}
			gap = true
			s = s[2:]
		case s[0] == ':' && len(s) > 1:
			s = s[1:]
		default:
			return false
		}
	}
	return gap == (groups < 8) && groups <= 8
}

// twoDigits is the value of the two decimal digits that s begins with, -1 if
// they are none.
func twoDigits(s []byte) int {
	tens, units := s[0]-'0', s[1]-'0'
	if tens > 9 || units > 9 {
		return -1
	}
	return int(tens)*10 + int(units)
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
