package compile

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// payloadHeader is the request header in which Envoy hands the filter the
// verified payload of an issuer's token. The gateway removes every header
// with this prefix from what clients send.
const payloadHeader = violation.ReservedHeaders + "jwt-"

// issuers lists the issuers in the order of the policy: Credential.Issuers
// are ranges of a section of their own, so each credential repeats its own.
func (c *compiler) issuer(i *model.Issuer) artifact.Issuer {
	return artifact.Issuer{Issuer: c.text(i.Issuer), Header: c.text(payloadHeader + i.ID)}
}

func (c *compiler) issuers() {
	for _, i := range c.service.Issuers {
		grow(&c.bundle.Issuers, c.issuer(i))
	}
}

var credentialKinds = [...]artifact.CredentialKind{
	policy.Bearer:     artifact.CredentialBearer,
	policy.Basic:      artifact.CredentialBasic,
	policy.Header:     artifact.CredentialHeader,
	policy.Query:      artifact.CredentialQuery,
	policy.Cookie:     artifact.CredentialCookie,
	policy.HTTPScheme: artifact.CredentialScheme,
}

func (c *compiler) security(o *policy.Operation) artifact.Range {
	var alternatives []artifact.Alternative
	for _, a := range o.Token.Alternatives {
		var credentials []artifact.Credential
		for _, k := range a {
			credentials = append(credentials, c.credential(k))
		}
		alternatives = append(alternatives, artifact.Alternative{Credentials: share(c, &c.bundle.Credentials, credentials...)})
	}
	return share(c, &c.bundle.Alternatives, alternatives...)
}

func (c *compiler) credential(k policy.Credential) artifact.Credential {
	record := artifact.Credential{Kind: credentialKinds[k.Kind]}
	switch k.Kind {
	case policy.Bearer:
		record.Name = c.text("Bearer")
	case policy.Basic:
		record.Name = c.text("Basic")
	case policy.Header:
		record.Name = c.text(strings.ToLower(k.Name))
	default:
		record.Name = c.text(k.Name)
	}
	var issuers []artifact.Issuer
	for _, i := range k.Issuers {
		issuers = append(issuers, c.issuer(i))
	}
	record.Issuers = share(c, &c.bundle.Issuers, issuers...)
	if len(issuers) > 0 {
		var scopes []artifact.Text
		for _, s := range k.Scopes {
			scopes = append(scopes, c.text(s))
		}
		record.Scopes = share(c, &c.bundle.Scopes, scopes...)
	}
	return record
}

// gateway says what Envoy itself must carry.
func (c *compiler) gateway() Gateway {
	s := c.service
	g := Gateway{Service: s.ID, Listen: s.Listen, AllShadow: c.bundle.Meta.Mode != enforce, MaxBody: model.DefaultBounds.MaxBody}
	g.Upstream = c.upstream()
	for _, o := range s.Operations {
		g.AllShadow = g.AllShadow && o.Mode != enforce
		g.MaxBody = max(g.MaxBody, o.Bounds.MaxHeld)
		if !o.StreamsUploads() {
			g.MaxBody = max(g.MaxBody, o.Bounds.MaxBody)
		}
		g.Upgrades = g.Upgrades || o.Upgrade
		g.Responses = g.Responses || o.ResponseMode() != violation.Off
	}
	for _, i := range s.Issuers {
		g.Issuers = append(g.Issuers, Issuer{
			ID: i.ID, Issuer: i.Issuer, Audiences: slices.Clone(i.Audiences), JWKS: i.JWKS, PayloadHeader: payloadHeader + i.ID,
		})
	}
	return g
}
