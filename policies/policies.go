// Package policies is the rule catalogue: which threats there are, what makes
// them apply, what answers them, and the cases that prove it. It is data;
// package threat reads it.
package policies

import "embed"

// FS holds the packs, each a YAML file at its top.
//
//go:embed *.yaml
var FS embed.FS
