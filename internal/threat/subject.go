package threat

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
)

// What words are about, and how what holds of it is put in the vocabulary.

type operationSubject struct {
	*model.Operation
	graph    *model.Graph
	versions versions // of the service
}

type serviceSubject struct{ *model.Service }

type flowSubject struct{ *model.Flow }

func (o operationSubject) names() []string {
	out := []string{o.ID}
	for segment := range strings.SplitSeq(o.Path, "/") {
		if !strings.Contains(segment, "{") {
			out = append(out, segment)
		}
	}
	return out
}

func (o operationSubject) security() []string {
	if o.Security.Public() {
		return []string{"none"}
	}
	out := []string{"required"}
	for _, requirement := range o.Security.Alternatives {
		for _, use := range requirement {
			switch scheme := o.Version.API.Schemes[use.Scheme]; {
			case scheme == nil:
			case scheme.Kind == inventory.SchemeBearer:
				out = append(out, "bearer")
			case scheme.Kind == inventory.SchemeBasic:
				out = append(out, "basic")
			case scheme.Kind == inventory.SchemeAPIKey && scheme.In == inventory.InQuery:
				out = append(out, "key-in-query")
			}
		}
	}
	return out
}

func (o operationSubject) scopes() []string {
	scoped := func(r inventory.Requirement) bool {
		return slices.ContainsFunc(r, func(u inventory.SchemeUse) bool { return len(u.Scopes) > 0 })
	}
	for _, requirement := range o.Security.Alternatives {
		if !scoped(requirement) {
			return []string{"none"}
		}
	}
	if len(o.Security.Alternatives) == 0 {
		return []string{"none"}
	}
	return []string{"some"}
}

func (o operationSubject) issuers() []string {
	known := o.graph.IssuersOf(o.Service)
	if len(known) == 0 {
		return []string{"none"}
	}
	if slices.ContainsFunc(known, func(i *model.Issuer) bool { return len(i.Audiences) == 0 }) {
		return []string{"known", "without-audience"}
	}
	return []string{"known"}
}

func (o operationSubject) limits() []string {
	if o.Limit == nil {
		return []string{"none"}
	}
	return []string{[...]string{model.PerAddress: "address", model.PerSubject: "subject", model.PerOperation: "operation"}[o.Limit.Per]}
}

// versions are the paths of a service that name a version, by method and by
// what they have in common with those that differ in nothing else.
type versions map[string][]versionedPath

type versionedPath struct {
	of       *inventory.Operation
	segments []string
}

func versionsOf(s *model.Service) versions {
	all := versions{}
	for _, o := range s.Operations {
		for _, base := range o.BasePaths {
			segments := strings.Split(base+o.Path, "/")
			if shape, named := shapeOf(o.Method, segments); named {
				all[shape] = append(all[shape], versionedPath{o.Operation, segments})
			}
		}
	}
	return all
}

// shapeOf is a path without the versions and names of parameters in it, and
// whether it has a version.
func shapeOf(method string, segments []string) (shape string, named bool) {
	shape = method
	for _, segment := range segments {
		switch {
		case isVersion(segment):
			named, segment = true, "v"
		case strings.HasPrefix(segment, "{"):
			segment = "{"
		}
		shape += "/" + segment
	}
	return shape, named
}

// superseded reports whether the service has the same method and path with a
// higher version in one segment: /v2/orders beside /v3/orders.
func (o operationSubject) superseded() bool {
	for _, base := range o.BasePaths {
		mine := strings.Split(base+o.Path, "/")
		shape, _ := shapeOf(o.Method, mine)
		for _, other := range o.versions[shape] {
			if other.of != o.Operation.Operation && newerPath(other.segments, mine) {
				return true
			}
		}
	}
	return false
}

func isVersion(segment string) bool {
	_, ok := parseVersion(segment)
	return ok
}

// newerPath reports whether path is old with a higher version somewhere.
func newerPath(path, old []string) bool {
	if len(path) != len(old) {
		return false
	}
	newer := false
	for i, segment := range path {
		parameters := strings.HasPrefix(segment, "{") && strings.HasPrefix(old[i], "{")
		if segment == old[i] || parameters {
			continue
		}
		new, isVersion := parseVersion(segment)
		was, wasVersion := parseVersion(old[i])
		if !isVersion || !wasVersion || slices.Compare(new, was) <= 0 {
			return false
		}
		newer = true
	}
	return newer
}

