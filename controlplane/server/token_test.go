package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/threatgate/threatgate/internal/compile"
)

// issuer signs tokens.
type issuer struct {
	t   *testing.T
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t, key}
}

// issuer is the issuer as the gateway knows it, with the audience "shop".
func (i *issuer) issuer(id string) compile.Issuer {
	i.t.Helper()
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k", Algorithm: "ES256"}}})
	if err != nil {
		i.t.Fatal(err)
	}
	return compile.Issuer{
		ID: id, Issuer: "https://" + id + ".example", Audiences: []string{"shop"},
		JWKS: string(keys), PayloadHeader: "x-threatgate-jwt-" + id,
	}
}

// token signs claims.
func (i *issuer) token(c jwt.Claims) string {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "k"}}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(c).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

// testTokens asserts what the filter learns of tokens: the verified payload,
// or nothing. Nothing is refused, and the token itself goes on.
func testTokens(t *testing.T, r *compile.Release, keys *issuer) {
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(time.Now().Add(d)) }
	claims := func(edit func(*jwt.Claims)) jwt.Claims {
		c := jwt.Claims{Issuer: "https://login.example", Subject: "ada", Audience: jwt.Audience{"shop"}, Expiry: at(time.Hour)}
		edit(&c)
		return c
	}
	good := keys.token(claims(func(*jwt.Claims) {}))
	header, payload, _ := strings.Cut(good, ".")
	payload, _, _ = strings.Cut(payload, ".")
	skewed := keys.token(claims(func(c *jwt.Claims) { c.Expiry = at(-30 * time.Second) }))
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "."
	const name = "x-threatgate-jwt-login"
	for _, row := range []struct {
		name     string
		path     string
		headers  []string
		verified bool
	}{
		{"none", "/", nil, false},
		{"good", "/", []string{"authorization", "Bearer " + good}, true},
		{"lower-case scheme", "/", []string{"authorization", "bearer " + good}, false},
		// Envoy looks for the scheme anywhere, and from there for a character
		// of a token: that the header has the right form is the filter's to
		// judge.
		{"two spaces", "/", []string{"authorization", "Bearer  " + good}, true},
		{"noise before it", "/", []string{"authorization", "Basic x, Bearer ~" + good}, true},
		{"noise after it", "/", []string{"authorization", "Bearer " + good + "~"}, false},
		{"another key", "/", []string{"authorization", "Bearer " + newIssuer(t).token(claims(func(*jwt.Claims) {}))}, false},
		{"no signature", "/", []string{"authorization", "Bearer " + unsigned}, false},
		{"cut signature", "/", []string{"authorization", "Bearer " + header + "." + payload + ".AAAA"}, false},
		{"another audience", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Audience = jwt.Audience{"bank"} }))}, false},
		{"no audience", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Audience = nil }))}, false},
		{"another issuer", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Issuer = "https://evil.example" }))}, false},
		{"other's name, own key", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Issuer = "https://other.example" }))}, false},
		{"no issuer", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Issuer = "" }))}, false},
		{"expired", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Expiry = at(-2 * time.Minute) }))}, false},
		{"expired within the skew", "/", []string{"authorization", "Bearer " + skewed}, true},
		{"without end", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.Expiry = nil }))}, false},
		{"not yet", "/", []string{"authorization", "Bearer " + keys.token(claims(func(c *jwt.Claims) { c.NotBefore = at(time.Hour) }))}, false},
		{"two headers", "/", []string{"authorization", "Bearer " + good, "authorization", "Bearer " + good}, false},
		{"query parameter", "/?access_token=" + good, nil, false},
		{"client's payload header", "/", []string{name, payload}, false},
		{"client's payload header beside a good token", "/", []string{name, "forged", "authorization", "Bearer " + good}, true},
		{"client's payload header beside a bad token", "/", []string{name, payload, "authorization", "Bearer " + unsigned}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := ""
			switch {
			case row.headers != nil && strings.Contains(row.headers[1], skewed):
				want = name + "=" + strings.Split(skewed, ".")[1]
			case row.verified:
				want = name + "=" + payload
			}
			if code, _, body := get(t, r, row.path, append(row.headers, "x-probe", "reserved")...); code != 200 || strings.TrimSpace(body) != want {
				t.Errorf("the filter sees %d %q, want %q", code, body, want)
			}
			code, _, body := get(t, r, row.path, row.headers...)
			if code != 200 {
				t.Errorf("got %d %s", code, body)
			}
			for i := 0; i < len(row.headers); i += 2 {
				if row.headers[i] == "authorization" && !strings.Contains(body, row.headers[i+1]) {
					t.Errorf("the upstream got %s without the client's token", body)
				}
			}
		})
	}
}
