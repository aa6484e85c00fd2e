package e2e_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/gateway"
)

const petsSpec = `
openapi: 3.0.4
info: {title: Pets, version: "1"}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      additionalProperties: false
      xml: {name: pet}
      properties:
        id: {type: integer, xml: {attribute: true}}
        name: {type: string, maxLength: 40}
        tags: {type: array, xml: {wrapped: true}, items: {type: string, maxLength: 5, xml: {name: tag}}}
paths:
  /pets:
    post:
      operationId: addPet
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Pet'}}
          application/xml: {schema: {$ref: '#/components/schemas/Pet'}}
          application/json;v=2: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}
          multipart/mixed: {schema: {$ref: '#/components/schemas/Pet'}}
          image/*: {}
      responses: {"200": {description: ok}}
  /any:
    post:
      operationId: any
      requestBody: {content: {"*/*": {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {"200": {description: ok}}
`

func deflated(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

const (
	petJSON  = `{"id":1,"name":"Rex","tags":["a","b"]}`
	petXML   = "<?xml version=\"1.0\"?>\n<pet id=\"1\"><name>R&#233;x</name>\r\n<tags><tag>a</tag><tag>b</tag></tags></pet>\n"
	laughs   = `<!DOCTYPE pet [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><pet><name>&c;</name></pet>`
	petParts = "--b\r\nContent-Disposition: form-data; name=id\r\n\r\n%\r\n--b\r\nContent-Disposition: form-data; name=name\r\n\r\nRex\r\n--b--\r\n"
)

// mediaBodies are bodies in all forms but plain JSON, and in content codings.
var mediaBodies = []struct {
	name, to, kind, coding, body string
	want                         string
}{
	{"gzip", "/pets", "application/json", "gzip", gzipped(petJSON), ""},
	{"x-gzip", "/pets", "application/json", "X-Gzip", gzipped(petJSON), ""},
	{"deflate", "/pets", "application/json", "deflate", deflated(petJSON), ""},
	{"gzip of what is wrong", "/pets", "application/json", "gzip", gzipped(`{"id":"1"}`), "400 validation:type body:/id contract"},
	{"gzip that ends too early", "/pets", "application/json", "gzip", gzipped(petJSON)[:30], "415 validation:content-encoding body: contract"},
	{"gzip twice", "/pets", "application/json", "gzip", gzipped(petJSON) + gzipped(petJSON), "415 validation:content-encoding body: contract"},
	{"gzip that is none", "/pets", "application/json", "gzip", petJSON, "415 validation:content-encoding body: contract"},
	{"gzip bomb", "/pets", "application/json", "gzip", gzipped(strings.Repeat(" ", 64<<20)), "413 validation:body-size body: API4-02"},
	{"gzip bomb nobody reads", "/pets", "image/png", "gzip", gzipped(strings.Repeat("\x00", 2<<20)), "413 validation:body-size body: API4-02"},
	{"gzip of an image", "/pets", "image/png", "gzip", gzipped("\x89PNG\r\n"), ""},
	{"other coding", "/pets", "application/json", "br", "\x0b\x02", "415 validation:content-encoding header:content-encoding contract"},
	{"several codings", "/pets", "application/json", "gzip, gzip", gzipped(gzipped(petJSON)), "415 validation:content-encoding header:content-encoding contract"},

	{"XML", "/pets", "application/xml", "", petXML, ""},
	{"XML in gzip", "/pets", "application/xml; charset=UTF-8", "gzip", gzipped(petXML), ""},
	{"XML that is wrong", "/pets", "application/xml", "", "<pet><name>Rex</name><tags><tag>a</tag><tag>abcdef</tag></tags></pet>", "400 validation:max-length body:/tags/1 contract"},
	{"attribute that is wrong", "/pets", "application/xml", "", "<pet id='x'><name>Rex</name></pet>", "400 validation:type body:/id contract"},
	{"undeclared element", "/pets", "application/xml", "", "<pet><name>Rex</name><role>admin</role></pet>", "400 validation:undeclared-property body:/* contract"},
	{"document type", "/pets", "application/xml", "", "<!DOCTYPE pet SYSTEM 'file:///etc/passwd'><pet><name>Rex</name></pet>", "400 validation:xml body: contract"},
	{"billion laughs", "/pets", "application/xml", "", laughs, "400 validation:xml body: contract"},
	{"XML cut off", "/pets", "application/xml", "", petXML[:60], "400 validation:xml body:/name contract"},
	{"JSON in place of XML", "/pets", "application/xml", "", petJSON, "400 validation:xml body: contract"},

	{"multipart/mixed", "/pets", "multipart/mixed; boundary=b", "", strings.Replace(petParts, "%", "1", 1), ""},
	{"multipart/mixed that is wrong", "/pets", "multipart/mixed; boundary=b", "", strings.Replace(petParts, "%", "x", 1), "400 validation:type body:/id contract"},

	{"a parameter of the type", "/pets", "application/json; v=2", "", "[" + petJSON + "]", ""},
	{"another type than the parameter's", "/pets", "application/json;v=2", "", petJSON, "400 validation:type body: contract"},
	{"any type, XML", "/any", "application/vnd.pet+xml", "", petXML, ""},
	{"any type, JSON that is wrong", "/any", "application/vnd.pet+json", "", `{"id":"1"}`, "400 validation:type body:/id contract"},
	{"any type, form that is wrong", "/any", "application/x-www-form-urlencoded", "", "id=x", "400 validation:type body:/id contract"},
}

// TestMediaTypes sends bodies of all media types, whole and in pieces. What
// passes reaches the upstream as it was sent.
func TestMediaTypes(t *testing.T) {
	spec := saved(t, "pets.yaml", petsSpec)
	for _, mode := range []string{"enforce", "shadow"} {
		t.Run(mode, func(t *testing.T) {
			b := &bodies{enforce: mode == "enforce", gateway: gateway.Run(t, "--spec", spec, "--mode", mode)}
			for _, p := range protocols {
				for _, row := range mediaBodies {
					t.Run(p.name+"/"+row.name, func(t *testing.T) {
						for _, piece := range []int{len(row.body), 7, 1} {
							if len(row.body)/piece > 500 {
								continue
							}
							request := gateway.Request(t, "POST", b.gateway.URL(row.to), row.body, "Content-Type: "+row.kind)
							if row.coding != "" {
								request.Header.Set("Content-Encoding", row.coding)
							}
							if piece < len(row.body) {
								request.Body, request.ContentLength = io.NopCloser(&pieces{row.body, piece}), -1
							}
							for _, r := range b.expectVerdict(t, gateway.Do(t, p.client, request), row.want, row.body) {
								if got := r.Header.Get("Content-Encoding"); got != row.coding {
									t.Errorf("the upstream saw content encoding %q", got)
								}
							}
						}
					})
				}
			}
			t.Logf("%d requests", b.requests)
			if b.requests < 100 {
				t.Error("fewer than 100 requests")
			}
		})
	}
}

// pieces is a body that is read piece by piece.
type pieces struct {
	rest string
	size int
}

func (p *pieces) Read(b []byte) (n int, err error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n = copy(b, p.rest[:min(p.size, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}
