// Package threat finds what can go wrong with a bound model, and says how
// bad it is.
//
// The rules are data (package policies). A Catalogue is rule packs
// (catalogue.go), decoded strictly (pack.go, decode.go); what a trigger may ask
// of an operation, a value, a service or a flow is a closed vocabulary
// (terms.go, subject.go, value.go), and the names it looks for are lists of
// words (names.go). Enumerate matches every rule against a graph
// (enumerate.go); Assess scores one match under what the gateway does about it
// (score.go, factors.go); Findings groups the matches into what a person must
// read (findings.go). Rules bring cases, and RunCases runs them (cases.go).
//
// A rule that needs a new word is the only reason to change this package.
package threat
