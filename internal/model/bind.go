package model

import (
	"path/filepath"

	"github.com/threatgate/threatgate/internal/diag"
)

// binder builds a graph from a document, resolving names to what they name.
type binder struct {
	options Options
	dir     string // of the document
	diags   diag.List
	files   map[string]bool
	graph   *Graph

	zones    table[Zone]
	assets   table[DataAsset]
	issuers  table[Issuer]
	services table[Service]

	operations map[*Service]map[string][]*Operation // by each of their names

	// unread says that a specification didn't load: an operation that isn't
	// found may be in there, so it is no fault of its own.
	unread bool
}

func newBinder(path string, options Options) *binder {
	if options.ReadFile == nil {
		options.ReadFile = readFile
	}
	return &binder{
		options:  options,
		dir:      filepath.Dir(path),
		files:    map[string]bool{},
		zones:    newTable[Zone]("zone"),
		assets:   newTable[DataAsset]("data asset"),
		issuers:  newTable[Issuer]("issuer"),
		services: newTable[Service]("service"),

		operations: map[*Service]map[string][]*Operation{},
	}
}

// bind builds the graph, from what others refer to on to what refers to it.
func (b *binder) bind(doc *document) {
	spec := &doc.Spec
	b.graph = &Graph{Name: doc.Metadata.Name.Value, Revision: doc.Metadata.Revision.Value, Pos: doc.Pos}
	b.bindZones(spec.TrustZones)
	b.bindAssets(spec.DataAssets)
	b.bindIssuers(spec.Issuers)
	b.applyEnvironment(spec)
	b.bindServices(spec.Services)
	b.bindFlows(spec.Flows)
	b.graph.markEdges()
	b.bindAcceptedRisks(spec.AcceptedRisks)
}

// The zones of a model that declares none, and of a bare specification.
func defaultZones() (internet, mesh *Zone) {
	return &Zone{ID: "internet", Trust: 0}, &Zone{ID: "mesh", Trust: 70}
}

func (b *binder) bindZones(entries []zoneEntry) {
	if len(entries) == 0 {
		internet, mesh := defaultZones()
		b.graph.Zones = []*Zone{internet, mesh}
		b.zones.byID = map[string]*Zone{internet.ID: internet, mesh.ID: mesh}
	}
	for _, e := range entries {
		z := &Zone{ID: string(e.ID.Value), Trust: int(e.Trust.Value), Pos: e.Pos}
		b.zones.declare(e.ID, z, &b.diags)
		b.graph.Zones = append(b.graph.Zones, z)
	}
}

func (b *binder) bindAssets(entries []assetEntry) {
	for _, e := range entries {
		a := &DataAsset{
			ID:          string(e.ID.Value),
			Category:    e.Category.Value,
			Sensitivity: e.Sensitivity.Value,
			Quantity:    e.Quantity.Value,
			Pos:         e.Pos,
		}
		b.assets.declare(e.ID, a, &b.diags)
		b.graph.Assets = append(b.graph.Assets, a)
	}
}

func (b *binder) bindAcceptedRisks(entries []acceptedRiskEntry) {
	type risk struct {
		rule      string
		operation *Operation
	}
	first := map[risk]diag.Pos{}
	for _, e := range entries {
		services := b.graph.Services
		if e.Service.given() {
			s := b.services.find(e.Service, &b.diags)
			if s == nil {
				continue
			}
			services = []*Service{s}
		}
		op := b.findOperation(e.Operation, services)
		if op == nil {
			continue
		}
		r := risk{e.Rule.Value, op}
		if pos, repeated := first[r]; repeated {
			b.diags.Errorf(e.Pos, "risk %s of %s is accepted already, in line %d", r.rule, op.Label, pos.Line)
			continue
		}
		first[r] = e.Pos
		b.graph.AcceptedRisks = append(b.graph.AcceptedRisks, AcceptedRisk{
			Rule:      e.Rule.Value,
			Operation: op,
			Until:     e.Until.Value.Time,
			By:        e.By.Value,
			Why:       e.Why.Value,
			Pos:       e.Pos,
		})
	}
}
