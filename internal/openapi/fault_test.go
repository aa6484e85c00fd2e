package openapi

import "testing"

type faultRow struct{ name, file, document, want string }

// faults are documents and everything that loading them reports.
var faults = []struct {
	name string
	rows []faultRow
}{
	{"syntax", []faultRow{
		{"empty", "a.yaml", "", "a.yaml: the file is empty"},
		{"blank", "a.yaml", " \n\t\n", "a.yaml: the file is empty"},
		{"comments only", "a.yaml", "# nothing\n", "a.yaml:1:1: the document is empty"},
		{"byte order mark", "a.yaml", "\xef\xbb\xbfopenapi: 3.0.3\npaths: {}\n", ""},
		{"UTF-16", "a.yaml", "\xff\xfeo\x00", "a.yaml: UTF-16: a description is UTF-8 text"},
		{"invalid UTF-8", "a.yaml", "openapi: 3.0.3\ninfo: {title: \"\xff\"}\n", "a.yaml:2:16: invalid UTF-8: a description is UTF-8 text"},
		{"binary", "a.yaml", "\x7fELF\x02\x00\x01", "a.yaml:1:5: a control character: a description is UTF-8 text"},
		{"malformed YAML", "a.yaml", `openapi: 3.0.3
paths: [
`, "a.yaml:2: did not find expected node content"},
		{"tab as indentation", "a.yaml", "openapi: 3.0.3\npaths:\n\t/a: {}\n", "a.yaml:3: found character that cannot start any token"},
		{"two YAML documents", "a.yaml", `openapi: 3.0.3
paths: {}
---
openapi: 3.0.3
`, "a.yaml:3:1: a second YAML document in one file"},
		{"malformed JSON", "a.json", `{
  "openapi": "3.0.3",
}`, "a.json:3:1: invalid character '}' looking for beginning of object key string"},
		{"cut off JSON", "a.json", `{"openapi": "3.0.3"`, "a.json:1:19: unexpected end of JSON input"},
		{"data after JSON", "a.json", "{} {}", "a.json:1:4: invalid character '{' after top-level value"},
		{"duplicate key in YAML", "a.yaml", `openapi: 3.0.3
paths: {}
"paths": {}
`, `a.yaml:3:1: duplicate key "paths", first in line 2`},
		{"duplicate key in JSON", "a.json", `{"openapi": "3.0.3",
 "paths": {"/a": {}, "\/a": {}}}`, `a.json:2:22: duplicate key "/a", first in line 2`},
		{"columns count bytes", "a.yaml", `openapi: 3.0.3
paths: {/ä: {}, /ä: {}}
`, `a.yaml:2:18: duplicate key "/ä", first in line 2`},
		{"key that is no string", "a.yaml", `openapi: 3.0.3
paths: {? [a] : b}
`, "a.yaml:2:11: a key must be a string"},
		{"alias inside itself", "a.yaml", `openapi: 3.0.3
paths: &a {/a: *a}
`, "a.yaml:2:16: alias *a contains itself"},
		{"merge of a scalar", "a.yaml", `openapi: 3.0.3
paths: {<<: 1}
`, "a.yaml:2:13: only a mapping can be merged, not a number"},
		{"malformed YAML in the first line", "a.yaml", "{a: b#c, d: [}}\n", "a.yaml:1: did not find expected node content"},
		{"malformed block", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {}
   post: {}
`, "a.yaml:5: did not find expected key"},
		{"colon without space", "a.yaml", `openapi: 3.0.3
paths: a: b
`, "a.yaml:2: mapping values are not allowed in this context"},
		{"control character", "a.json", "{\"a\": \"\x01\"}", "a.json:1:8: a control character: a description is UTF-8 text"},
		{"unknown alias", "a.yaml", "openapi: *x\n", "a.yaml:1: unknown anchor 'x' referenced"},
	}},
	{"document", []faultRow{
		{"an array", "a.yaml", "[]\n", "a.yaml:1:1: an OpenAPI document is an object, not an array"},
		{"some other YAML", "a.yaml", "kind: Deployment\n", `a.yaml:1:1: not an OpenAPI document: there is no "openapi" field`},
		{"Swagger 2.0", "a.json", `{
  "swagger": "2.0"}`, "a.json:2:3: this is Swagger 2.0: convert it to OpenAPI 3 first"},
		{"OpenAPI 4", "a.yaml", "openapi: 4.0.0\n", `a.yaml:1:10: OpenAPI "4.0.0" is not read; 3.0 and 3.1 are`},
		{"OpenAPI 3.2", "a.yaml", `openapi: 3.2.0
paths: {}
`, "a.yaml:1:10: warning: OpenAPI 3.2 is read as 3.1: what is new in it is not enforced"},
		{"version is a list", "a.yaml", "openapi: [3]\n", `a.yaml:1:10: "openapi" must be a string, not an array`},
		{"unquoted version", "a.yaml", `openapi: 3.1
paths: {}
`, ""},
		{"no paths in 3.0", "a.yaml", "openapi: 3.0.3\n", "a.yaml:1:1: the document has no paths"},
		{"no paths in 3.1", "a.yaml", `openapi: 3.1.0
webhooks: {}
`, "a.yaml:1:1: warning: the document has no paths, so there is nothing to protect"},
		{"unknown fields", "a.yaml", `openapi: 3.0.3
path: {}
paths: {}
webhooks: {}
x-any: 1
components: {schema: {}, pathItems: {}}
`, `a.yaml:2:1: warning: an OpenAPI document has no field "path"; it is ignored
a.yaml:4:1: warning: OpenAPI 3.0 has no field "webhooks"; it is ignored
a.yaml:6:14: warning: components has no field "schema"; it is ignored
a.yaml:6:26: warning: components of OpenAPI 3.0 has no field "pathItems"; it is ignored`},
		{"paths is an array", "a.yaml", `openapi: 3.0.3
paths: []
`, `a.yaml:2:8: "paths" must be an object, not an array`},
		{"dialects", "a.yaml", `openapi: 3.1.0
jsonSchemaDialect: https://json-schema.org/draft/2020-12/schema
paths: {/a: {get: {parameters: [{name: a, in: query, schema: {$schema: 'http://json-schema.org/draft-07/schema#'}}]}}}
`, `a.yaml:3:72: warning: schemas are read by JSON Schema 2020-12, not by "http://json-schema.org/draft-07/schema"`},
		{"null is absent", "a.yaml", `openapi: 3.0.3
servers:
paths: {}
`, `a.yaml:2:1: warning: "servers" is null and counts as absent`},
	}},
	{"paths", []faultRow{
		{"no leading slash", "a.yaml", `openapi: 3.0.3
paths:
  a: {}
`, `a.yaml:3:3: path "a" does not start with a slash`},
		{"fragment and query", "a.yaml", `openapi: 3.0.3
paths:
  /#Action=A: {get: {}}
  /b?c=d: {get: {}}
`, `a.yaml:3:3: warning: path "/#Action=A" has a fragment or a query, which no request's path has; its operations are ignored
a.yaml:4:3: warning: path "/b?c=d" has a fragment or a query, which no request's path has; its operations are ignored`},
		{"braces", "a.yaml", `openapi: 3.0.3
paths:
  '/{a': {}
  '/a}': {}
  '/{}': {}
  '/{a/b}': {}
  '/{a{b}}': {}
`, `a.yaml:3:3: path "/{a" has braces that don't enclose a name
a.yaml:4:3: path "/a}" has braces that don't enclose a name
a.yaml:5:3: path "/{}" has braces that don't enclose a name
a.yaml:6:3: path "/{a/b}" has braces that don't enclose a name
a.yaml:7:3: path "/{a{b}}" has braces that don't enclose a name`},
		{"name twice", "a.yaml", `openapi: 3.0.3
paths:
  '/{a}/{a}': {get: {parameters: [{name: a, in: path, required: true, schema: {}}]}}
`, `a.yaml:3:3: warning: path "/{a}/{a}" has {a} twice`},
		{"undeclared and unmentioned", "a.yaml", `openapi: 3.0.3
paths:
  '/{a}': {get: {parameters: [{name: b, in: path, required: true, schema: {}}]}}
`, `a.yaml:3:3: warning: path "/{a}": {a} is not declared as a parameter, so any text is accepted there
a.yaml:3:31: warning: path "/{a}" has no {b}; the parameter is ignored`},
		{"unknown method", "a.yaml", `openapi: 3.0.3
paths:
  /a: {connect: {}, x-any: {}}
`, `a.yaml:3:8: warning: a path item has no field "connect"; it is ignored`},
		{"operation is a string", "a.yaml", `openapi: 3.0.3
paths:
  /a: {get: x}
`, `a.yaml:3:13: "get" must be an object, not a string`},
		{"operationId twice", "a.yaml", `openapi: 3.0.3
paths:
  /a: {get: {operationId: x}}
  /b:
    get: {operationId: x}
`, `a.yaml:5:24: warning: operationId "x" is taken by the operation at a.yaml:3:8; this one goes by GET /b`},
		{"unknown field", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {parameter: [], x-any: 1}
`, `a.yaml:4:11: warning: an operation has no field "parameter"; it is ignored`},
		{"siblings of a reference", "a.yaml", `openapi: 3.0.3
paths:
  /a: {get: {}}
  /b: {$ref: '#/paths/~1a', put: {}}
`, `a.yaml:4:29: warning: a reference has no field "put"; it is ignored`},
	}},
	{"parameters", []faultRow{
		{"no in", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, schema: {}}
`, "a.yaml:6:11: a parameter needs name and in"},
		{"unknown in", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: body, schema: {}}
`, `a.yaml:6:25: in must be path, query, header or cookie, not "body"`},
		{"in is a number", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: 1, schema: {}}
`, `a.yaml:6:25: "in" must be a string, not a number`},
		{"twice", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, schema: {}}
        - {name: a, in: query, schema: {}}
        - {name: A, in: query, schema: {}}
`, `a.yaml:7:11: query parameter "a" is declared at a.yaml:6:11 already`},
		{"header names ignore case", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: header, schema: {}}
        - {name: A, in: header, schema: {}}
`, `a.yaml:7:11: header parameter "A" is declared at a.yaml:6:11 already`},
		{"the same reference twice", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - $ref: '#/components/parameters/a'
        - $ref: '#/components/parameters/a'
components: {parameters: {a: {name: a, in: query, schema: {}}}}
`, `a.yaml:7:11: warning: query parameter "a" is listed twice`},
		{"optional path parameter", "a.yaml", `openapi: 3.0.3
paths:
  '/{a}':
    get:
      parameters:
        - {name: a, in: path, schema: {}}
`, `a.yaml:6:11: warning: path parameter "a" must say "required: true"; it is required all the same`},
		{"style of another place", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, style: simple, schema: {}}
`, `a.yaml:6:39: style "simple" is not one that query has`},
		{"Swagger's type", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, type: string}
`, `a.yaml:6:11: warning: a parameter has neither schema nor content, so any value is accepted
a.yaml:6:32: warning: a parameter has no field "type"; it is ignored`},
		{"schema and content", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, schema: {}, content: {a/b: {}}}
`, "a.yaml:6:32: a parameter has schema or content, not both"},
		{"two media types", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, content: {a/b: {}, c/d: {}}}
`, "a.yaml:6:32: content of a parameter must have one media type, not 2"},
		{"required is a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, required: 'yes', schema: {}}
`, `a.yaml:6:42: "required" must be a boolean, not a string`},
		{"element is null", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - 
`, `a.yaml:6:10: warning: an element of "parameters" is null and counts as absent`},
		{"empty name", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: '', in: query, schema: {}}
`, "a.yaml:6:18: warning: the parameter has an empty name; it is ignored"},
	}},
	{"bodies", []faultRow{
		{"no content", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {requestBody: {required: true}}
`, "a.yaml:4:24: a request body needs content"},
		{"not a media type", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {requestBody: {content: {json: {schema: {}}}}}
`, `a.yaml:4:35: warning: "json" is not a media type, so no content matches it`},
		{"nothing at the reference", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {requestBody: {$ref: '#/x'}, responses: {200: {$ref: '#/x'}}}
`, `a.yaml:4:31: "#/x" names nothing: there is no #/x in a.yaml
a.yaml:4:63: "#/x" names nothing: there is no #/x in a.yaml`},
		{"encoding is a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {requestBody: {content: {a/b: {encoding: {p: x}}}}}
`, `a.yaml:4:55: "p" must be an object, not a string`},
		{"odd statuses", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {responses: {200: {}, 2XX: {}, default: {}, x-a: 1, OK: {}, 600: {}, 20: {}}}
`, `a.yaml:4:62: warning: "OK" is not a status code, a range like 4XX, or default; the response is ignored
a.yaml:4:70: warning: "600" is not a status code, a range like 4XX, or default; the response is ignored
a.yaml:4:79: warning: "20" is not a status code, a range like 4XX, or default; the response is ignored`},
		{"unknown fields", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {requestBody: {contents: 1, content: {a/b: {scheme: {}, encoding: {p: {charset: x}}}}}, responses: {200: {schema: {}, headers: {h: {in: header, schema: {}}}}}}
`, `a.yaml:4:25: warning: a request body has no field "contents"; it is ignored
a.yaml:4:54: warning: a media type has no field "scheme"; it is ignored
a.yaml:4:81: warning: an encoding has no field "charset"; it is ignored
a.yaml:4:116: warning: a response has no field "schema"; it is ignored
a.yaml:4:142: warning: a header has no field "in"; it is ignored`},
	}},
	{"security", []faultRow{
		{"undeclared scheme", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {security: [{login: []}]}
`, `a.yaml:4:23: security scheme "login" is not declared in components.securitySchemes`},
		{"null", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {security: }
`, `a.yaml:4:21: "security" must be an array, not null`},
		{"not a list", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {security: {}}
`, `a.yaml:4:21: "security" must be an array, not an object`},
		{"requirement is a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {security: [login]}
`, `a.yaml:4:22: an element of "security" must be an object, not a string`},
		{"incomplete schemes", "a.yaml", `openapi: 3.0.3
paths: {}
components:
  securitySchemes:
    a: {type: http}
    b: {type: apiKey, in: header}
    c: {type: apiKey, in: path, name: k}
    d: {type: basic}
    e: {}
    f: {type: apiKey, in: body, name: k}
`, `a.yaml:5:8: security scheme "a" of type http needs a scheme
a.yaml:6:8: security scheme "b" of type apiKey needs name and in
a.yaml:7:27: an API key is in query, header or cookie, not in path
a.yaml:8:15: "basic" is not a type of security scheme
a.yaml:9:8: security scheme "e" needs a type
a.yaml:10:27: in must be path, query, header or cookie, not "body"`},
	}},
	{"servers", []faultRow{
		{"no url", "a.yaml", `openapi: 3.0.3
servers: [{description: a}]
paths: {}
`, "a.yaml:2:11: a server needs a url"},
		{"too many base paths", "a.yaml", `openapi: 3.0.3
servers: [{url: '/{v}', variables: {v: {enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64]}}}]
paths: {}
`, "a.yaml:2:37: warning: the server's variables give 65 base paths; the first 64 are used"},
		{"unknown field", "a.yaml", `openapi: 3.0.3
servers: [{url: /, uri: /}]
paths: {}
`, `a.yaml:2:20: warning: a server has no field "uri"; it is ignored`},
		{"variable without value", "a.yaml", `openapi: 3.0.3
servers: [{url: 'https://h/{v}'}]
paths: {}
`, "a.yaml:2:17: warning: the path of the server's url has a variable without a value; the server is ignored"},
	}},
	{"references", []faultRow{
		{"nowhere", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/components/schemas/X'}
`, `a.yaml:8:28: "#/components/schemas/X" names nothing: there is no #/components/schemas/X in a.yaml`},
		{"circle", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/components/schemas/X'}
components:
  schemas:
    X: {$ref: '#/components/schemas/Y'}
    Y: {$ref: '#/components/schemas/X'}
`, "a.yaml:8:28: the reference leads round in a circle"},
		{"to itself", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {$ref: '#/paths/~1a/get/parameters/0'}
`, "a.yaml:6:18: the reference leads round in a circle"},
		{"circle with siblings", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/components/schemas/X'}
components:
  schemas:
    X: {$ref: '#/components/schemas/Y', minimum: 1}
    Y: {$ref: '#/components/schemas/X', maximum: 1}
`, "a.yaml:11:8: the reference leads round in a circle"},
		{"network", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: 'https://h/b.yaml#/X'}
`, `a.yaml:8:28: "https://h/b.yaml#/X" is on the network, where references are not followed: store a copy, and refer to that or list it under references in the model`},
		{"network without scheme", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '//h/b.yaml#/X'}
`, `a.yaml:8:28: "//h/b.yaml#/X" is on the network, where references are not followed: store a copy, and refer to that or list it under references in the model`},
		{"no file", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: 'no/such.yaml#/X'}
`, `a.yaml:8:28: "no/such.yaml#/X" can't be read: no such file`},
		{"not a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: 1}
`, `a.yaml:8:28: "$ref" must be a string, not a number`},
		{"not a URI", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/%zz'}
`, `a.yaml:8:28: "#/%zz" is not a reference: invalid URL escape "%zz"`},
		{"to a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/openapi'}
`, "a.yaml:8:28: the reference leads to a string, not to a schema"},
		{"parameter to an array", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {$ref: '#/paths/~1a/get/parameters'}
`, "a.yaml:6:18: the reference leads to an array, not to an object"},
		{"of another kind", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    get: {responses: {200: {$ref: '#/components/schemas/X'}}, requestBody: {content: {a/b: {schema: {$ref: '#/components/responses/X'}}}}, parameters: [{$ref: '#/components/headers/X'}]}
components: {schemas: {X: {}}, responses: {X: {}}, headers: {X: {}}}
`, `a.yaml:4:35: warning: the reference leads to one of the schemas, where one of the responses is needed: of the response only the status is known
a.yaml:4:108: warning: the reference leads to one of the responses, where one of the schemas is needed: any value is accepted there
a.yaml:4:160: the reference leads to one of the headers, where one of the parameters is needed`},
		{"array index", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/paths/~1a/post/tags/1'}
      tags: [x]
`, `a.yaml:8:28: "#/paths/~1a/post/tags/1" names nothing: there is no #/paths/~1a/post/tags/1 in a.yaml`},
		{"$id is no URI", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$id: '%zz'}
`, `a.yaml:8:27: $id is not a URI: invalid URL escape "%zz"`},
		{"through a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/openapi/x'}
`, `a.yaml:8:28: "#/openapi/x" names nothing: there is no #/openapi/x in a.yaml`},
		{"nowhere in an $id", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$id: 'https://h/x', items: {$ref: '#/$defs/y'}}
