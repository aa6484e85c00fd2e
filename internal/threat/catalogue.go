package threat

import (
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/violation"
)

// Catalogue is every rule and name list of some packs. It is immutable.
type Catalogue struct {
	Rules           []*Rule          // in order of id
	IdentityHeaders []IdentityHeader // in order of name

	lists      map[string]names
	classes    []namedClass
	categories map[string]category
}

// IdentityHeader is a request header that backends take as somebody's word
// for who is calling.
type IdentityHeader struct{ Name, Why string } // Name in lower case

// namedClass says how sensitive a value with a certain name is taken to be.
type namedClass struct {
	names names
	class class
}

// category is the OWASP API Security Top 10's own rating of a category,
// each from 1 (hard) to 3 (easy).
type category struct{ exploitability, detectability int }

// Rule says what can go wrong, where, how bad it is and what answers it.
type Rule struct {
	ID                      string
	Title                   string
	Why                     string
	Scope                   Scope
	Needs                   string // what only running traffic or a richer model can tell; such a rule has no triggers
	Triggers                []*Trigger
	Controls                []*Control
	Skill                   Rated // of those who do it: from 1, none, to 9, penetration testers
	Integrity, Availability Rated
	Confidentiality         *Rated // nil: that of the data in question
	References              []Reference
	Cases                   []*Case
	Pos                     diag.Pos

	category category // of its first OWASP category
}

// Scope is what a threat of a rule is about.
type Scope uint8

const (
	ScopeModel Scope = iota
	ScopeService
	ScopeOperation
	ScopeFlow
)

var scopeWords = []string{"model", "service", "operation", "flow"}

// Trigger is one cause for which a rule fires.
type Trigger struct {
	Cause    string
	Controls []*Control // those of the rule that answer this cause

	operation test[operationSubject] // nil: not asked
	value     test[value]
	service   test[serviceSubject]
	flow      test[flowSubject]
}

// Control is one answer to a threat.
type Control struct {
	Name    string
	Family  string           // inventory, validation, access, token, limits, data, observation
	Codes   []violation.Code // how the gateway reports what it stops; empty: it is not compiled
	Removes float64          // share of the likelihood, 0 to 1
	Because string
}

// Rated is a factor of OWASP's Risk Rating Methodology, 0 to 9.
type Rated struct {
	Value   float64
	Because string
}

// Reference is one entry of a standard: {"CWE", "639"}.
type Reference struct{ Standard, ID string }

// standards in the order in which references are shown.
var standards = []string{"OWASP", "CWE", "NIST", "PCI", "GDPR", "CIS"}

var families = []string{"inventory", "validation", "access", "token", "limits", "data", "observation"}

// Case is one of a rule's own test cases: a specification, or a model with
// several, and what the rule is expected to find there.
type Case struct {
	Name   string
	Spec   *yaml.Node            // an OpenAPI document; nil if Model is given
	Model  *yaml.Node            // the spec of a ThreatModel
	Specs  map[string]*yaml.Node // its specifications, by file name
	Expect []string              // "<operation label, service or flow>: <evidence>, …"
	Pos    diag.Pos
}

// LoadCatalogue reads every *.yaml file at the top of fsys as a rule pack.
// Packs share names: a rule may use the lists of any pack. The catalogue is
// nil if diags got an error.
func LoadCatalogue(fsys fs.FS, diags *diag.List) *Catalogue {
	var found diag.List
	defer diags.Merge(&found)
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil || len(files) == 0 {
		found.Errorf(diag.Pos{}, "no rule packs: there is no *.yaml file")
		return nil
	}
	c := &Catalogue{lists: map[string]names{}, categories: map[string]category{}}
	var later []func()
	for _, file := range files {
		p := &pack{decoder: decoder{file, &found}, catalogue: c}
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			found.Errorf(diag.Pos{File: file}, "%v", err)
			continue
		}
		if root := p.parse(data); root != nil {
			later = append(later, p.read(root)...)
		}
	}
	for _, read := range later {
		read()
	}
	if found.HasErrors() {
		return nil
	}
	slices.SortFunc(c.Rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(c.IdentityHeaders, func(a, b IdentityHeader) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// Rule returns the rule with the given id, or nil.
func (c *Catalogue) Rule(id string) *Rule {
	i, found := slices.BinarySearchFunc(c.Rules, id, func(r *Rule, id string) int { return strings.Compare(r.ID, id) })
	if !found {
		return nil
	}
	return c.Rules[i]
}
