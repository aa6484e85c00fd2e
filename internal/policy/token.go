package policy

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
)

// tokenOf turns an operation's security into what its callers must bring, and
// warns of what can't be judged; a list shows the same warning once.
// Where one alternative is "{}" nothing is demanded (OAS 3.1, section 4.8.10),
// yet a token that comes all the same is judged by the others.
func tokenOf(o *model.Operation, issuers []*model.Issuer, diags *diag.List) (t Token) {
	for _, requirement := range o.Security.Alternatives {
		var alternative Alternative
		for _, use := range requirement {
			scheme := o.Version.API.Schemes[use.Scheme]
			if scheme.Kind == inventory.SchemeMutualTLS || scheme.Kind == inventory.SchemeUnknown {
				diags.Warnf(scheme.Pos, "security scheme %q (%s) is not judged: the gateway doesn't see it", scheme.Name, scheme.Type)
				continue
			}
			alternative = append(alternative, credential(scheme, use.Scopes, issuers))
		}
		if len(alternative) == 0 && len(requirement) > 0 {
			diags.Warnf(o.Operation.Pos, "%s can be called with security scheme %q alone, which is not judged: no credential is demanded", o.Label, requirement[0].Scheme)
		}
		t.Alternatives = append(t.Alternatives, alternative)
	}
	warnUnverified(o, t, diags)
	return t
}

// credential is how a scheme's credential travels. Scopes are OAuth's; those
// of other schemes are roles by name only (OAS 3.1), which no token carries.
func credential(scheme *inventory.SecurityScheme, scopes []string, issuers []*model.Issuer) Credential {
	c := Credential{Scheme: scheme.Name}
	switch scheme.Kind {
	case inventory.SchemeBearer:
		c.Kind, c.Issuers = Bearer, issuers
		if len(issuers) > 0 && (scheme.Type == "oauth2" || scheme.Type == "openIdConnect") {
			c.Scopes = scopes
		}
	case inventory.SchemeBasic:
		c.Kind = Basic
	case inventory.SchemeAPIKey:
		c.Kind, c.Name = keyKind(scheme.In), scheme.Key
	case inventory.SchemeHTTPOther:
		c.Kind, c.Name = HTTPScheme, scheme.HTTPScheme
	}
	return c
}

func keyKind(in inventory.In) CredentialKind {
	switch in {
	case inventory.InQuery:
		return Query
	case inventory.InCookie:
		return Cookie
	}
	return Header
}

// demanded reports whether nobody gets by without credentials.
func (t Token) demanded() bool {
	return len(t.Alternatives) > 0 && !slices.ContainsFunc(t.Alternatives, func(a Alternative) bool { return len(a) == 0 })
}

// verifies reports whether some token is verified, and not only its form.
func (t Token) verifies() bool {
	return t.some(func(c Credential) bool { return len(c.Issuers) > 0 })
}

func (t Token) some(is func(Credential) bool) bool {
	return slices.ContainsFunc(t.Alternatives, func(a Alternative) bool { return slices.ContainsFunc(a, is) })
}

// warnUnverified warns of schemes whose tokens nobody can verify.
func warnUnverified(o *model.Operation, t Token, diags *diag.List) {
	for _, alternative := range t.Alternatives {
		for _, c := range alternative {
			if c.Kind == Bearer && len(c.Issuers) == 0 {
				diags.Warnf(o.Version.API.Schemes[c.Scheme].Pos, "service %s declares security %q, but no issuer is known: the credential's form is judged, its signature is NOT verified", o.Service.ID, c.Scheme)
			}
		}
	}
}

// headersOf are the request headers that o reads, in lower case, and where
// that is declared.
func headersOf(o *model.Operation) map[string]diag.Pos {
	headers := map[string]diag.Pos{}
	for _, requirement := range o.Security.Alternatives {
		for _, use := range requirement {
			if scheme := o.Version.API.Schemes[use.Scheme]; scheme.Kind == inventory.SchemeAPIKey && scheme.In == inventory.InHeader {
				headers[strings.ToLower(scheme.Key)] = scheme.Pos
			}
		}
	}
	for _, p := range o.Parameters {
		if p.In == inventory.InHeader {
			headers[strings.ToLower(p.Name)] = p.Pos
		}
	}
	return headers
}