// parseVersion reads "v2" or "v2.7".
func parseVersion(segment string) (numbers []int, ok bool) {
	digits, ok := strings.CutPrefix(segment, "v")
	if !ok {
		return nil, false
	}
	for part := range strings.SplitSeq(digits, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

func (v value) types() []string {
	if v.schema.Types == inventory.TypeAny {
		return nil
	}
	var out []string
	for _, t := range []struct {
		name string
		bit  inventory.TypeSet
	}{
		{"boolean", inventory.TypeBoolean}, {"integer", inventory.TypeInteger}, {"number", inventory.TypeNumber},
		{"string", inventory.TypeString}, {"array", inventory.TypeArray}, {"object", inventory.TypeObject},
	} {
		if v.schema.Types&t.bit != 0 {
			out = append(out, t.name)
		}
	}
	return out
}

// mediaTypes is a media type without its parameters, and its range.
func mediaTypes(mediaType string) []string {
	if mediaType == "" {
		return nil
	}
	essence, _, _ := strings.Cut(mediaType, ";")
	essence = strings.TrimSpace(essence)
	family, _, _ := strings.Cut(essence, "/")
	return []string{essence, family + "/*"}
}

func (s serviceSubject) upstream() []string {
	address, tls := s.Upstream, false
	if scheme, rest, isURL := strings.Cut(s.Upstream, "://"); isURL {
		address, tls = rest, scheme == "https"
	}
	switch {
	case address == "":
		return []string{"none"}
	case tls:
		return []string{"tls"}
	case isLoopback(address):
		return []string{"loopback"}
	}
	return []string{"plain"}
}

// isLoopback takes host:port or a host.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (s serviceSubject) hosts() []string {
	var out []string
	for _, v := range s.Versions {
		for _, server := range v.API.Servers {
			if server.Host != "" {
				out = append(out, server.Host)
			}
		}
	}
	return out
}

func end(e model.Endpoint) string {
	if e.Service != nil {
		return "service"
	}
	return "zone"
}

func (f flowSubject) trust() []string {
	switch cmp.Compare(trustOf(f.To), trustOf(f.From)) {
	case -1:
		return []string{"lower"}
	case 1:
		return []string{"higher"}
	}
	return []string{"same"}
}

func trustOf(e model.Endpoint) int {
	if zone := e.TrustZone(); zone != nil {
		return zone.Trust
	}
	return 0
}

func (f flowSubject) authn() []string {
	if f.Issuer == nil {
		return []string{"none"}
	}
	return []string{"issuer"}
}

func (f flowSubject) token() []string {
	switch {
	case f.Token.Exchange != "":
		return []string{"exchange"}
	case f.Token.Strip:
		return []string{"strip"}
	case f.Token.Forward:
		return []string{"forward"}
	}
	return []string{"none"}
}

func (f flowSubject) sensitivities() (out []string) {
	for _, a := range f.Assets {
		out = append(out, a.Sensitivity)
	}
	return out
}

func (f flowSubject) categories() (out []string) {
	for _, a := range f.Assets {
		out = append(out, a.Category)
	}
	return out
}

func guard(s *model.Service) []string {
	switch {
	case s == nil:
		return nil
	case slices.ContainsFunc(s.Operations, func(o *model.Operation) bool { return !o.Security.Public() }):
		return []string{"guarded"}
	}
	return []string{"open"}
}

// keyed reports whether every way in is a credential of a client and not of
// a person.
func (o operationSubject) keyed() bool {
	for _, requirement := range o.Security.Alternatives {
		personal := slices.ContainsFunc(requirement, func(use inventory.SchemeUse) bool {
			scheme := o.Version.API.Schemes[use.Scheme]
			return scheme == nil || scheme.Kind != inventory.SchemeAPIKey && scheme.Kind != inventory.SchemeMutualTLS
		})
		if personal {
			return false
		}
	}
	return true
}
