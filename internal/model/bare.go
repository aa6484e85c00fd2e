package model

import "github.com/threatgate/threatgate/internal/inventory"

// Bare is the model of a specification alone: one service, named like the API,
// in a zone "mesh" that the zone "internet" calls; it is watched, not enforced.
func Bare(api *inventory.API) *Graph {
	internet, mesh := defaultZones()
	service := &Service{ID: api.Name, Zone: mesh, Pos: api.Pos, Versions: []Version{{API: api, Pos: api.Pos}}}
	service.expand()
	graph := &Graph{
		Name:     api.Name,
		Pos:      api.Pos,
		Zones:    []*Zone{internet, mesh},
		Services: []*Service{service},
		Flows: []*Flow{{
			ID:       internet.ID + "-" + api.Name,
			From:     Endpoint{Zone: internet},
			To:       Endpoint{Service: service},
			Identity: "none",
			Pos:      api.Pos,
		}},
	}
	graph.markEdges()
	return graph
}
