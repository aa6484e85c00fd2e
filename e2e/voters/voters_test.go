// Package voters puts the same questions to other validators as to ours:
// schemas and parameters, and values near what they allow, made from a seed.
// Nobody's answer is taken to be right. Where a voter differs, its reading
// must be one of those that the tables name, with the section of the
// specification that decides.
//
// It is a module of its own, so that the voters weigh on nothing else.
package voters

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/threatgate/threatgate/internal/artifact"
	compiler "github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/openapi"
)

// judge says whether a text is valid by the schema with the given index.
type judge func(schema int, text []byte) bool

// Bounds of ours, as a policy has them.
const maxDepth, maxToken = 64, 1024

// A voter reads the schemas of a document.
type voter struct {
	name string
	read func(version string, schemas []any) (judge, error)
}

var voters = []voter{{"kin-openapi", kin}, {"libopenapi", libOpenAPI}, {"jsonschema", jsonSchema}}

// document is an OpenAPI document with POST /0, /1, … for the schemas.
func document(version string, schemas []any) []byte {
	paths, components := map[string]any{}, map[string]any{}
	for i, s := range schemas {
		components[name(i)] = s
		paths[fmt.Sprint("/", i)] = map[string]any{"post": map[string]any{
			"requestBody": map[string]any{
				"required": true,
				"content":  map[string]any{"application/json": map[string]any{"schema": map[string]any{"$ref": reference(i)}}},
			},
			"responses": map[string]any{"200": map[string]any{"description": "ok"}},
		}}
	}
	return encode(map[string]any{
		"openapi":    version,
		"info":       map[string]any{"title": "t", "version": "1"},
		"paths":      paths,
		"components": map[string]any{"schemas": components},
	})
}

func name(i int) string { return fmt.Sprint("S", i) }

func reference(i int) string { return "#/components/schemas/" + name(i) }

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func post(i int, text []byte) *http.Request {
	r, _ := http.NewRequest("POST", fmt.Sprint("http://host/", i), bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func ours(version string, schemas []any) (judge, error) { return oursTo(maxDepth, version, schemas) }

func oursTo(depth int, version string, schemas []any) (judge, error) {
	var diags diag.List
	api, _ := openapi.LoadBytes(document(version, schemas), "t.json", &diags)
	if api == nil {
		return nil, diags.Err()
	}
	c := compiler.New(&diags)
	roots := make([]artifact.Ref, len(schemas))
	for _, o := range api.Operations {
		var i int
		fmt.Sscanf(o.Path, "/%d", &i)
		roots[i] = c.Root(o.Body.Content[0].Schema, compiler.Request)
	}
	program := c.Program()
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	for _, d := range diags.Sorted() {
		if strings.Contains(d.String(), "not enforced") {
			return nil, errors.New(d.String())
		}
	}
	var m schema.Machine
	return func(i int, text []byte) bool {
		m.Start(&program, roots[i], schema.Options{MaxDepth: depth, MaxToken: maxToken, FailFast: true, MaxViolations: 1})
		m.Write(text)
		return m.End()
	}, nil
}

func kin(version string, schemas []any) (judge, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document(version, schemas))
	if err != nil {
		return nil, err
	}
	return func(i int, text []byte) (valid bool) {
		path := fmt.Sprint("/", i)
		item := doc.Paths.Find(path)
		return openapi3filter.ValidateRequest(openapi3.NewLoader().Context, &openapi3filter.RequestValidationInput{
			Request: post(i, text),
			Route:   &routers.Route{Spec: doc, Path: path, PathItem: item, Method: "POST", Operation: item.Post},
			Options: &openapi3filter.Options{
				SkipSettingDefaults:     true,
				SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.EnableFormatValidation()},
			},
		}) == nil
	}, nil
}

// libOpenAPI has no place for true and false in some keywords.
func libOpenAPI(version string, schemas []any) (judge, error) {
	schemas = slices.Clone(schemas)
	for i, s := range schemas {
		schemas[i] = rewritten(s, withoutBooleans)
	}
	doc, err := libopenapi.NewDocumentWithConfiguration(document(version, schemas), &datamodel.DocumentConfiguration{SkipCircularReferenceCheck: true})
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(doc, config.WithFormatAssertions())
	if errs != nil {
		return nil, errs[0]
	}
	return func(i int, text []byte) bool {
		valid, _ := v.ValidateHttpRequestSync(post(i, text))
		return valid
	}, nil
}

// jsonSchema reads OpenAPI 3.0 as the draft that it comes from, with
// nullable as a type.
func jsonSchema(version string, schemas []any) (judge, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.DefaultDraft(jsonschema.Draft2020)
	if strings.HasPrefix(version, "3.0") {
		c.DefaultDraft(jsonschema.Draft4)
		schemas = slices.Clone(schemas)
		for i, s := range schemas {
			schemas[i] = rewritten(s, withoutNullable)
		}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document(version, schemas)))
	if err != nil {
		return nil, err
	}
	if err := c.AddResource("http://host/t.json", doc); err != nil {
		return nil, err
	}
	compiled := make([]*jsonschema.Schema, len(schemas))
	for i := range schemas {
		if compiled[i], err = c.Compile("http://host/t.json#/components/schemas/" + name(i)); err != nil {
			return nil, err
		}
	}
	return func(i int, text []byte) bool {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		return err == nil && compiled[i].Validate(value) == nil
	}, nil
}

func withoutNullable(s map[string]any) {
	if s["nullable"] == true && s["type"] != nil {
		s["type"] = []any{s["type"], "null"}
	}
	delete(s, "nullable")
}

func withoutBooleans(s map[string]any) {
	for _, keyword := range []string{"contains", "unevaluatedItems", "not", "if", "then", "else"} {
		switch s[keyword] {
		case true:
			s[keyword] = map[string]any{}
		case false:
			s[keyword] = map[string]any{"not": map[string]any{}}
		}
	}
}

// rewritten is a copy of a schema in which change has had its way with every
// schema object, the innermost first.
func rewritten(s any, change func(map[string]any)) any {
	object, ok := s.(map[string]any)
	if !ok {
		return s
	}
	c := make(map[string]any, len(object))
	for keyword, v := range object {
		switch keyword {
		case "properties", "patternProperties", "dependentSchemas":
			named := map[string]any{}
			for name, member := range v.(map[string]any) {
				named[name] = rewritten(member, change)
			}
			c[keyword] = named
		case "allOf", "anyOf", "oneOf", "prefixItems":
			var list []any
			for _, member := range v.([]any) {
				list = append(list, rewritten(member, change))
			}
			c[keyword] = list
		case "enum", "const":
			c[keyword] = v
		default:
			c[keyword] = rewritten(v, change)
		}
	}
	change(c)
	return c
}

// answer asks a voter, who may panic.
func answer(ask func() bool) (valid, panics bool) {
	defer func() {
		if recover() != nil {
			panics = true
		}
	}()
	return ask(), false
}
