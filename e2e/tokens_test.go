package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

const guardedSpec = `
openapi: 3.0.3
info: {title: Guarded, version: "1"}
paths:
  /me: {get: {operationId: me, security: [{login: []}], responses: {"200": {description: ok}}}}
  /admin: {get: {operationId: admin, security: [{scoped: [admin, read]}], responses: {"200": {description: ok}}}}
  /send: {post: {operationId: send, security: [{login: []}], responses: {"200": {description: ok}}}}
  /open: {get: {operationId: open, security: [], responses: {"200": {description: ok}}}}
  /busy: {get: {operationId: busy, security: [], responses: {"200": {description: ok}}}}
components:
  securitySchemes:
    login: {type: http, scheme: bearer, bearerFormat: JWT}
    scoped: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://login.example/token", scopes: {admin: all, read: some}}}}
`

const guardedModel = `
apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: guarded}
spec:
  issuers:
    - {id: login, issuer: "https://login.example", jwks: {file: JWKS}, audiences: [guarded]}
  services:
    - id: guarded
      specs: [{file: SPEC}]
      operations:
        - {match: busy, limit: {per: address, rate: 1/h, burst: 20}}
        - {match: send, limit: {per: subject, rate: 1/h, burst: 5}}
`

// keys are an issuer's, and one that is nobody's.
type keys struct {
	rsa, foreign *rsa.PrivateKey
	ecdsa        *ecdsa.PrivateKey
}

