// Package token issues the demo shop's access tokens: JWTs (RFC 7519) signed
// with ES256 (RFC 7518 section 3.4).
//
// The demo's signing key is no secret. It follows from a phrase, so that its
// public half can stand in the repository (login.jwks.json), no private key
// has to, and the demo's threat model loads from a fresh checkout. It is good
// for a shop that listens on the loopback interface, and for nothing else.
package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// What the demo's model expects of a token.
const (
	Phrase   = "threatgate demo shop: everybody knows this key"
	Issuer   = "https://login.shop.example"
	Audience = "shop"

	keyID = "demo"
)

// Claims is what a token says.
type Claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Scope    string `json:"scope,omitempty"` // space-separated (RFC 8693 section 4.2)
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// Signer signs tokens with one key.
type Signer struct{ key *ecdsa.PrivateKey }

// NewSigner returns the signer whose key follows from phrase.
func NewSigner(phrase string) Signer {
	seed := sha256.Sum256([]byte(phrase))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		panic(err) // one phrase in 2^32 gives no key; the caller picks another
	}
	return Signer{key}
}

// Issue returns a token for subject that is good for the given time.
func (s Signer) Issue(subject, scope string, lifetime time.Duration) string {
	now := time.Now()
	return s.sign(Claims{
		Issuer: Issuer, Subject: subject, Audience: Audience, Scope: scope,
		IssuedAt: now.Unix(), Expires: now.Add(lifetime).Unix(),
	})
}

func (s Signer) sign(claims Claims) string {
	signed := encode(map[string]string{"alg": "ES256", "typ": "JWT", "kid": keyID}) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	r, t, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		panic(err) // only if the system has no randomness
	}
	signature := append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// JWKS returns the signer's public key as a key set (RFC 7517).
func (s Signer) JWKS() []byte {
	point, err := s.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err) // only for a curve other than P-256
	}
	out, err := json.MarshalIndent(map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keyID,
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]),
		"y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}}}, "", "  ")
	if err != nil {
		panic(err) // strings always marshal
	}
	return append(out, '\n')
}

// Read returns the claims of an Authorization header's bearer token. It does
// not verify them: the shop leaves that to its gateway.
func Read(authorization string) (Claims, bool) {
	bearer, ok := strings.CutPrefix(authorization, "Bearer ")
	parts := strings.Split(bearer, ".")
	if !ok || len(parts) != 3 {
		return Claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Claims{}, false
	}
	var claims Claims
	return claims, json.Unmarshal(payload, &claims) == nil
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