`, `a.yaml:8:56: "#/$defs/y" names nothing: there is no #/$defs/y in https://h/x`},
		{"unknown anchor", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#X'}
`, `a.yaml:8:28: "#X" names nothing: there is no #X in a.yaml`},
		{"unknown dynamic anchor", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {allOf: [{$dynamicRef: '#X'}, {$dynamicRef: 1}]}
`, `a.yaml:8:44: "#X" names nothing: there is no #X in a.yaml
a.yaml:8:65: "$dynamicRef" must be a string, not a number`},
		{"a warning in two dynamic scopes", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {allOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}
components:
  schemas:
    A: {$id: 'https://h/a', $ref: list, $defs: {t: {$dynamicAnchor: t}}}
    B: {$id: 'https://h/b', $ref: list, $defs: {t: {$dynamicAnchor: t}}}
    L: {$id: 'https://h/list', items: {$dynamicRef: '#t'}, additionalProperties: null, $defs: {t: {$dynamicAnchor: t}}}
`, `a.yaml:13:60: warning: "additionalProperties" is null and counts as a schema that allows everything`},
		{"asserting siblings in 3.0", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {$ref: '#/components/schemas/X', description: d, nullable: true, x-pii: true, default: 1}
components: {schemas: {X: {}}}
`, `a.yaml:8:70: warning: "nullable" is ignored beside $ref in OpenAPI 3.0; put the reference into allOf
a.yaml:8:86: warning: "x-pii" is ignored beside $ref in OpenAPI 3.0; put the reference into allOf`},
		{"unused component", "a.yaml", `openapi: 3.0.3
paths: {}
components: {schemas: {X: {type: 1, $ref: '#/nowhere'}}}
`, ""},
	}},
	{"schemas", []faultRow{
		{"type is a number", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: 1}
`, `a.yaml:8:28: "type" must be a string, not a number`},
		{"unknown type", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: file}
`, `a.yaml:8:28: "file" is not a type`},
		{"types of 3.1", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: [string, 'null']}
`, "a.yaml:8:28: warning: a list of types is OpenAPI 3.1; it is understood all the same"},
		{"null in 3.0", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: 'null'}
