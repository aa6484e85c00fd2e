package main

import (
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/controlplane/admin"
)

func TestTailedLine(t *testing.T) {
	v := admin.Violation{
		Time: time.Now(), Node: "n", API: "orders", Operation: "place", Mode: "enforce", Decision: "rejected", Family: "validation", Code: "pattern",
		In: "body", Pointer: "/sku\x1b[2J", Schema: "#/s", Threat: "API8-01", Request: "r-1",
	}
	_, got, _ := strings.Cut(line(v), "\t")
	if want := "enforce\trejected\torders\tplace\tvalidation:pattern\tbody /sku\ufffd[2J\tAPI8-01\tr-1"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
