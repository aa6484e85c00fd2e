package model

import (
	"encoding"
	"reflect"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/inventory"
)

// scalarTests are texts and what they mean; nil is an error. The published
// schema must agree, see TestSchemaPatterns.
var scalarTests = []struct {
	text string
	want any
	zero encoding.TextUnmarshaler // of the type, where want is nil
}{
	{text: "orders", want: identifier("orders")},
	{text: "Orders_2.v-1", want: identifier("Orders_2.v-1")},
	{text: "7", want: identifier("7")},
	{text: "", zero: new(identifier)},
	{text: "-orders", zero: new(identifier)},
	{text: "orders.", zero: new(identifier)},
	{text: "my orders", zero: new(identifier)},
	{text: "größe", zero: new(identifier)},
	{text: "orders\n", zero: new(identifier)},

	{text: "0", want: trust(0)},
	{text: "100", want: trust(100)},
	{text: "101", zero: new(trust)},
	{text: "-1", zero: new(trust)},
	{text: "7.5", zero: new(trust)},

	{text: "1", want: count(1)},
	{text: "4294967295", want: count(4294967295)},
	{text: "4294967296", zero: new(count)},
	{text: "0", zero: new(count)},

	{text: "1", want: size{1}},
	{text: "1048576", want: size{1048576}},
	{text: "10B", want: size{10}},
	{text: "1KB", want: size{1000}},
	{text: "512KiB", want: size{524288}},
	{text: "1MB", want: size{1000000}},
	{text: "1MiB", want: size{1048576}},
	{text: "4GB", want: size{4000000000}},
	{text: "3GiB", want: size{3221225472}},
	{text: "4294967295", want: size{4294967295}},
	{text: "0", zero: new(size)},
	{text: "01", zero: new(size)},
	{text: "1 MiB", zero: new(size)},
	{text: "1mib", zero: new(size)},
	{text: "1.5MiB", zero: new(size)},
	{text: "-1", zero: new(size)},

	{text: "5/s", want: rate{5, time.Second}},
	{text: "5/sec", want: rate{5, time.Second}},
	{text: "5/second", want: rate{5, time.Second}},
	{text: "30/min", want: rate{30, time.Minute}},
	{text: "30/minute", want: rate{30, time.Minute}},
	{text: "100/h", want: rate{100, time.Hour}},
	{text: "100/hour", want: rate{100, time.Hour}},
	{text: "1/d", want: rate{1, 24 * time.Hour}},
	{text: "999999999/day", want: rate{999999999, 24 * time.Hour}},
	{text: "0/s", zero: new(rate)},
	{text: "1000000000/s", zero: new(rate)},
	{text: "5 / s", zero: new(rate)},
	{text: "5/ms", zero: new(rate)},
	{text: "5/week", zero: new(rate)},
	{text: "5", zero: new(rate)},

	{text: "2027-01-31", want: date{time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}},
	{text: "2028-02-29", want: date{time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)}},
	{text: "2027-1-31", zero: new(date)},
	{text: "31.01.2027", zero: new(date)},
	{text: "2027-01-31T00:00:00Z", zero: new(date)},

	{text: "127.0.0.1:10001", want: listen{"127.0.0.1:10001"}},
	{text: "0.0.0.0:80", want: listen{"0.0.0.0:80"}},
	{text: "[::1]:443", want: listen{"[::1]:443"}},
	{text: "127.0.0.1", zero: new(listen)},
	{text: "localhost:80", zero: new(listen)},
	{text: ":80", zero: new(listen)},

	{text: "127.0.0.1:7001", want: upstream{"127.0.0.1:7001"}},
	{text: "[::1]:7001", want: upstream{"[::1]:7001"}},
	{text: "orders.mesh.svc:80", want: upstream{"orders.mesh.svc:80"}},
	{text: "https://orders.example", want: upstream{"https://orders.example"}},
	{text: "https://orders.example/", want: upstream{"https://orders.example"}},
	{text: "http://127.0.0.1:7001", want: upstream{"http://127.0.0.1:7001"}},
	{text: "http://[::1]:7001", want: upstream{"http://[::1]:7001"}},
	{text: "https://[::1]", want: upstream{"https://[::1]"}},
	{text: "orders", zero: new(upstream)},
	{text: ":80", zero: new(upstream)},
	{text: "orders:http", zero: new(upstream)},
	{text: "ftp://orders.example", zero: new(upstream)},
	{text: "https://", zero: new(upstream)},
	{text: "https://orders.example/v1", zero: new(upstream)},
	{text: "https://orders.example?a=b", zero: new(upstream)},
	{text: "https://ada:secret@orders.example", zero: new(upstream)},

	{text: "https://schemas.example/order.json", want: remote("https://schemas.example/order.json")},
	{text: "urn:example:order", want: remote("urn:example:order")},
	{text: "schemas/order.json", zero: new(remote)},
	{text: "//schemas.example/order.json", zero: new(remote)},
	{text: "https://schemas.example/order.json#", zero: new(remote)},

	{text: "path.orderId", want: parameter{inventory.InPath, "orderId"}},
	{text: "query.a.b", want: parameter{inventory.InQuery, "a.b"}},
	{text: "header.X-Account", want: parameter{inventory.InHeader, "X-Account"}},
	{text: "cookie.account", want: parameter{inventory.InCookie, "account"}},
	{text: "orderId", zero: new(parameter)},
	{text: "body.orderId", zero: new(parameter)},
	{text: "path.", zero: new(parameter)},
}

// beyondPatterns are scalars that a schema's pattern can't tell are wrong.
var beyondPatterns = []struct {
	text string
	zero encoding.TextUnmarshaler
}{
	{"4GiB", new(size)},
	{"4294967296", new(size)},
	{"9999999999GiB", new(size)},
	{"2027-02-29", new(date)},
	{"2027-13-01", new(date)},
	{"256.0.0.1:80", new(listen)},
	{"127.0.0.1:0", new(listen)},
	{"127.0.0.1:65536", new(listen)},
	{"orders.example:0", new(upstream)},
	{"orders.example:65536", new(upstream)},
	{"https://orders.example:0", new(upstream)},
	{"[:::::]:80", new(upstream)},
	{"[1.2.3.4]:80", new(upstream)},
	{"https://%zz/order.json", new(remote)},
}

func TestScalars(t *testing.T) {
	for _, test := range scalarTests {
		if test.want == nil {
			if err := test.zero.UnmarshalText([]byte(test.text)); err == nil {
				t.Errorf("%q is accepted as %T", test.text, test.zero)
			}
			continue
		}
		got := reflect.New(reflect.TypeOf(test.want))
		err := got.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(test.text))
		if err != nil || got.Elem().Interface() != test.want {
			t.Errorf("%q: got %v, %v, want %v", test.text, got.Elem(), err, test.want)
		}
	}
	for _, test := range beyondPatterns {
		if err := test.zero.UnmarshalText([]byte(test.text)); err == nil {
			t.Errorf("%q is accepted as %T", test.text, test.zero)
		}
	}
}
