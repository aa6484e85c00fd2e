package openapi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// corpus is the name of a file of the shared test data.
func corpus(t testing.TB, name string) string {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared")
	if _, err := os.Stat(root); os.IsNotExist(err) {
		t.Skip("../shared is not there")
	}
	return filepath.Join(root, "corpus", filepath.FromSlash(name))
}

func loadCorpus(t *testing.T, name, wantReport string) *inventory.API {
	t.Helper()
	var diags diag.List
	path := corpus(t, name)
	api, _ := Load(path, nil, &diags)
	if got := strings.TrimPrefix(render(&diags), path); got != wantReport {
		t.Errorf("got report:\n%s\nwant:\n%s", got, wantReport)
	}
	if api == nil {
		t.FailNow()
	}
	return api
}

func find(t *testing.T, api *inventory.API, method, path string) *inventory.Operation {
	t.Helper()
	for _, op := range api.Operations {
		if op.Method == method && op.Path == path {
			return op
		}
	}
	t.Fatalf("no operation %s %s", method, path)
	return nil
}

func TestPetstore(t *testing.T) {
	api := loadCorpus(t, "petstore/openapi.yaml", "")
	if got, want := fmt.Sprint(api.Name, " ", api.Version, " ", api.Format, " ", api.Servers[0].Host, api.Servers[0].BasePath, " ", len(api.Operations)),
		"swagger-petstore-openapi-3-0 1.0.27-SNAPSHOT openapi-3.0 petstore3.swagger.io/api/v3 19"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var got []string
	op := find(t, api, "PUT", "/pet")
	for _, m := range op.Body.Content {
		got = append(got, contentLine(m))
	}
	for _, p := range find(t, api, "GET", "/pet/findByStatus").Parameters {
		got = append(got, parameterLine(p))
	}
	got = append(got, fmt.Sprint(op.Security.Alternatives, len(api.Schemes)))
	pet := "(object property.id=(integer format=int64) property.name=(string) " +
		"property.category=(object property.id=(integer format=int64) property.name=(string)) " +
		"property.photoUrls=(array items=(string)) " +
		"property.tags=(array items=(object property.id=(integer format=int64) property.name=(string))) " +
		`property.status=(string enum=["available" "pending" "sold"]) required=[name photoUrls])`
	expect(t, got,
		"application/json "+pet,
		"application/xml "+pet,
		"application/x-www-form-urlencoded "+pet,
		`query status form explode=true (string enum=["available" "pending" "sold"] default)`,
		"[[{petstore_auth [write:pets read:pets]}]] 2",
	)
}

func TestCrAPI(t *testing.T) {
	api := loadCorpus(t, "crapi/crapi-openapi-spec.json",
		`:2188:15: warning: "" is not a media type, so no content matches it`)
	count := map[string]int{}
	var got []string
	for _, op := range api.Operations {
		switch {
		case !op.Security.Declared:
			count["absent"]++
		case op.Security.Public():
			count["public"]++
		default:
			count["secured"]++
		}
		for _, p := range op.Parameters {
			if p.Name == "vehicleId" || p.Name == "postId" {
				got = append(got, op.Method+" "+op.Path+" "+parameterLine(p))
			}
		}
	}
	got = append(got, fmt.Sprint(len(api.Operations), count, api.Schemes["bearerAuth"].Kind == inventory.SchemeBearer))
	expect(t, got,
		"GET /identity/api/v2/vehicle/{vehicleId}/location path vehicleId simple explode=false required (string format=uuid)",
		"GET /community/api/v2/community/posts/{postId} path postId simple explode=false required (string)",
		"POST /community/api/v2/community/posts/{postId}/comment path postId simple explode=false required (string)",
		"44 map[public:10 secured:34] true",
	)
}

// Every OpenAPI 3 description of the corpus loads without an error.
func TestCorpus(t *testing.T) {
	const wantFiles, wantOperations = 2, 63
	var files, operations int
	err := filepath.WalkDir(corpus(t, ""), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "openapi") && !strings.Contains(path, "specs") {
			return err
		}
		var diags diag.List
		api, _ := Load(path, nil, &diags)
		if strings.Contains(render(&diags), "this is Swagger 2.0") {
			return nil
		}
		if api == nil {
			t.Errorf("%s:\n%s", path, render(&diags))
			return nil
		}
		files++
		operations += len(api.Operations)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d descriptions, %d operations", files, operations)
	if files < wantFiles || operations < wantOperations {
		t.Errorf("want at least %d descriptions and %d operations", wantFiles, wantOperations)
	}
}

// Whatever the input: no panic, the same report each time, and an API exactly
// if there is no error.
func FuzzLoad(f *testing.F) {
	for _, group := range faults {
		for _, row := range group.rows {
			f.Add([]byte(row.document))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"x/fuzz.json", "x/fuzz.yaml"} {
			var first, second diag.List
			api, _ := LoadBytes(data, name, &first)
			LoadBytes(data, name, &second)
			if got, again := render(&first), render(&second); got != again {
				t.Errorf("%s: one document, two reports:\n%s\n\n%s", name, got, again)
			}
			if (api == nil) != first.HasErrors() {
				t.Errorf("%s: API is nil: %v; report:\n%s", name, api == nil, render(&first))
			}
		}
	})
}
