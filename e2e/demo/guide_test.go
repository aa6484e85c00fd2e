package main

import (
	"testing"

	"github.com/threatgate/threatgate/e2e/demo/shop"
)

func TestCurl(t *testing.T) {
	at := &layout{dir: "bin/shop", services: []place{{"orders", "127.0.0.1:10002", "127.0.0.1:7002"}}}
	tests := []struct {
		name    string
		example shop.Example
		want    string
	}{
		{"plain", shop.Example{Method: "GET", Target: "/a"}, `curl -si http://127.0.0.1:10002/a`},
		{"as somebody", shop.Example{Method: "GET", Target: "/a?b=1", As: "alice", Header: "X-User-Id: bob"},
			`curl -si -H @bin/shop/alice -H 'X-User-Id: bob' 'http://127.0.0.1:10002/a?b=1'`},
		{"body", shop.Example{Method: "POST", Target: "/a", Body: `{"a":"it's"}`},
			`curl -si http://127.0.0.1:10002/a -H Content-Type:application/json -d '{"a":"it'\''s"}'`},
		{"no body", shop.Example{Method: "POST", Target: "/a"}, `curl -si -X POST http://127.0.0.1:10002/a`},
		{"another method", shop.Example{Method: "PATCH", Target: "/a", Body: `{}`},
			`curl -si -X PATCH http://127.0.0.1:10002/a -H Content-Type:application/json -d '{}'`},
		{"repeated", shop.Example{Method: "GET", Target: "/a", Repeat: 12},
			`for i in $(seq 12); do curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:10002/a; done`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.example.Service = "orders"
			if got := curl(tt.example, at); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}
