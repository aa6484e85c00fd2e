package model

import (
	"encoding/json"
	"net"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

func (b *binder) bindServices(entries []serviceEntry) {
	listens := map[string]diag.Pos{}
	for _, e := range entries {
		s := &Service{
			ID:           string(e.ID.Value),
			Zone:         b.serviceZone(e),
			Pos:          e.Pos,
			Upstream:     e.Upstream.Value.address,
			Listen:       e.Listen.Value.address,
			Mode:         parseMode(e.Mode),
			ResponseMode: givenMode(e.Responses),

			RefuseEncodings: givenAs(e.Encodings, "refuse"),
			StreamUploads:   givenAs(e.Uploads, "stream"),
			Limits:          e.Bounds.bounds(),
			SBOM:            b.bom(e.SBOM),
			Versions:        b.versions(e),

			AnnotateFormats: e.Formats.Value == "annotate",
			Unenforceable:   unenforceable(e.Unenforceable),
		}
		if e.Failure.Value == "open" {
			s.Failure = violation.Open
		}
		s.expand()
		if b.options.MatchHosts {
			s.Hosts = s.ServerHosts()
		}
		b.checkRoutes(s)
		b.describeOperations(s, e.Operations)
		b.classify(s, e.Classify)

		if _, clash := b.zones.byID[s.ID]; clash {
			b.diags.Errorf(e.ID.Pos, "%q is the id of a zone, too: a flow could mean either", s.ID)
		}
		if first, taken := listens[s.Listen]; taken && s.Listen != "" {
			b.diags.Errorf(e.Listen.Pos, "the address %s is listened on already, by the service in line %d", s.Listen, first.Line)
		}
		listens[s.Listen] = e.Listen.Pos
		b.services.declare(e.ID, s, &b.diags)
		b.graph.Services = append(b.graph.Services, s)
	}
}

// unenforceable is the code of the violation that the word stands for, None
// for pass, nil if none was written.
func unenforceable(w written[string]) *violation.Code {
	switch w.Value {
	case "pass":
		return new(violation.None)
	case "refuse":
		return new(violation.Unenforceable)
	case "count":
		return new(violation.Unjudged)
	}
	return nil
}

// serviceZone is the zone that the service says it is in, else "mesh".
func (b *binder) serviceZone(e serviceEntry) *Zone {
	if e.Zone.given() {
		return b.zones.find(e.Zone, &b.diags)
	}
	zone, ok := b.zones.byID["mesh"]
	if !ok {
		b.diags.Errorf(e.Pos, `missing field "zone": no zone is called "mesh", which would be the default`)
	}
	return zone
}

// parseMode is the mode that was written, else shadow.
func parseMode(w written[string]) violation.Mode {
	mode, _ := violation.ParseMode(w.Value)
	return mode
}

// givenMode is the mode that was written, nil if none was.
func givenMode(w written[string]) *violation.Mode {
	if !w.given() {
		return nil
	}
	mode := parseMode(w)
	return &mode
}

// givenAs reports whether this word was written, nil if none was.
func givenAs(w written[string], word string) *bool {
	if !w.given() {
		return nil
	}
	is := w.Value == word
	return &is
}

func (e boundsEntry) bounds() Bounds {
	return Bounds{
		MaxBody:            e.MaxBody.Value.bytes,
		MaxHeld:            e.MaxHeld.Value.bytes,
		MaxDepth:           uint32(e.MaxDepth.Value),
		MaxQueryParameters: uint32(e.MaxQueryParameters.Value),
		MaxTokenLength:     uint32(e.MaxTokenLength.Value),
	}
}

// bom reads a CycloneDX document.
func (b *binder) bom(file written[string]) string {
	if !file.given() {
		return ""
	}
	path := b.beside(file.Value)
	data, ok := b.read(path, file.Pos)
	if !ok {
		return ""
	}
	var header struct{ BOMFormat string }
	if err := json.Unmarshal(data, &header); err != nil || header.BOMFormat != "CycloneDX" {
		b.diags.Errorf(file.Pos, "%s: not a CycloneDX document in JSON", path)
	}
	return string(data)
}

// versions loads the specifications of a service.
func (b *binder) versions(e serviceEntry) (versions []Version) {
	first := map[string]diag.Pos{}
	for _, v := range e.Specs {
		if !v.File.given() {
			b.unread = true
			continue
		}
		path := b.beside(v.File.Value)
		if pos, repeated := first[path]; repeated {
			b.diags.Errorf(v.File.Pos, "duplicate specification %q, first in line %d", v.File.Value, pos.Line)
			continue
		}
		first[path] = v.File.Pos
		var faults diag.List
		api, files := b.options.OpenSpec(path, b.references(v), &faults)
		if all := faults.Sorted(); api == nil && len(all) == 1 && all[0].Pos == (diag.Pos{File: path}) {
			b.diags.Errorf(v.File.Pos, "%s", all[0]) // of the file as a whole: it matters who names it
		} else {
			b.diags.Merge(&faults)
		}
		for _, f := range files {
			b.files[f] = true
		}
		if api == nil {
			b.unread = true
			continue
		}
		versions = append(versions, Version{
			API:        api,
			Deprecated: v.State.Value == "deprecated",
			Sunset:     v.Sunset.Value.Time,
			Pos:        v.Pos,
		})
	}
	if len(e.Specs) == 0 && e.ID.given() {
		b.diags.Errorf(e.ID.Pos, "service %q has no specification", e.ID.Value)
	}
	return versions
}

// references are the files that a specification's references lead to in place
// of the network, by URI.
func (b *binder) references(v versionEntry) map[string]string {
	files, first := map[string]string{}, map[string]diag.Pos{}
	for _, r := range v.References {
		uri := string(r.URI.Value)
		if !r.URI.given() || !r.File.given() {
			continue
		}
		if pos, repeated := first[uri]; repeated {
			b.diags.Errorf(r.URI.Pos, "duplicate reference %q, first in line %d", uri, pos.Line)
			continue
		}
		first[uri], files[uri] = r.URI.Pos, b.beside(r.File.Value)
	}
	return files
}

// expand fills Operations from Versions.
func (s *Service) expand() {
	for i := range s.Versions {
		v := &s.Versions[i]
		for _, op := range v.API.Operations {
			o := &Operation{
				Operation:  op,
				Service:    s,
				Version:    v,
				Deprecated: v.Deprecated || op.Deprecated,
				Sunset:     v.Sunset,
				Pos:        op.Pos,
			}
			for _, server := range o.servers() {
				if !slices.Contains(o.BasePaths, server.BasePath) {
					o.BasePaths = append(o.BasePaths, server.BasePath)
				}
			}
			s.Operations = append(s.Operations, o)
		}
	}
	label(s.Operations)
}

// servers are the servers of an operation (OAS section 4.8.10, 4.8.1.1).
func (o *Operation) servers() []inventory.Server {
	switch {
	case len(o.Servers) > 0:
		return o.Servers
	case len(o.Version.API.Servers) > 0:
		return o.Version.API.Servers
	}
	return []inventory.Server{{}}
}

// BasePathsAt are the BasePaths with which an operation is served at one of
// its service's Hosts; at "", which stands for any host, all of them.
func (o *Operation) BasePathsAt(host string) (paths []string) {
	if host == "" {
		return o.BasePaths
	}
	for _, s := range o.servers() {
		if hostname(s) == host && !slices.Contains(paths, s.BasePath) {
			paths = append(paths, s.BasePath)
		}
	}
	return paths
}

// hostname is the host of a server as Service.Hosts has it.
func hostname(s inventory.Server) string {
	host := s.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(host)
}

// hosts are the hosts that are told apart, "" if none are.
func (s *Service) hosts() []string {
	if len(s.Hosts) == 0 {
		return []string{""}
	}
	return s.Hosts
}

// ServerHosts are the hosts of all servers; none if one of them may be any.
func (s *Service) ServerHosts() (hosts []string) {
	for _, op := range s.Operations {
		for _, server := range op.servers() {
			if server.Host == "" {
				return nil
			}
			hosts = append(hosts, hostname(server))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
