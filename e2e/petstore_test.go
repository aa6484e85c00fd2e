package e2e_test

import "strings"

// bearer is a well-formed token; nobody verifies it where no issuer is known.
const bearer = "Authorization: Bearer abcdef.GHIJKL.mnopqr"

// petstore are requests to the Swagger Petstore.
var petstore = []attempt{
	{name: "array of tags", line: "GET /api/v3/pet/findByTags?tags=small&tags=brown%20spotted", header: []string{bearer}, operation: "findPetsByTags"},
	{name: "enum in the query", line: "GET /api/v3/pet/findByStatus?status=sold", header: []string{bearer}, operation: "findPetsByStatus"},
	{name: "no query", line: "GET /api/v3/pet/findByStatus", header: []string{bearer}, operation: "findPetsByStatus"},
	{name: "literal before template", line: "GET /api/v3/user/logout", operation: "logoutUser"},
	{name: "template", line: "GET /api/v3/user/theUser", operation: "getUserByName"},
	{name: "HEAD follows GET", line: "HEAD /api/v3/user/theUser", operation: "getUserByName"},
	{name: "first alternative", line: "GET /api/v3/pet/12", header: []string{"api_key: s3cretkey"}, operation: "getPetById"},
	{name: "second alternative", line: "GET /api/v3/pet/12", header: []string{bearer}, operation: "getPetById"},
	{name: "lower-case scheme", line: "GET /api/v3/pet/12", header: []string{"Authorization: bearer abcdef"}, operation: "getPetById"},
	{name: "path is normalised", line: "GET /api/v3//pet/./x/../12", header: []string{bearer}, operation: "getPetById", target: "/api/v3/pet/12"},
	{name: "query beside a body-less POST", line: "POST /api/v3/pet/12?name=Rex&status=sold", header: []string{bearer}, operation: "updatePetWithForm"},
	{name: "64-bit number", line: "DELETE /api/v3/store/order/9223372036854775807", operation: "deleteOrder"},
	{
		name: "JSON", line: "POST /api/v3/pet", header: []string{bearer}, operation: "addPet",
		body: `{"id":10,"name":"doggie","category":{"id":1,"name":"Dogs"},"photoUrls":["http://a.example/1.png"],"tags":[{"id":0,"name":"brown"}],"status":"available"}`,
	},
	{
		name: "JSON as few would write it", line: "PUT /api/v3/pet", header: []string{bearer}, operation: "updatePet",
		body: "\n{ \"photoUrls\" : [ ] ,\t\"name\":\"\\u0072\\u00e9x \U0001F415 \\/\" , \"more\" : { \"open\" : [ 1.50e+1 , null ] } }\r\n ",
	},
	{
		name: "JSON with a charset", line: "PUT /api/v3/pet", header: []string{bearer, `Content-Type: Application/JSON; charset="UTF-8"`}, operation: "updatePet",
		body: `{"name":"Rex","photoUrls":[]}`,
	},
	{
		name: "top-level array", line: "POST /api/v3/user/createWithList", operation: "createUsersWithListInput",
		body: `[{"id":1,"username":"theUser"},{"userStatus":2}]`,
	},
	{
		name: "XML", line: "POST /api/v3/pet", header: []string{bearer, "Content-Type: application/xml"}, operation: "addPet",
		body: "<?xml version='1.0' encoding='UTF-8'?>\n<pet><id>10</id><name>Rex</name><category><id>1</id></category><photoUrls><photoUrl>x</photoUrl></photoUrls><tags><tag><id>1</id></tag></tags><status>sold</status></pet>",
	},
	{name: "form", line: "POST /api/v3/user", header: []string{"Content-Type: application/x-www-form-urlencoded"}, operation: "createUser", body: "id=1&username=theUser"},
	{name: "binary", line: "POST /api/v3/pet/12/uploadImage", header: []string{bearer, "Content-Type: application/octet-stream"}, operation: "uploadFile", body: "\x89PNG\r\n\x1a\n\x00\xff\xfe"},
	{name: "optional body", line: "POST /api/v3/store/order", operation: "placeOrder"},

	{name: "unknown path", line: "GET /api/v3/petz", want: "404 inventory:unknown-operation API9-01"},
	{name: "outside the base path", line: "GET /pet/12", want: "404 inventory:unknown-operation API9-01"},
	{name: "dot segments to an unknown path", line: "GET /api/v3/pet/../../../internal", target: "/internal", want: "404 inventory:unknown-operation API9-01"},
	{name: "method", line: "PATCH /api/v3/pet", want: "405 inventory:method API5-03", reply: "Allow: PUT, POST"},
	{name: "method where GET is", line: "DELETE /api/v3/store/inventory", want: "405 inventory:method API5-03", reply: "Allow: GET, HEAD"},
	{name: "OPTIONS", line: "OPTIONS /api/v3/pet/findByTags", want: "405 inventory:method API5-03", reply: "Allow: GET, HEAD"},
	{name: "TRACE", line: "TRACE /api/v3/store/inventory", want: "405 inventory:method API5-03", reply: "Allow: GET, HEAD"},
	{name: "encoded slash", line: "GET /api/v3/user/some%2fbody", operation: "getUserByName", want: "400 validation:path path: contract"},
	{name: "encoded dot segment", line: "GET /api/v3/user/%2e%2e%2fbody", target: "/api/v3/user/..%2fbody", operation: "getUserByName", want: "400 validation:path path: contract"},

	{
		name: "no token", line: "GET /api/v3/pet/findByStatus", operation: "findPetsByStatus",
		want: "401 token:missing contract", reply: `Www-Authenticate: Bearer realm="swagger-petstore-openapi-3-0"`,
	},
	{
		name: "no key", line: "GET /api/v3/store/inventory", operation: "getInventory",
		want: "401 token:missing contract", reply: `Www-Authenticate: ApiKey realm="swagger-petstore-openapi-3-0"`,
	},
	{
		name: "malformed token", line: "GET /api/v3/pet/findByStatus", header: []string{"Authorization: Bearer not!a(token)"}, operation: "findPetsByStatus",
		want: "401 token:malformed contract", reply: `Www-Authenticate: Bearer realm="swagger-petstore-openapi-3-0", error="invalid_token"`,
	},
	{
		name: "other scheme", line: "GET /api/v3/pet/findByStatus", header: []string{"Authorization: Basic dXNlcjpwYXNz"}, operation: "findPetsByStatus",
		want: "401 token:missing contract", reply: `Www-Authenticate: Bearer realm="swagger-petstore-openapi-3-0"`,
	},
	{name: "empty key", line: "GET /api/v3/store/inventory", header: []string{"api_key:"}, operation: "getInventory", want: "401 token:malformed contract", reply: `Www-Authenticate: ApiKey realm="swagger-petstore-openapi-3-0"`},
	{name: "token before body", line: "POST /api/v3/pet", operation: "addPet", body: `{"name":`, want: "401 token:missing contract", reply: `Www-Authenticate: Bearer realm="swagger-petstore-openapi-3-0"`},

	{name: "text for a number", line: "GET /api/v3/pet/twelve", header: []string{bearer}, operation: "getPetById", want: "400 validation:type path:petId contract"},
	{name: "number too large for its format", line: "GET /api/v3/store/order/9223372036854775808", operation: "getOrderById", want: "400 validation:format path:orderId contract"},
	{name: "number not as JSON has it", line: "GET /api/v3/store/order/+0012", operation: "getOrderById", want: "400 validation:type path:orderId contract"},
	{name: "not in the enum", line: "GET /api/v3/pet/findByStatus?status=stolen", header: []string{bearer}, operation: "findPetsByStatus", want: "400 validation:enum query:status contract"},
	{name: "undeclared query parameter", line: "GET /api/v3/pet/findByStatus?status=sold&debugging=everything", header: []string{bearer}, operation: "findPetsByStatus", want: "400 validation:undeclared-parameter query:* contract"},
	{name: "undeclared where nothing is declared", line: "GET /api/v3/user/logout?debugging", operation: "logoutUser", want: "400 validation:undeclared-parameter query:* contract"},
	{name: "repeated parameter", line: "GET /api/v3/pet/findByStatus?status=sold&status=sold", header: []string{bearer}, operation: "findPetsByStatus", want: "400 validation:repeated-parameter query:status contract"},
	{name: "repeated under an encoded name", line: "GET /api/v3/pet/findByStatus?status=sold&st%61tus=pending", header: []string{bearer}, operation: "findPetsByStatus", want: "400 validation:repeated-parameter query:status contract"},
	{name: "bad UTF-8 in the query", line: "GET /api/v3/pet/findByTags?tags=%ff%fe", header: []string{bearer}, operation: "findPetsByTags", want: "400 validation:parameter-encoding query:tags contract"},
	{name: "too many parameters", line: "GET /api/v3/pet/findByTags?" + strings.Repeat("tags=a&", 101), header: []string{bearer}, operation: "findPetsByTags", want: "400 validation:too-many-parameters query: API4-02"},

	{name: "wrong type in a body", line: "POST /api/v3/pet", header: []string{bearer}, operation: "addPet", body: `{"name":["Fluffington"],"photoUrls":[]}`, want: "400 validation:type body:/name contract"},
	{name: "deep wrong type", line: "POST /api/v3/pet", header: []string{bearer}, operation: "addPet", body: `{"name":"Rex","photoUrls":[],"tags":[{"id":1},{"id":"eleventh"}]}`, want: "400 validation:type body:/tags/1/id contract"},
	{name: "missing field", line: "POST /api/v3/pet", header: []string{bearer}, operation: "addPet", body: `{"name":"Fluffington"}`, want: "400 validation:required body:/photoUrls contract"},
	{name: "enum in a body", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"status":"vanished"}`, want: "400 validation:enum body:/status contract"},
	{name: "32-bit number", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"quantity":2147483648}`, want: "400 validation:format body:/quantity contract"},
	{name: "date-time", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"shipDate":"2027-02-30T10:00:00Z"}`, want: "400 validation:format body:/shipDate contract"},
	{name: "not JSON", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"complete":truely}`, want: "400 validation:json body:/complete contract"},
	{name: "unfinished JSON", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"complete":true`, want: "400 validation:json body:/complete contract"},
	{name: "trailing data", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"complete":true} {}`, want: "400 validation:json body: contract"},
	{name: "duplicate name", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"complete":true,"compl\u0065te":false}`, want: "400 validation:duplicate-name body: contract"},
	{name: "too deep", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"more":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`, want: "400 validation:depth body:/* contract"},
	{name: "no body", line: "POST /api/v3/pet", header: []string{bearer}, operation: "addPet", want: "400 validation:body-missing body: contract"},
	{name: "undeclared body", line: "DELETE /api/v3/user/theUser", operation: "deleteUser", body: `{"because":"whatever"}`, want: "400 validation:body-unexpected body: contract"},
	{name: "wrong type in a form", line: "POST /api/v3/user", header: []string{"Content-Type: application/x-www-form-urlencoded"}, operation: "createUser", body: "username=theUser&id=twelve", want: "400 validation:type body:/id contract"},
	{name: "undeclared content type", line: "POST /api/v3/store/order", header: []string{"Content-Type: text/plain"}, operation: "placeOrder", body: `{"complete":true}`, want: "415 validation:content-type header:content-type contract"},
	{name: "no content type", line: "POST /api/v3/store/order", header: []string{"Content-Type:"}, operation: "placeOrder", body: `{"complete":true}`, want: "415 validation:content-type header:content-type contract"},
	{name: "other charset", line: "POST /api/v3/store/order", header: []string{"Content-Type: application/json; charset=utf-16"}, operation: "placeOrder", body: `{"complete":true}`, want: "415 validation:content-type header:content-type contract"},
	{name: "encoded content", line: "POST /api/v3/store/order", header: []string{"Content-Encoding: zstd"}, operation: "placeOrder", body: "\x28\xb5\x2f\xfd", want: "415 validation:content-encoding header:content-encoding contract"},
	{name: "encoded content that breaks off", line: "POST /api/v3/store/order", header: []string{"Content-Encoding: gzip"}, operation: "placeOrder", body: "\x1f\x8b\x08\x00", want: "415 validation:content-encoding body: contract"},
	{name: "XML that lacks a field", line: "POST /api/v3/pet", header: []string{bearer, "Content-Type: application/xml"}, operation: "addPet", body: "<pet><name>Rex</name></pet>", want: "400 validation:required body:/photoUrls contract"},
	{name: "wrong type in XML", line: "POST /api/v3/pet", header: []string{bearer, "Content-Type: application/xml"}, operation: "addPet", body: "<pet><name>Rex</name><photoUrls/><tags><tag><id>x</id></tag></tags></pet>", want: "400 validation:type body:/tags/0/id contract"},
	{name: "body too large", line: "POST /api/v3/store/order", operation: "placeOrder", body: `{"more":"` + strings.Repeat("x", 1<<20) + `"}`, want: "413 validation:body-size body: contract"},
}
