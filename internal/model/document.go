package model

import "github.com/threatgate/threatgate/internal/diag"

// The types below are the format of a threat model, field for field; see
// decode.go for how they are filled and for what the tags say. Their published
// form is docs/threatmodel.schema.json.

type document struct {
	Pos        diag.Pos
	APIVersion written[string] `field:"apiVersion,required" one:"threatgate.dev/v1alpha1"`
	Kind       written[string] `field:"kind,required" one:"ThreatModel"`
	Metadata   metadataEntry   `field:"metadata,required"`
	Spec       specEntry       `field:"spec,required"`
}

type metadataEntry struct {
	Pos      diag.Pos
	Name     written[string] `field:"name,required"`
	Revision written[string] `field:"revision"`
}

type specEntry struct {
	Pos           diag.Pos
	TrustZones    []zoneEntry         `field:"trustZones"`
	DataAssets    []assetEntry        `field:"dataAssets"`
	Issuers       []issuerEntry       `field:"issuers"`
	Services      []serviceEntry      `field:"services,required"`
	Flows         []flowEntry         `field:"flows"`
	Environments  []environmentEntry  `field:"environments"`
	AcceptedRisks []acceptedRiskEntry `field:"acceptedRisks"`
}

type zoneEntry struct {
	Pos   diag.Pos
	ID    written[identifier] `field:"id,required"`
	Trust written[trust]      `field:"trust,required"`
}

type assetEntry struct {
	Pos         diag.Pos
	ID          written[identifier] `field:"id,required"`
	Category    written[string]     `field:"category,required" one:"PII financial government-id health secret credential contact other"`
	Sensitivity written[string]     `field:"sensitivity,required" one:"public internal confidential restricted"`
	Quantity    written[string]     `field:"quantity" one:"one few many all"`
}

type issuerEntry struct {
	Pos       diag.Pos
	ID        written[identifier] `field:"id,required"`
	Issuer    written[string]     `field:"issuer,required"`
	Audiences []written[string]   `field:"audiences"`
	JWKS      jwksEntry           `field:"jwks,required"`
}

type jwksEntry struct {
	Pos  diag.Pos
	File written[string] `field:"file,required"`
}

type serviceEntry struct {
	Pos           diag.Pos
	ID            written[identifier] `field:"id,required"`
	Zone          written[string]     `field:"zone"`
	Specs         []versionEntry      `field:"specs,required"`
	Listen        written[listen]     `field:"listen"`
	Upstream      written[upstream]   `field:"upstream"`
	Mode          written[string]     `field:"mode" one:"shadow enforce off"`
	Responses     written[string]     `field:"responses" one:"enforce shadow off"`
	Encodings     written[string]     `field:"encodings" one:"decode refuse"`
	Uploads       written[string]     `field:"uploads" one:"hold stream"`
	Failure       written[string]     `field:"failure" one:"closed open"`
	Bounds        boundsEntry         `field:"bounds"`
	Formats       written[string]     `field:"formats" one:"assert annotate"`
	Unenforceable written[string]     `field:"unenforceable" one:"pass refuse count"`
	Classify      []classifyEntry     `field:"classify"`
	Operations    []operationEntry    `field:"operations"`
	SBOM          written[string]     `field:"sbom"`
}

type versionEntry struct {
	Pos        diag.Pos
	File       written[string]  `field:"file,required"`
	State      written[string]  `field:"state" one:"current deprecated"`
	Sunset     written[date]    `field:"sunset"`
	References []referenceEntry `field:"references"`
}

type referenceEntry struct {
	Pos  diag.Pos
	URI  written[remote] `field:"uri,required"`
	File written[string] `field:"file,required"`
}

type boundsEntry struct {
	Pos                diag.Pos
	MaxBody            written[size]  `field:"maxBody"`
	MaxHeld            written[size]  `field:"maxHeld"`
	MaxDepth           written[count] `field:"maxDepth"`
	MaxQueryParameters written[count] `field:"maxQueryParameters"`
	MaxTokenLength     written[count] `field:"maxTokenLength"`
}

type classifyEntry struct {
	Pos     diag.Pos
	Pointer written[string] `field:"pointer,required"`
	Asset   written[string] `field:"asset,required"`
}

type operationEntry struct {
	Pos       diag.Pos
	Match     written[string] `field:"match,required"`
	Mode      written[string] `field:"mode" one:"shadow enforce off"`
	Responses written[string] `field:"responses" one:"enforce shadow off"`
	Encodings written[string] `field:"encodings" one:"decode refuse"`
	Uploads   written[string] `field:"uploads" one:"hold stream"`
	Limit     limitEntry      `field:"limit"`
	Owner     ownerEntry      `field:"owner"`
	Bounds    boundsEntry     `field:"bounds"`
	Upgrade   written[bool]   `field:"upgrade"`
}

type limitEntry struct {
	Pos   diag.Pos
	Per   written[string] `field:"per" one:"address subject operation"`
	Rate  written[rate]   `field:"rate,required"`
	Burst written[count]  `field:"burst"`
}

type ownerEntry struct {
	Pos   diag.Pos
	Claim written[string]    `field:"claim,required"`
	Param written[parameter] `field:"param,required"`
	Via   viaEntry           `field:"via" or:"equal"`
}

type viaEntry struct {
	Pos       diag.Pos
	Prefix    written[bool]   `field:"prefix,required"`
	Separator written[string] `field:"separator,required"`
}

type flowEntry struct {
	Pos      diag.Pos
	ID       written[identifier] `field:"id,required"`
	From     written[string]     `field:"from,required"`
	To       written[string]     `field:"to,required"`
	Authn    authnEntry          `field:"authn"`
	Identity written[string]     `field:"identity" one:"end-user technical-user none"`
	Assets   []written[string]   `field:"assets"`
	Token    tokenEntry          `field:"token"`
}

type authnEntry struct {
	Pos    diag.Pos
	Issuer written[string] `field:"issuer,required"`
}

type tokenEntry struct {
	Pos      diag.Pos
	Exchange exchangeEntry   `field:"exchange"`
	Strip    written[string] `field:"strip" one:"all"`
	Forward  written[bool]   `field:"forward"`
}

type exchangeEntry struct {
	Pos      diag.Pos
	Audience written[string] `field:"audience,required"`
}

type environmentEntry struct {
	Pos      diag.Pos
	ID       written[identifier]     `field:"id,required"`
	Exposure written[string]         `field:"exposure"`
	Mode     written[string]         `field:"mode" one:"shadow enforce off"`
	Services map[string]overlayEntry `field:"services"`
}

type overlayEntry struct {
	Pos      diag.Pos
	Upstream written[upstream] `field:"upstream"`
	Listen   written[listen]   `field:"listen"`
	Mode     written[string]   `field:"mode" one:"shadow enforce off"`
}

type acceptedRiskEntry struct {
	Pos       diag.Pos
	Rule      written[string] `field:"rule,required"`
	Service   written[string] `field:"service"`
	Operation written[string] `field:"operation,required"`
	Until     written[date]   `field:"until,required"`
	By        written[string] `field:"by,required"`
	Why       written[string] `field:"why,required"`
}
