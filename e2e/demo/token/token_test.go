package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

func TestCommittedKeySet(t *testing.T) {
	committed, err := os.ReadFile("../login.jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	if want := NewSigner(Phrase).JWKS(); !bytes.Equal(committed, want) {
		t.Errorf("login.jwks.json is not the demo's key set; it should be\n%s", want)
	}
}

func TestIssue(t *testing.T) {
	signer := NewSigner(Phrase)
	bearer := signer.Issue("alice", "orders:read", time.Hour)

	signed, signature, _ := strings.Cut(bearer[strings.Index(bearer, ".")+1:], ".")
	signed = bearer[:strings.Index(bearer, ".")+1] + signed
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(raw) != 64 {
		t.Fatalf("signature has %d bytes (%v), want 64", len(raw), err)
	}
	digest := sha256.Sum256([]byte(signed))
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	if !ecdsa.Verify(&signer.key.PublicKey, digest[:], r, s) {
		t.Error("the demo's key does not verify its own token")
	}
	if ecdsa.Verify(&NewSigner("somebody else").key.PublicKey, digest[:], r, s) {
		t.Error("another key verifies the token")
	}

	claims, ok := Read("Bearer " + bearer)
	want := Claims{Issuer, "alice", Audience, "orders:read", claims.IssuedAt, claims.IssuedAt + 3600}
	if !ok || claims != want {
		t.Errorf("claims are %+v, want %+v", claims, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, header := range []string{"", "Bearer", "Bearer a.b", "Bearer a.!.c", "Bearer a.e30x.c", "Basic a.e30.c", "a.e30.c"} {
		if claims, ok := Read(header); ok {
			t.Errorf("Read(%q) = %+v, want nothing", header, claims)
		}
	}
}
