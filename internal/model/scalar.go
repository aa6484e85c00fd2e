package model

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// written is one scalar of a document and where it stands. The zero written
// was not given, or was reported as wrong.
type written[T any] struct {
	Value T
	Pos   diag.Pos
}

func (w written[T]) given() bool { return w.Pos != diag.Pos{} }

// cell is where a decoder puts the scalar.
func (w *written[T]) cell() (value any, pos *diag.Pos) { return &w.Value, &w.Pos }

// The scalars that are more than a string. Each reads itself from its text; an
// error says what the text must be.
type (
	identifier string
	trust      uint8
	count      uint32
	size       struct{ bytes uint32 }
	rate       struct {
		count  uint32
		window time.Duration
	}
	date      struct{ time.Time } // midnight, UTC
	listen    struct{ address string }
	upstream  struct{ address string }
	remote    string
	parameter struct {
		in   inventory.In
		name string
	}
)

var identifierForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)

func (i *identifier) UnmarshalText(text []byte) error {
	if !identifierForm.Match(text) {
		return errors.New(`at most 64 letters, digits, ".", "_" and "-", the first and last a letter or digit`)
	}
	*i = identifier(text)
	return nil
}

func (t *trust) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 8)
	if err != nil || n > 100 {
		return errors.New("a whole number from 0 to 100")
	}
	*t = trust(n)
	return nil
}

func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil || n == 0 {
		return errors.New("a whole number from 1 to 4294967295")
	}
	*c = count(n)
	return nil
}

var (
	sizeForm  = regexp.MustCompile(`^([1-9][0-9]{0,9})(B|KB|KiB|MB|MiB|GB|GiB)?$`)
	sizeUnits = map[string]uint64{"": 1, "B": 1, "KB": 1e3, "KiB": 1 << 10, "MB": 1e6, "MiB": 1 << 20, "GB": 1e9, "GiB": 1 << 30}
)

func (s *size) UnmarshalText(text []byte) error {
	m := sizeForm.FindStringSubmatch(string(text))
	if m != nil {
		n, _ := strconv.ParseUint(m[1], 10, 64) // ten digits fit
		if n *= sizeUnits[m[2]]; n < 1<<32 {
			s.bytes = uint32(n)
			return nil
		}
	}
	return errors.New(`a size below 4GiB such as 65536, 512KiB or 1MB`)
}

var (
	rateForm  = regexp.MustCompile(`^([1-9][0-9]{0,8})/(s|sec|second|min|minute|h|hour|d|day)$`)
	rateUnits = map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "second": time.Second,
		"min": time.Minute, "minute": time.Minute,
		"h": time.Hour, "hour": time.Hour,
		"d": 24 * time.Hour, "day": 24 * time.Hour,
	}
)

func (r *rate) UnmarshalText(text []byte) error {
	m := rateForm.FindStringSubmatch(string(text))
	if m == nil {
		return errors.New("a rate such as 5/s, 30/min, 100/hour or 1000/day")
	}
	n, _ := strconv.ParseUint(m[1], 10, 32) // nine digits fit
	r.count, r.window = uint32(n), rateUnits[m[2]]
	return nil
}

func (d *date) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return errors.New("a date such as 2027-01-31")
	}
	return nil
}

func (l *listen) UnmarshalText(text []byte) error {
	at, err := netip.ParseAddrPort(string(text))
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" {
		return errors.New("an IP address and a port such as 127.0.0.1:10001 or [::]:443")
	}
	l.address = at.String()
	return nil
}

// authorityForm is a host, or an IP address as URLs write it (RFC 3986,
// section 3.2.2), and a port.
var authorityForm = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:([0-9]{1,5}))?$`)

// ParseUpstream reads an upstream as a document gives it. An error says what
// it must be.
func ParseUpstream(text string) (address string, err error) {
	var u upstream
	err = u.UnmarshalText([]byte(text))
	return u.address, err
}

func (u *upstream) UnmarshalText(text []byte) error {
	wrong := errors.New("host:port or an http(s) URL without a path, such as 127.0.0.1:8080 or https://orders.example")
	authority, isURL := string(text), false
	if at, err := url.Parse(authority); err == nil && (at.Scheme == "http" || at.Scheme == "https") {
		if strings.TrimSuffix(authority, "/") != at.Scheme+"://"+at.Host {
			return wrong
		}
		authority, isURL = at.Host, true
	}
	m := authorityForm.FindStringSubmatch(authority)
	if m == nil {
		return wrong
	}
	if port, err := strconv.ParseUint(m[4], 10, 16); (m[3] != "" || !isURL) && (err != nil || port == 0) {
		return wrong
	}
	if host := strings.Trim(m[1], "[]"); host != m[1] {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.Is6() {
			return wrong
		}
	}
	u.address = strings.TrimSuffix(string(text), "/")
	return nil
}

func (r *remote) UnmarshalText(text []byte) error {
	uri, err := url.Parse(string(text))
	if err != nil || !uri.IsAbs() || strings.ContainsRune(string(text), '#') {
		return errors.New("the whole URI of a document, such as https://schemas.example/order.json, without a fragment")
	}
	*r = remote(text)
	return nil
}

func (p *parameter) UnmarshalText(text []byte) error {
	place, name, _ := strings.Cut(string(text), ".")
	for in := inventory.InPath; in <= inventory.InCookie; in++ {
		if in.String() == place && name != "" {
			p.in, p.name = in, name
			return nil
		}
	}
	return errors.New("a place and a name such as path.orderId, query.id, header.X-Account or cookie.account")
}
