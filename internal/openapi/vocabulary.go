package openapi

import (
	"embed"
	"strings"
)

// vocabulary is a set of the vocabularies of JSON Schema 2020-12 (core,
// section 8.1; validation, sections 6 to 9) and of OpenAPI.
type vocabulary uint8

const (
	core vocabulary = 1 << iota
	applicator
	unevaluated
	validation
	metaData
	format
	content
	openAPI                    // in every dialect: an OpenAPI document is about its keywords
	allVocabularies vocabulary = 1<<iota - 1
)

var vocabularies = map[string]vocabulary{
	"https://json-schema.org/draft/2020-12/vocab/core":              core,
	"https://json-schema.org/draft/2020-12/vocab/applicator":        applicator,
	"https://json-schema.org/draft/2020-12/vocab/unevaluated":       unevaluated,
	"https://json-schema.org/draft/2020-12/vocab/validation":        validation,
	"https://json-schema.org/draft/2020-12/vocab/meta-data":         metaData,
	"https://json-schema.org/draft/2020-12/vocab/format-annotation": format,
	"https://json-schema.org/draft/2020-12/vocab/format-assertion":  format,
	"https://json-schema.org/draft/2020-12/vocab/content":           content,
	"https://spec.openapis.org/oas/3.1/vocab/base":                  openAPI,
}

// metaSchemas are the meta-schemas of JSON Schema 2020-12, by what their URIs
// have behind draft2020: the same assertions as the published ones, without
// their comments.
//
//go:embed metaschema
var metaSchemas embed.FS

const draft2020 = "https://json-schema.org/draft/2020-12/"

// metaSchema is the text of the meta-schema that has the URI, if it is one of
// those.
func metaSchema(uri string) ([]byte, bool) {
	name, ok := strings.CutPrefix(uri, draft2020)
	if !ok {
		return nil, false
	}
	data, err := metaSchemas.ReadFile("metaschema/" + name + ".json")
	return data, err == nil
}

// vocabularies are those that n is written in: those of the meta-schema that
// the nearest schema around it names, or else the document (JSON Schema
// 2020-12, section 8.1.1; OAS section 4.8.24.5).
func (l *loader) vocabularies(n *node) vocabulary {
	for ; l.declares && n != nil; n = n.parent {
		f := n.get("$schema")
		if f == nil && n.parent == nil {
			f = n.get("jsonSchemaDialect")
		}
		if f != nil && f.value.kind == text {
			return l.dialect(f)
		}
	}
	return allVocabularies
}

// dialect is the set of vocabularies that the meta-schema has which f names.
// It warns of one that is not at hand, and so perhaps of another JSON Schema
// than 2020-12, by which schemas are read.
func (l *loader) dialect(f *field) vocabulary {
	known, ok := l.dialects[f.value]
	if !ok {
		known = l.readDialect(f)
		l.dialects[f.value] = known
	}
	return known
}

func (l *loader) readDialect(f *field) vocabulary {
	uri := strings.TrimSuffix(l.text(f), "#")
	if uri == "" || uri == draft2020+"schema" || uri == "https://spec.openapis.org/oas/3.1/dialect/base" {
		return allVocabularies
	}
	src := l.identified(uri)
	if src == nil || src.root == nil {
		l.diags.Warnf(f.value.pos(), "schemas are read by JSON Schema 2020-12, not by %q", uri)
		return allVocabularies
	}
	declared := src.root.get("$vocabulary")
	if declared == nil {
		return allVocabularies
	}
	set := core | openAPI
	members := l.members(declared)
	for i := range members {
		m := &members[i]
		v, known := vocabularies[m.name]
		if set |= v; !known && l.bool(m) {
			l.diags.Errorf(f.value.pos(), "the meta-schema %q demands the vocabulary %q, which is not known", uri, m.name)
		}
	}
	return set
}
