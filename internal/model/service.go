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
			ID:       string(e.ID.Value),
			Zone:     b.serviceZone(e),
			Pos:      e.Pos,
			Upstream: e.Upstream.Value.address,
			Listen:   e.Listen.Value.address,
			Mode:     parseMode(e.Mode),
			Limits:   e.Bounds.bounds(),
			SBOM:     b.bom(e.SBOM),
			Versions: b.versions(e),
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

func (e boundsEntry) bounds() Bounds {
	return Bounds{
		MaxBody:            e.MaxBody.Value.bytes,
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
		api, files := b.options.OpenSpec(path, &faults)
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

// expand fills Operations from Versions.
func (s *Service) expand() {
	for i := range s.Versions {
		v := &s.Versions[i]
		for _, op := range v.API.Operations {
			s.Operations = append(s.Operations, &Operation{
				Operation:  op,
				Service:    s,
				Version:    v,
				BasePaths:  basePaths(servers(v.API, op)),
				Deprecated: v.Deprecated || op.Deprecated,
				Sunset:     v.Sunset,
				Pos:        op.Pos,
			})
		}
	}
	label(s.Operations)
}

// servers are the servers of an operation (OAS section 4.8.10, 4.8.1.1).
func servers(api *inventory.API, op *inventory.Operation) []inventory.Server {
	switch {
	case len(op.Servers) > 0:
		return op.Servers
	case len(api.Servers) > 0:
		return api.Servers
	}
	return []inventory.Server{{}}
}

func basePaths(servers []inventory.Server) (paths []string) {
	for _, s := range servers {
		if !slices.Contains(paths, s.BasePath) {
			paths = append(paths, s.BasePath)
		}
	}
	return paths
}

// ServerHosts are the hosts of all servers; none if one of them may be any.
func (s *Service) ServerHosts() (hosts []string) {
	for _, op := range s.Operations {
		for _, server := range servers(op.Version.API, op.Operation) {
			if server.Host == "" {
				return nil
			}
			host := server.Host
			if h, _, err := net.SplitHostPort(host); err == nil {
				host = h
			}
			hosts = append(hosts, strings.ToLower(host))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
