package rollout

import (
	"testing"
	"time"

	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/compile"
)

func TestNodeAPI(t *testing.T) {
	release := &compile.Release{Service: "orders", Digest: "00112233445566778899", Gateway: compile.Gateway{
		Service: "orders", Listen: "127.0.0.1:1", Upstream: compile.Upstream{Host: "127.0.0.1", Port: 2}, MaxBody: 1}}
	snap, err := snapshot.Build([]*compile.Release{release}, snapshot.Environment{WasmPath: "/threatgate.wasm"})
	if err != nil {
		t.Fatal(err)
	}
	const now, before = "0011223344556677", "ffffffffffffffff"
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	for _, tc := range []struct {
		name   string
		change func(d *server.Delivery, version string) // of the policy; all else is accepted at 10
		report server.Report
		want   NodeAPI
	}{
		{"accepted, no report yet", func(*server.Delivery, string) {}, server.Report{}, NodeAPI{State: "acked", Revision: now}},
		{"accepted after the last report", func(*server.Delivery, string) {}, server.Report{Revision: before, Time: at(9)}, NodeAPI{State: "acked", Revision: now}},
		{"a worker still reports the one before", func(*server.Delivery, string) {}, server.Report{Revision: before, Time: at(11)}, NodeAPI{State: "acked", Revision: before}},
		{"on its way", func(d *server.Delivery, _ string) { d.Acked = "another" }, server.Report{Revision: before, Time: at(9)}, NodeAPI{State: "pending", Revision: before}},
		{"refused", func(d *server.Delivery, version string) { d.Acked, d.Nacked, d.Detail = "another", version, "no" }, server.Report{}, NodeAPI{State: "refused", Detail: "no"}},
	} {
		node := &server.Node{Resources: map[server.ResourceKey]server.Delivery{}, Revisions: map[string]server.Report{"orders": tc.report}}
		for _, typeURL := range snapshot.Types() {
			for name, r := range snap.Resources(typeURL) {
				d := server.Delivery{Acked: r.Version, Time: at(10)}
				if typeURL == "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig" {
					tc.change(&d, r.Version)
				}
				node.Resources[server.ResourceKey{TypeURL: typeURL, Name: name}] = d
			}
		}
		tc.want.ID = "orders"
		if got := nodeAPI(node, "orders", snap); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}
