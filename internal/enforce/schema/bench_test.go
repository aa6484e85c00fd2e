package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// orderSchema has what common bodies have: patterns, an enum, formats,
// nesting.
const orderSchema = `
T:
  type: object
  required: [id, customer, currency, total, items]
  properties:
    id: {type: string, pattern: "^ord-[0-9]{6}$"}
    customer: {type: string, minLength: 1, maxLength: 64}
    currency: {type: string, enum: [EUR, USD, GBP]}
    total: {type: number, minimum: 0}
    placed: {type: string, format: date-time}
    paid: {type: boolean}
    address: {$ref: "#/components/schemas/Address"}
    items: {type: array, maxItems: 10000, items: {$ref: "#/components/schemas/Item"}}
Address:
  type: object
  required: [street, zip]
  properties:
    street: {type: string, maxLength: 100}
    zip: {type: string, pattern: "^[0-9]{5}$"}
Item:
  type: object
  required: [sku, quantity]
  additionalProperties: false
  properties:
    sku: {type: string, pattern: "^[A-Z]{3}-[0-9]{4}$"}
    quantity: {type: integer, minimum: 1, maximum: 1000}
    price: {type: number, minimum: 0}
    note: {type: string, maxLength: 200}
`

func orderBody(items int) []byte {
	var list []string
	for i := range items {
		list = append(list, fmt.Sprintf(`{"sku":"ABC-%04d","quantity":%d,"price":%d.99,"note":"please leave it at the back door"}`, i%10000, i%1000+1, i%100))
	}
	return []byte(`{"id":"ord-123456","customer":"Ada Lovelace","currency":"EUR","total":99.5,"paid":true,` +
		`"placed":"2026-11-23T12:00:00Z","address":{"street":"12 Main St","zip":"12345"},"items":[` + strings.Join(list, ",") + `]}`)
}

func BenchmarkMachine(b *testing.B) {
	p, root := compile(b, "3.0.3", orderSchema)
	bench := func(name string, body []byte, chunk int) {
		var chunks [][]byte
		for rest := body; len(rest) > 0; rest = rest[len(chunks[len(chunks)-1]):] {
			chunks = append(chunks, rest[:min(chunk, len(rest))])
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var m schema.Machine
			m.SetSecret(siphash.Key{K0: 1, K1: 2})
			for b.Loop() {
				if got := judge(&m, p, root, all, chunks...); got != "" {
					b.Fatal(got)
				}
			}
		})
	}
	for _, items := range []int{0, 8, 92, 1080} {
		body := orderBody(items)
		bench(fmt.Sprintf("%dB", len(body)), body, len(body))
	}
	// What is cut so short is judged token by token.
	bench("tokens", orderBody(92), 16)
}

func TestNoAllocations(t *testing.T) {
	for _, row := range []struct {
		version, schema string
		body            []byte
	}{
		{"3.0.3", orderSchema, orderBody(20)},
		{"3.1.0", `T: {propertyNames: {maxLength: 4}, additionalProperties: {multipleOf: 0.01}}`, []byte(`{"a":1.25,"b":123456789012345678901234567890,"c":1e-2}`)},
	} {
		p, root := compile(t, row.version, row.schema)
		for _, chunk := range []int{16, 100, len(row.body)} {
			var m schema.Machine
			run := func() {
				m.Start(p, root, all)
				for rest := row.body; len(rest) > 0; {
					n := min(chunk, len(rest))
					m.Write(rest[:n])
					rest = rest[n:]
				}
				if !m.End() {
					t.Fatal("not valid")
				}
			}
			run()
			if n := testing.AllocsPerRun(100, run); n != 0 {
				t.Errorf("%s, chunks of %d bytes: %v allocations for a value, want 0", row.schema, chunk, n)
			}
		}
	}
}