func newKeys(t testing.TB) (k keys) {
	t.Helper()
	var errs [3]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.foreign, errs[1] = rsa.GenerateKey(rand.Reader, 2048)
	k.ecdsa, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// set is the issuer's published key set (RFC 7517).
func (k keys) set(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k.rsa.Public(), KeyID: "r", Algorithm: string(jose.RS256), Use: "sig"},
		{Key: k.ecdsa.Public(), KeyID: "e", Algorithm: string(jose.ES256), Use: "sig"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// token signs good claims, changed by change; a nil value removes a claim.
func token(t testing.TB, algorithm jose.SignatureAlgorithm, id string, key any, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://login.example", "aud": "guarded", "sub": "alice",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// token is one that the issuer signs with RS256.
func (k keys) token(t testing.TB, change map[string]any) string {
	return token(t, jose.RS256, "r", k.rsa, change)
}

// forged is a payload as Envoy hands it to the filter.
var forged = base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://login.example","sub":"mallory","scope":"admin read"}`))

// TestTokens sends every kind of token to operations that demand one.
func TestTokens(t *testing.T) {
	k := newKeys(t)
	spec := saved(t, "guarded.yaml", guardedSpec)
	model := saved(t, "model.yaml", strings.NewReplacer("JWKS", saved(t, "jwks.json", k.set(t)), "SPEC", spec).Replace(guardedModel))
	known := vocabulary(t, spec, model)
	attempts := tokenAttempts(t, k)
	for _, mode := range []string{"enforce", "shadow"} {
		t.Run(mode, func(t *testing.T) {
			g := gateway.Run(t, "--model", model, "--mode", mode, "--concurrency", "2")
			t.Run("verdicts", func(t *testing.T) { testVerdicts(t, mode, g, known, attempts) })
			t.Run("reserved headers", func(t *testing.T) { testReservedHeaders(t, g, k.token(t, nil)) })
			t.Run("identity headers", func(t *testing.T) { testIdentityHeaders(t, mode, g, k.token(t, nil)) })
			t.Run("limits", func(t *testing.T) { testLimits(t, mode, g, k) })
		})
	}
	t.Logf("%d requests", len(attempts))
	if len(attempts) < 28 {
		t.Error("fewer than 28 requests")
	}
}

func tokenAttempts(t *testing.T, k keys) []attempt {
	const (
		missing     = "401 token:missing contract"
		malformed   = "401 token:malformed contract"
		notVerified = "401 token:not-verified contract"
		scope       = "403 access:scope contract"

		challenge    = `Www-Authenticate: Bearer realm="guarded"`
		invalid      = challenge + `, error="invalid_token"`
		insufficient = challenge + `, error="insufficient_scope"`
	)
	good := k.token(t, nil)
	parts := strings.Split(good, ".")
	admin := k.token(t, map[string]any{"scope": "read admin"})
	reader := k.token(t, map[string]any{"scope": "read administrate"})
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	public, err := json.Marshal(jose.JSONWebKey{Key: k.rsa.Public()})
	if err != nil {
		t.Fatal(err)
	}
	me := func(name, want, reply string, header ...string) attempt {
		return attempt{name: name, line: "GET /me", header: header, operation: "me", want: want, reply: reply}
	}
	// One header line "Authorization: Bearer <token>".
	with := func(token string) string { return "Authorization: Bearer " + token }
	return []attempt{
		me("RS256", "", "", with(good)),
		me("ES256", "", "", with(token(t, jose.ES256, "e", k.ecdsa, nil))),
		me("several audiences", "", "", with(k.token(t, map[string]any{"aud": []string{"others", "guarded"}}))),
		me("expired within the skew", "", "", with(k.token(t, map[string]any{"exp": time.Now().Unix() - 10}))),

		me("missing", missing, challenge),
		me("empty", malformed, invalid, "Authorization: Bearer"),
		me("other scheme", missing, challenge, "Authorization: Basic dXNlcjpwYXNzd29yZA=="),
		me("in a cookie", missing, challenge, "Cookie: access_token="+good),
		{name: "in the query", line: "GET /me?access_token=" + good, operation: "me", want: missing, reply: challenge},
		me("not b64token", malformed, invalid, with("in valid")),
		me("not a JWT", notVerified, invalid, with("opaquetoken")),
		me("not compact", notVerified, invalid, with(parts[0]+"."+parts[1])),
		me("payload of another", notVerified, invalid, with(parts[0]+"."+strings.Split(admin, ".")[1]+"."+parts[2])),
		me("foreign key", notVerified, invalid, with(token(t, jose.RS256, "r", k.foreign, nil))),
		me("unknown key id", notVerified, invalid, with(token(t, jose.RS256, "unknown", k.foreign, nil))),
		me("unsigned", notVerified, invalid, with(unsigned)),
		me("public key as secret", notVerified, invalid, with(token(t, jose.HS256, "r", public, nil))),
		me("audience", notVerified, invalid, with(k.token(t, map[string]any{"aud": "elsewhere"}))),
		me("no audience", notVerified, invalid, with(k.token(t, map[string]any{"aud": nil}))),
		me("issuer", notVerified, invalid, with(k.token(t, map[string]any{"iss": "https://evil.example"}))),
		me("no issuer", notVerified, invalid, with(k.token(t, map[string]any{"iss": nil}))),
		me("expired", notVerified, invalid, with(k.token(t, map[string]any{"exp": time.Now().Unix() - 120}))),
		me("without end", notVerified, invalid, with(k.token(t, map[string]any{"exp": nil}))),
		me("not yet", notVerified, invalid, with(k.token(t, map[string]any{"nbf": time.Now().Unix() + 120}))),
		me("scheme in lower case", notVerified, invalid, "Authorization: bearer "+good),
		me("two tokens", malformed, invalid, with(good), with(good)),
		me("good and bad", malformed, invalid, with(good), with("opaquetoken")),

		{name: "scopes", line: "GET /admin", header: []string{with(admin)}, operation: "admin"},
		{name: "one scope short", line: "GET /admin", header: []string{with(reader)}, operation: "admin", want: scope, reply: insufficient},
		{name: "no scope", line: "GET /admin", header: []string{with(good)}, operation: "admin", want: scope, reply: insufficient},

		me("forged payload", missing, challenge, "X-Threatgate-Jwt-Login: "+forged),
		me("forged payload beside a bad token", notVerified, invalid, "x-threatgate-jwt-login: "+forged, with("opaquetoken")),
		{name: "forged scopes", line: "GET /admin", header: []string{with(reader), "X-Threatgate-Jwt-Login: " + forged}, operation: "admin", want: scope, reply: insufficient},
	}
}

// testReservedHeaders sends the header in which Envoy hands verified payloads
// to the filter, in every spelling: it must count for nothing and go no
// further.
func testReservedHeaders(t *testing.T, g *gateway.Gateway, good string) {
	for _, spelling := range []string{
		"x-threatgate-jwt-login: F", "X-Threatgate-JWT-Login: F", "X-THREATGATE-JWT-LOGIN: F", "x_threatgate_jwt_login: F",
		"X-Threatgate_Jwt-Login: F", "x-threatgate-jwt-login: F\r\nx-threatgate-jwt-login: F", "x-threatgate-other: F",
		"x-threatgate-jwt-login: F\r\nConnection: x-threatgate-jwt-login",
	} {
		spelling = strings.ReplaceAll(spelling, "F", forged)
		w := dial(t, g)
		w.write(head("GET /me", "Authorization: Bearer "+good, spelling))
		if a := w.answer("GET"); a.Status != http.StatusOK {
			t.Errorf("%.40q: answer %d %s", spelling, a.Status, a.Body)
		}
		for _, r := range g.Upstream.Take() {
			for name := range r.Header {
				if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "x-threatgate-") {
					t.Errorf("%.40q: the upstream saw %s", spelling, name)
				}
			}
			if r.Header.Get("Authorization") != "Bearer "+good {
				t.Errorf("%.40q: the upstream saw another token", spelling)
			}
		}
	}
}

// testIdentityHeaders: what a client says of itself goes no further in
// enforce, and is counted in both modes.
func testIdentityHeaders(t *testing.T, mode string, g *gateway.Gateway, good string) {
	const code = `code="identity-header"`
	before := g.Metric("threatgate_violations_total", code, `operation="me"`, `mode="`+mode+`"`)
	spellings := []string{"X-User-Id", "x-user-id", "X-FORWARDED-USER", "X_User_Id"}
	for _, p := range protocols {
		for _, name := range spellings {
			request := gateway.Request(t, "GET", g.URL("/me"), "", "Authorization: Bearer "+good, "X-Harmless: kept")
			request.Header[name] = []string{"root", "toor"}
			if a := gateway.Do(t, p.client, request); a.Status != http.StatusOK {
				t.Errorf("%s: answer %d %s", name, a.Status, a.Body)
			}
			for _, r := range g.Upstream.Take() {
				kept := false
				for received := range r.Header {
					kept = kept || strings.EqualFold(received, name)
				}
				if kept != (mode == "shadow") || r.Header.Get("X-Harmless") != "kept" {
					t.Errorf("%s over %s: the upstream saw %v", name, p.name, slices.Sorted(maps.Keys(r.Header)))
				}
			}
		}
	}
	want := before + float64(len(spellings)*len(protocols))
	envoytest.Eventually(t, "identity headers are counted", func() bool {
		return g.Metric("threatgate_violations_total", code, `operation="me"`, `mode="`+mode+`"`) == want
	})
}

// testLimits goes over limits. Every request has a connection of its own, so
// that both workers get some.
func testLimits(t *testing.T, mode string, g *gateway.Gateway, k keys) {
	for _, c := range []struct {
		name, operation, line string
		header                []string
		from                  string // the client's address
		burst                 int
	}{
		{name: "address", operation: "busy", line: "GET /busy", from: "127.0.0.1", burst: 20},
		{name: "other address", operation: "busy", line: "GET /busy", from: "127.0.0.2", burst: 20},
		{name: "spoofed address", operation: "busy", line: "GET /busy", header: []string{"X-Forwarded-For: 192.0.2.7", "X-Envoy-External-Address: 192.0.2.7"}, from: "127.0.0.1", burst: 0},
		{name: "subject", operation: "send", line: "POST /send", header: []string{"Authorization: Bearer " + k.token(t, nil)}, from: "127.0.0.1", burst: 5},
		{name: "subject from elsewhere", operation: "send", line: "POST /send", header: []string{"Authorization: Bearer " + k.token(t, map[string]any{"jti": "2"})}, from: "127.0.0.2", burst: 0},
		{name: "other subject", operation: "send", line: "POST /send", header: []string{"Authorization: Bearer " + k.token(t, map[string]any{"sub": "bob"})}, from: "127.0.0.1", burst: 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := http.Client{Timeout: time.Minute, Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext:       (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.from)}}).DialContext,
			}}
			decision := map[string]string{"enforce": "rejected", "shadow": "would_reject"}[mode]
			count := func() float64 {
				return g.Metric("threatgate_violations_total", `operation="`+c.operation+`"`, `code="rate"`, `mode="`+mode+`"`)
			}
			decided := func() float64 {
				return g.Metric("threatgate_requests_total", `operation="`+c.operation+`"`, `decision="`+decision+`"`)
			}
			counted, rejected := count(), decided()
			const over = 10
			for i := range c.burst + over {
				method, target, _ := strings.Cut(c.line, " ")
				a := gateway.Do(t, &client, gateway.Request(t, method, g.URL(target), "", c.header...))
				if limited := i >= c.burst; limited && mode == "enforce" {
					expectLimited(t, a)
				} else if a.Status != http.StatusOK {
					t.Errorf("request %d: %d %s", i, a.Status, a.Body)
				}
			}
			if want, got := c.burst, len(g.Upstream.Take()); mode == "enforce" && got != want || mode == "shadow" && got != want+over {
				t.Errorf("%d requests have reached the upstream, of which %d are within the limit", got, want)
			}
			envoytest.Eventually(t, "requests over the limit are counted", func() bool {
				return count() == counted+over && decided() == rejected+over
			})
		})
	}
}

// expectLimited checks the answer to a request over a limit of 1/h
// (RFC 6585 section 4, draft-ietf-httpapi-ratelimit-headers).
func expectLimited(t *testing.T, a gateway.Answer) {
	t.Helper()
	if !strings.HasPrefix(verdict(a), "429 limit:rate ") {
		t.Errorf("verdict %q", verdict(a))
		return
	}
	expectProblem(t, a, verdict(a))
	wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || wait < 3500 || wait > 3600 {
		t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
	}
	if got, want := a.Header.Get("RateLimit"), fmt.Sprintf(`"default";r=0;t=%d`, wait); got != want {
		t.Errorf("RateLimit: %q, want %q", got, want)
	}
	if got, want := a.Header.Get("RateLimit-Policy"), `"default";q=1;w=3600`; got != want {
		t.Errorf("RateLimit-Policy: %q, want %q", got, want)
	}
}
