package voters

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// VOTERS_SEED chooses other questions than usual, VOTERS_DOCUMENTS more.
const (
	usualSeed      = 1
	usualDocuments = 40 // of each version
	perDocument    = 25 // schemas
	perSchema      = 12 // texts
)

func setting(name string, usual uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return usual
}

func TestBodies(t *testing.T) {
	seed, documents := setting("VOTERS_SEED", usualSeed), setting("VOTERS_DOCUMENTS", usualDocuments)
	t.Logf("seed %d, %d documents in OpenAPI 3.0 and as many in 3.1", seed, documents)
	var all [3]counts
	for _, version := range []string{"3.0.3", "3.1.0"} {
		for d := range documents {
			g := &generator{Rand: rand.New(rand.NewPCG(seed, d)), is31: version == "3.1.0"}
			var schemas []any
			texts := make([][][]byte, perDocument)
			for i := range texts {
				g.self = reference(i)
				s := g.schema(3)
				schemas = append(schemas, s)
				for range perSchema {
					texts[i] = append(texts[i], g.text(g.near(s, s, 4)))
				}
			}
			us, err := ours(version, schemas)
			if err != nil {
				t.Fatalf("document %d: %v", d, err)
			}
			for k, v := range voters {
				them, err := v.read(version, schemas)
				if err != nil {
					t.Fatalf("document %d: %s: %v", d, v.name, err)
				}
				for i := range texts {
					for _, text := range texts[i] {
						got, panics := answer(func() bool { return them(i, text) })
						q := bodyQuestion{version, alone(schemas[i]), maxDepth, text}
						if !answered(&all[k], v, bodyReadings, q, (*bodyQuestion).ask, us(i, text), got, panics) {
							t.Errorf("%s says %t: %s: %s\n%q", v.name, got, version, encode(q.schema), text)
						}
					}
				}
			}
		}
	}
	for k, v := range voters {
		report(t, &all[k], v.name, 20_000)
		reportReadings(t, &all[k], v, bodyReadings, seed == usualSeed && documents == usualDocuments)
	}
}

// alone is a schema as it is if its document has no other.
func alone(s any) any {
	return rewritten(s, func(s map[string]any) {
		if s["$ref"] != nil {
			s["$ref"] = reference(0)
		}
	})
}
