package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

func (b *binder) bindIssuers(entries []issuerEntry) {
	for _, e := range entries {
		i := &Issuer{ID: string(e.ID.Value), Issuer: e.Issuer.Value, JWKS: b.keySet(e.JWKS.File), Pos: e.Pos}
		for _, a := range e.Audiences {
			i.Audiences = append(i.Audiences, a.Value)
		}
		b.issuers.declare(e.ID, i, &b.diags)
		b.graph.Issuers = append(b.graph.Issuers, i)
	}
}

// keySet reads a JWK set from a file.
func (b *binder) keySet(file written[string]) string {
	if !file.given() {
		return ""
	}
	path := b.beside(file.Value)
	data, ok := b.read(path, file.Pos)
	if !ok {
		return ""
	}
	if err := checkKeySet(data); err != nil {
		b.diags.Errorf(file.Pos, "%s: %v", path, err)
	}
	return string(data)
}

// checkKeySet reports why data isn't a JWK set (RFC 7517, section 5) of public
// keys of which one at least can be used. Its errors hold nothing of the keys.
func checkKeySet(data []byte) error {
	var set struct {
		Keys []map[string]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return fmt.Errorf("not a JWK set: %v", jsonFault(err))
	}
	usable := 0
	for i, members := range set.Keys {
		if private(members) {
			return fmt.Errorf("key %d contains a private key: a key set must hold public keys alone", i+1)
		}
		text, err := json.Marshal(members)
		if err != nil {
			return err
		}
		switch err := new(jose.JSONWebKey).UnmarshalJSON(text); {
		case err == nil:
			usable++
		case errors.Is(err, jose.ErrUnsupportedKeyType): // to be ignored (RFC 7517, section 5)
		default:
			return fmt.Errorf("key %d is malformed", i+1)
		}
	}
	if usable == 0 {
		return errors.New("the JWK set has no key that can be used")
	}
	return nil
}

// private reports whether a JWK has members of private or symmetric keys (RFC
// 7518, sections 6.2.2, 6.3.2 and 6.4.1). Names are compared as encoding/json
// does, without case.
func private(members map[string]json.RawMessage) bool {
	for name := range members {
		switch strings.ToLower(name) {
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			return true
		}
	}
	return false
}

// jsonFault is a fault of a JSON text without anything of the text.
func jsonFault(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("malformed JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Sprintf("wrong type at byte %d", kind.Offset)
	}
	return "malformed JSON"
}

// IssuersOf returns the issuers whose tokens a caller of s may bring: those
// of the flows that lead to s or, where no flow names one, every issuer of
// the model. The result is in order of id.
func (g *Graph) IssuersOf(s *Service) []*Issuer {
	var found []*Issuer
	for _, f := range g.Flows {
		if f.To.Service == s && f.Issuer != nil && !slices.Contains(found, f.Issuer) {
			found = append(found, f.Issuer)
		}
	}
	if found == nil {
		found = slices.Clone(g.Issuers)
	}
	slices.SortFunc(found, func(a, b *Issuer) int { return strings.Compare(a.ID, b.ID) })
	return found
}
