package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
)

// keyword is what the loader knows of a keyword of schemas.
type keyword struct {
	v30, v31   bool // which OpenAPI has it, or loses nothing without it; neither: the inventory has no place for it
	vocabulary vocabulary
}

// keywords are those of OpenAPI and JSON Schema, and of older drafts those
// that would be missed.
var keywords = map[string]keyword{
	"$id":             {true, true, core},
	"$schema":         {true, true, core},
	"$anchor":         {true, true, core},
	"$dynamicAnchor":  {true, true, core},
	"$vocabulary":     {true, true, core},
	"$comment":        {true, true, core},
	"$defs":           {true, true, core},
	"$ref":            {true, true, core},
	"$dynamicRef":     {false, true, core},
	"$recursiveRef":   {false, false, core},
	"definitions":     {true, true, core},
	"additionalItems": {true, true, applicator}, // nothing without a list of items, which no OpenAPI has

	"allOf":                {true, true, applicator},
	"anyOf":                {true, true, applicator},
	"oneOf":                {true, true, applicator},
	"not":                  {true, true, applicator},
	"if":                   {false, true, applicator},
	"then":                 {false, true, applicator},
	"else":                 {false, true, applicator},
	"dependentSchemas":     {false, true, applicator},
	"dependencies":         {false, true, applicator},
	"items":                {true, true, applicator},
	"prefixItems":          {false, true, applicator},
	"contains":             {false, true, applicator},
	"properties":           {true, true, applicator},
	"patternProperties":    {false, true, applicator},
	"additionalProperties": {true, true, applicator},
	"propertyNames":        {false, true, applicator},

	"unevaluatedItems":      {false, true, unevaluated},
	"unevaluatedProperties": {false, true, unevaluated},

	"type":              {true, true, validation},
	"enum":              {true, true, validation},
	"const":             {false, true, validation},
	"multipleOf":        {true, true, validation},
	"maximum":           {true, true, validation},
	"exclusiveMaximum":  {true, true, validation},
	"minimum":           {true, true, validation},
	"exclusiveMinimum":  {true, true, validation},
	"maxLength":         {true, true, validation},
	"minLength":         {true, true, validation},
	"pattern":           {true, true, validation},
	"maxItems":          {true, true, validation},
	"minItems":          {true, true, validation},
	"uniqueItems":       {true, true, validation},
	"maxContains":       {false, true, validation},
	"minContains":       {false, true, validation},
	"maxProperties":     {true, true, validation},
	"minProperties":     {true, true, validation},
	"required":          {true, true, validation},
	"dependentRequired": {false, true, validation},

	"format":           {true, true, format},
	"contentEncoding":  {false, true, content},
	"contentMediaType": {false, true, content},
	"contentSchema":    {false, false, content},

	"title":       {true, true, metaData},
	"description": {true, true, metaData},
	"default":     {true, true, metaData},
	"deprecated":  {true, true, metaData},
	"readOnly":    {true, true, metaData},
	"writeOnly":   {true, true, metaData},
	"examples":    {true, true, metaData},

	"nullable":      {true, false, openAPI},
	"discriminator": {true, true, openAPI},
	"example":       {true, true, openAPI},
	"externalDocs":  {true, true, openAPI},
	"summary":       {true, true, openAPI},
	"xml":           {true, true, openAPI},
}

// foreign reports whether a keyword asserts something that this dialect, or
// the inventory, has no place for.
func foreign(name string, v31 bool) bool {
	k, known := keywords[name]
	return known && !(v31 && k.v31 || !v31 && k.v30)
}

// misspelt warns of a keyword that nobody defines if it is nearly one that is
// defined. Others are ignored, as JSON Schema demands (core, section 6.5).
func (l *loader) misspelt(f *field) {
	if _, known := keywords[f.name]; known || strings.HasPrefix(f.name, "x-") {
		return
	}
	if near := diag.Nearest(f.name, slices.Collect(maps.Keys(keywords)), (len(f.name)+1)/4); near != "" {
		l.diags.Warnf(f.pos(), "a schema has no keyword %q%s; it is ignored", f.name, near)
	}
}

// documents are the fields of a schema that only people read.
var documents = []string{"title", "description", "summary", "$comment", "example", "examples", "externalDocs"}

// siblings lists the fields beside $ref that say something to a machine.
func siblings(n *node) []*field {
	var out []*field
	for i := range n.fields {
		f := &n.fields[i]
		if f.name == "$ref" || slices.Contains(documents, f.name) ||
			strings.HasPrefix(f.name, "x-") && !slices.Contains(classifiers, f.name) {
			continue
		}
		out = append(out, f)
	}
	return out
}
