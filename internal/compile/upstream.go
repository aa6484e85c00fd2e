package compile

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/violation"
)

const enforce = violation.Enforce

// upstream reads the service's upstream: host:port, or a URL whose path is
// empty.
func (c *compiler) upstream() Upstream {
	s := c.service
	text := s.Upstream
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		c.diags.Errorf(s.Service.Pos, "service %s: upstream %q is neither host:port nor an http or https URL without a path", s.ID, s.Upstream)
		return Upstream{}
	}
	up := Upstream{Host: u.Hostname(), Port: 80, TLS: u.Scheme == "https"}
	if up.TLS {
		up.Port = 443
	}
	if _, port, err := net.SplitHostPort(u.Host); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			c.diags.Errorf(s.Service.Pos, "service %s: upstream %q: port %q is not one of 1 to 65535", s.ID, s.Upstream, port)
		}
		up.Port = uint16(n)
	}
	return up
}
