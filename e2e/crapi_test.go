package e2e_test

// crapi are requests to OWASP's crAPI.
var crapi = []attempt{
	{name: "login", line: "POST /identity/api/auth/login", operation: "login", body: `{"email":"test@example.com","password":"Test!123"}`},
	{name: "dashboard", line: "GET /identity/api/v2/user/dashboard", header: []string{bearer}, operation: "get_dashboard"},
	{name: "vehicle", line: "GET /identity/api/v2/vehicle/1929186d-8b67-4163-a208-de52a41f7301/location", header: []string{bearer}, operation: "get_location"},
	{name: "literal beside template", line: "GET /community/api/v2/community/posts/recent?limit=30&offset=0", header: []string{bearer}, operation: "get_recent_posts"},
	{name: "template", line: "GET /community/api/v2/community/posts/tiSTSUzh4BwtvYSLWPsqu9", header: []string{bearer}, operation: "get_post"},
	{name: "literal before template", line: "GET /workshop/api/shop/orders/all?limit=30&offset=0", header: []string{bearer}, operation: "get_orders"},
	{name: "trailing slash", line: "GET /workshop/api/mechanic/", header: []string{bearer}, operation: "get_mechanics"},
	{name: "public although a token comes", line: "GET /workshop/api/shop/return_qr_code", header: []string{"Accept: image/png"}, operation: "get_workshop_qr_code"},
	{name: "query", line: "GET /workshop/api/mechanic/receive_report?mechanic_code=TRAC_MECH1&problem_details=My+car%2C+it%27s+ill&vin=0BZCX25UTBJ987271", operation: "create_service_report"},
	{name: "order", line: "PUT /workshop/api/shop/orders/12", header: []string{bearer}, operation: "update_order", body: `{"product_id":1,"quantity":1}`},
	{
		name: "multipart", line: "POST /identity/api/v2/user/pictures", header: []string{bearer, "Content-Type: multipart/form-data; boundary=b"}, operation: "update_profile_pic",
		body: "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n--b--\r\n",
	},
	{name: "undeclared property of an open schema", line: "POST /identity/api/auth/login", operation: "login", body: `{"email":"a@example.com","password":"x","admin":true}`},

	{name: "shadow path", line: "GET /identity/management/admin/users", want: "404 inventory:unknown-operation API9-01"},
	{name: "without the slash", line: "GET /workshop/api/mechanic", header: []string{bearer}, want: "404 inventory:unknown-operation API9-01"},
	{name: "method", line: "DELETE /workshop/api/shop/orders/12", header: []string{bearer}, want: "405 inventory:method API5-03", reply: "Allow: PUT, GET, HEAD"},
	{name: "no token", line: "GET /identity/api/v2/user/dashboard", operation: "get_dashboard", want: "401 token:missing contract"},
	{name: "malformed token", line: "GET /identity/api/v2/user/dashboard", header: []string{"Authorization: Bearer a{b}"}, operation: "get_dashboard", want: "401 token:malformed contract"},
	{name: "not a UUID", line: "GET /identity/api/v2/vehicle/1929186d-8b67/location", header: []string{bearer}, operation: "get_location", want: "400 validation:format path:vehicleId contract"},
	{name: "missing parameter", line: "GET /workshop/api/shop/orders/all?limit=30", header: []string{bearer}, operation: "get_orders", want: "400 validation:required query:offset contract"},
	{name: "injection in a number", line: "GET /workshop/api/shop/orders/1%27%20OR%20sleeping", header: []string{bearer}, operation: "get_order_byID", want: "400 validation:type path:order_id contract"},
	{name: "undeclared parameter", line: "GET /workshop/api/shop/products?discounted=ninety", header: []string{bearer}, operation: "get_products", want: "400 validation:undeclared-parameter query:* contract"},
	{name: "operator for a string", line: "POST /community/api/v2/coupon/validate-coupon", header: []string{bearer}, operation: "validate_coupon", body: `{"coupon_code":{"$nequals":1}}`, want: "400 validation:type body:/coupon_code contract"},
	{name: "missing field", line: "POST /identity/api/auth/signup", operation: "signup", body: `{"email":"a@b.example","name":"Eleonora","number":"123456"}`, want: "400 validation:required body:/password contract"},
	{name: "fraction for an integer", line: "POST /workshop/api/shop/apply_coupon", header: []string{bearer}, operation: "apply_coupon", body: `{"coupon_code":"TRAC075","amount":75.125}`, want: "400 validation:type body:/amount contract"},
	{name: "no e-mail address", line: "POST /workshop/api/mechanic/signup", operation: "mechanic_signup", body: `{"email":"nowhere","mechanic_code":"M1","name":"Eleonora","number":"123456","password":"hunter22"}`, want: "400 validation:format body:/email contract"},
	{name: "required body", line: "POST /workshop/api/shop/orders", header: []string{bearer}, operation: "create_order", want: "400 validation:body-missing body: contract"},
	{
		name: "boundary that only some see", line: "POST /identity/api/v2/user/pictures", header: []string{bearer, "Content-Type: multipart/form-data; boundary=b"}, operation: "update_profile_pic",
		body: "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n\x89PNG\n--b--\r\n", want: "400 validation:multipart body:/file contract",
	},
	{name: "JSON for multipart", line: "POST /identity/api/v2/user/pictures", header: []string{bearer}, operation: "update_profile_pic", body: `{"file":"x"}`, want: "415 validation:content-type header:content-type API4-04"},
	{name: "XML for JSON", line: "POST /identity/api/auth/login", header: []string{"Content-Type: application/xml"}, operation: "login", body: `<login/>`, want: "415 validation:content-type header:content-type contract"},
}
