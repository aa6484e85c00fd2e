package compile

import (
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/policy"
)

// Envoy holds no bodies that are passed on while they are judged.
func TestHeldBodies(t *testing.T) {
	yes, no := true, false
	for _, row := range []struct {
		service, operation *bool
		want               uint32
	}{
		{nil, nil, 8 << 20},
		{&yes, nil, 2 << 20},
		{nil, &yes, 2 << 20},
		{&yes, &no, 8 << 20},
	} {
		s := &model.Service{ID: "s", Upstream: "127.0.0.1:1", StreamUploads: row.service}
		c := &compiler{diags: &diag.List{}, service: &policy.Service{Service: s, Operations: []*policy.Operation{{
			Operation: &model.Operation{Operation: &inventory.Operation{}, Service: s, StreamUploads: row.operation},
			Bounds:    model.Bounds{MaxBody: 8 << 20, MaxHeld: 2 << 20},
		}}}}
		if got := c.gateway().MaxBody; got != row.want {
			t.Errorf("service %v, operation %v: Envoy holds %d bytes, want %d", row.service, row.operation, got, row.want)
		}
	}
}
