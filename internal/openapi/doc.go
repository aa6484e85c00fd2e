// Package openapi loads OpenAPI 3.0 and 3.1 descriptions, YAML or JSON, into
// the inventory.
//
// A document is read once into a tree of nodes that know their file, line and
// column and keep numbers as written (node.go, json.go, yaml.go). One walk
// over that tree (document.go, operation.go, schema.go, …) builds the inventory;
// references (reference.go) lead from node to node, also into other files.
// Apart from the security schemes only what an operation can reach is read: a
// fault in a component that nothing uses is no fault of the API. Examples, default values, callbacks,
// webhooks and links are not looked at: no request is judged by them.
//
// # What is accepted
//
// OpenAPI 3.0.x and 3.1.x. OpenAPI 3.2 is read as 3.1, with a warning, and
// with one for each field that 3.1 doesn't know. References may name places in
// the document, in other files by relative name, and schemas by $anchor or
// $id. A schema that a $dynamicRef makes mean several things is several schemas
// of the inventory. YAML is read by the 1.2 core schema: "on" is a string, 0x1F a number,
// aliases and merge keys work.
//
// # What is refused
//
// An error means that requests can't be judged by the document, and there is
// no API then: malformed YAML or JSON, duplicate keys, a reference that leads
// nowhere, round in a circle or to the network without a copy, a keyword whose value isn't
// what it must be, a parameter that isn't anywhere, an undeclared security
// scheme. Swagger 2.0 is refused as a whole.
//
// A warning means that the document is used without a part of it: a field that
// OpenAPI doesn't have, a path that HTTP can't carry, a parameter that no
// template mentions. Schema keywords that the inventory has no place for, or
// that belong to the other version of OpenAPI, are listed in
// [inventory.Schema.Unsupported] for the compiler to judge; names that JSON
// Schema doesn't know are ignored, as it demands, with a warning only for one
// that is nearly a keyword (keyword.go). Where $schema or jsonSchemaDialect
// names a meta-schema that is at hand, the keywords of vocabularies that it
// doesn't have are ignored, too (vocabulary.go).
package openapi