`, "a.yaml:8:28: warning: type null is OpenAPI 3.1; it is understood all the same"},
		{"unquoted null", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: [string, null]}
`, `a.yaml:8:37: warning: null must be written "null" here; it is understood all the same`},
		{"properties is a list", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {properties: [a]}
`, `a.yaml:8:34: "properties" must be an object, not an array`},
		{"property is a string", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {properties: {a: string}}
`, `a.yaml:8:38: "a" must be a schema object, not a string`},
		{"property is null", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {properties: {a: }}
`, `a.yaml:8:35: warning: "a" is null and counts as a schema that allows everything`},
		{"required is a boolean", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {required: true}
`, `a.yaml:8:32: "required" must be an array, not a boolean`},
		{"required has a number", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {required: [1]}
`, `a.yaml:8:33: an element of "required" must be a string, not a number`},
		{"allOf is an object", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {allOf: {}}
`, `a.yaml:8:29: "allOf" must be an array, not an object`},
		{"schema is a list", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: []
`, `a.yaml:8:21: "schema" must be a schema object, not an array`},
		{"bounds", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {minimum: '1', maxLength: -1, minItems: 1.5, maxItems: 18446744073709551616, multipleOf: 0.0}
`, `a.yaml:8:31: "minimum" must be a number, not a string
a.yaml:8:47: "maxLength" must be a whole number from 0 to 2^64-1, not -1
a.yaml:8:61: "minItems" must be a whole number from 0 to 2^64-1, not 1.5
a.yaml:8:76: "maxItems" must be a whole number from 0 to 2^64-1, not 18446744073709551616
a.yaml:8:110: "multipleOf" must be greater than 0`},
		{"negative multiple", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {multipleOf: -1}
`, `a.yaml:8:34: "multipleOf" must be greater than 0`},
		{"infinity", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {maximum: .inf}
`, `a.yaml:8:31: "maximum" must be a number, not a string`},
		{"exclusive number in 3.0", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {exclusiveMinimum: 1}
`, `a.yaml:8:40: warning: "exclusiveMinimum" is a boolean in this version of OpenAPI; it is understood all the same`},
		{"exclusive flag in 3.1", "a.yaml", `openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {minimum: 1, exclusiveMinimum: true}
`, `a.yaml:8:52: warning: "exclusiveMinimum" is a number in this version of OpenAPI; it is understood all the same`},
		{"enum against type", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: string, enum: [a, 1, true, null, [], {}]}
`, `a.yaml:8:46: warning: enum has a number, which the type rules out
a.yaml:8:49: warning: enum has a boolean, which the type rules out
a.yaml:8:55: warning: enum has null, which the type rules out
a.yaml:8:61: warning: enum has an array, which the type rules out
a.yaml:8:65: warning: enum has an object, which the type rules out`},
		{"discriminator", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {discriminator: {mapping: {a: X}, type: x}}
`, `a.yaml:8:22: warning: a discriminator needs a propertyName; it is ignored
a.yaml:8:51: warning: no component schema is called "X"; the value is not mapped
a.yaml:8:55: warning: a discriminator has no field "type"; it is ignored`},
		{"mapping", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {discriminator: {propertyName: p, mapping: {a: X, b: '#/X', c: x.yaml}}}
`, `a.yaml:8:68: warning: no component schema is called "X"; the value is not mapped
a.yaml:8:74: warning: "#/X" names nothing: there is no #/X in a.yaml; the value is not mapped
a.yaml:8:84: warning: "x.yaml" can't be read: no such file; the value is not mapped`},
		{"mapping to a number and odd references", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {discriminator: {propertyName: p, mapping: {a: 1, b: '#/%zz'}}, oneOf: [{$ref: '#/%zz'}, {$ref: 1}]}
`, `a.yaml:8:68: "a" must be a string, not a number
a.yaml:8:74: warning: "#/%zz" is not a reference: invalid URL escape "%zz"; the value is not mapped
a.yaml:8:100: "#/%zz" is not a reference: invalid URL escape "%zz"
a.yaml:8:117: "$ref" must be a string, not a number`},
		{"classification", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {x-data-classification: {category: nonsense}, x-pii: [a]}
`, `a.yaml:8:56: warning: "nonsense" is neither a category (PII, financial, government-id, health, secret, credential, contact, other) nor a sensitivity (public, internal, confidential, restricted)
a.yaml:8:74: warning: x-pii can't be an array; it is ignored`},
		{"examples and defaults are not judged", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {type: integer, example: x, default: x, pattern: '('}
`, ""},
		{"unknown keywords", "a.yaml", `openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          a/b:
            schema: {typ: string, requred: 1, maxlength: 1, ITEMS: {}, x-items: {}, colour: 1, id: x}
`, `a.yaml:8:22: warning: a schema has no keyword "typ" (did you mean "type"?); it is ignored
a.yaml:8:35: warning: a schema has no keyword "requred" (did you mean "required"?); it is ignored
a.yaml:8:47: warning: a schema has no keyword "maxlength" (did you mean "maxLength"?); it is ignored
a.yaml:8:61: warning: a schema has no keyword "ITEMS" (did you mean "items"?); it is ignored`},
	}},
}

func TestFaults(t *testing.T) {
	for _, group := range faults {
		for _, row := range group.rows {
			t.Run(group.name+"/"+row.name, func(t *testing.T) {
				if _, got := load(t, row.file, row.document); got != row.want {
					t.Errorf("got:\n%s\nwant:\n%s\ndocument:\n%s", got, row.want, row.document)
				}
			})
		}
	}
}
