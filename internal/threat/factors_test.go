package threat

import (
	"fmt"
	"testing"

	"github.com/threatgate/threatgate/internal/model"
)

// TestFacts: what the place of an operation says about it.
func TestFacts(t *testing.T) {
	const schemes = `
components: {securitySchemes: {bearer: {type: http, scheme: bearer}, key: {type: apiKey, in: header, name: X-Key}}}
`
	const password = `requestBody: {content: {application/json: {schema: {properties: {password: {type: string}}}}}}`
	zone := func(trust int) model.Endpoint { return model.Endpoint{Zone: &model.Zone{Trust: trust}} }
	card := []*model.DataAsset{{ID: "card", Sensitivity: "restricted"}}
	for _, row := range []struct {
		name, operation string
		flows           func(s *model.Service) []*model.Flow
		exposure        *model.Zone
		want            string // class; opportunity, population, awareness, accountability
	}{
		{"nothing is said", `security: []`, nil, nil, "public 9 9 6 9"},
		{"credentials", `security: [{bearer: []}]`, nil, nil, "internal 9 6 6 1"},
		{"a key", `security: [{key: []}]`, nil, nil, "internal 9 9 6 7"},
		{"a secret in the body", password, nil, nil, "restricted 9 9 6 9"},
		{"a secret in a header is the caller's own", `parameters: [{name: X-Password, in: header, schema: {type: string}}]`, nil, nil, "public 9 9 6 9"},
		{"an environment", `security: [{bearer: []}]`, nil, &model.Zone{Trust: 20}, "internal 7 5 4 1"},
		{"a flow from a partner and one from inside", `security: [{bearer: []}]`, func(s *model.Service) []*model.Flow {
			to := model.Endpoint{Service: s}
			return []*model.Flow{{From: zone(20), To: to}, {From: zone(70), To: to}}
		}, &model.Zone{Trust: 0}, "internal 7 5 4 1"},
		{"a flow from the internal network", `{}`, func(s *model.Service) []*model.Flow {
			return []*model.Flow{{From: zone(50), To: model.Endpoint{Service: s}}}
		}, nil, "public 4 4 4 9"},
		{"a flow from trusted systems", `{}`, func(s *model.Service) []*model.Flow {
			return []*model.Flow{{From: zone(90), To: model.Endpoint{Service: s}}}
		}, nil, "public 0 2 4 9"},
		{"an asset that it sends on", `{}`, func(s *model.Service) []*model.Flow {
			return []*model.Flow{{From: model.Endpoint{Service: s}, To: zone(20), Assets: card}}
		}, nil, "restricted 9 9 6 9"},
		{"an asset between others", `{}`, func(*model.Service) []*model.Flow {
			return []*model.Flow{{From: zone(20), To: zone(20), Assets: card}}
		}, nil, "public 9 9 6 9"},
	} {
		body := row.operation
		if body != "{}" {
			body = "{" + body + "}"
		}
		o := operations(t, "paths: {/a: {post: "+body+"}}"+schemes)[0]
		graph := &model.Graph{Exposure: row.exposure}
		if row.flows != nil {
			graph.Flows = row.flows(o.Service)
		}
		f := operationFacts(graph, o, values(t, o))
		got := fmt.Sprintf("%s %g %g %g %g", f.class, f.opportunity.Value, f.population.Value, f.awareness.Value, f.accountability.Value)
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}
