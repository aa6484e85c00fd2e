package threat

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/violation"
)

// identityHeaderList is the name list that the identity headers make.
const identityHeaderList = "identity-header"

// pack decodes one file into its catalogue.
type pack struct {
	decoder
	catalogue *Catalogue
}

// read takes in the lists of a pack, and returns what reads the parts that
// may refer to the lists of all packs.
func (p *pack) read(root *yaml.Node) (later []func()) {
	afterwards := func(read func(*yaml.Node)) func(*yaml.Node) {
		return func(n *yaml.Node) { later = append(later, func() { read(n) }) }
	}
	p.fields(root, map[string]func(*yaml.Node){
		"lists": func(n *yaml.Node) {
			p.entries(n, func(key, value *yaml.Node) {
				if _, taken := p.catalogue.lists[key.Value]; taken {
					p.errorf(key, "there is a list %q already", key.Value)
				}
				p.catalogue.lists[key.Value] = parseNames(p.texts(value))
			})
		},
		"identityHeaders": func(n *yaml.Node) {
			p.entries(n, func(key, value *yaml.Node) {
				name := strings.ToLower(key.Value)
				p.catalogue.IdentityHeaders = append(p.catalogue.IdentityHeaders, IdentityHeader{name, p.text(value)})
				p.catalogue.lists[identityHeaderList] = append(p.catalogue.lists[identityHeaderList], splitWords(name))
			})
		},
		"categories": func(n *yaml.Node) {
			p.entries(n, func(key, value *yaml.Node) { p.catalogue.categories[key.Value] = p.category(value) })
		},
		"classes": afterwards(func(n *yaml.Node) {
			p.entries(n, func(key, value *yaml.Node) {
				p.catalogue.classes = append(p.catalogue.classes, namedClass{p.names(value), parseClass(p.word(key, classWords[:]))})
			})
		}),
		"rules": afterwards(func(n *yaml.Node) {
			p.items(n, p.rule)
		}),
	})
	return later
}

// names reads the name of a list, or several, into one list.
func (p *pack) names(n *yaml.Node) (out names) {
	for _, name := range p.texts(n) {
		list, known := p.catalogue.lists[name]
		if !known && name != "" {
			p.errorf(n, "there is no list %q; known: %s", name, listed(p.catalogue.lists))
		}
		out = append(out, list...)
	}
	return out
}

func (p *pack) category(n *yaml.Node) (c category) {
	rating := func(to *int) func(*yaml.Node) {
		return func(n *yaml.Node) {
			*to = slices.Index([]string{"1", "2", "3"}, p.word(n, []string{"1", "2", "3"})) + 1
		}
	}
	p.fields(n, map[string]func(*yaml.Node){
		"exploitability": rating(&c.exploitability),
		"detectability":  rating(&c.detectability),
	}, "exploitability", "detectability")
	return c
}

func (p *pack) rule(n *yaml.Node) {
	r := &Rule{Pos: p.pos(n)}
	var triggers, controls, scope *yaml.Node
	var runtime bool
	p.fields(n, map[string]func(*yaml.Node){
		"id":         func(n *yaml.Node) { r.ID = p.id(n) },
		"title":      func(n *yaml.Node) { r.Title = p.text(n) },
		"why":        func(n *yaml.Node) { r.Why = p.text(n) },
		"scope":      func(n *yaml.Node) { scope = n },
		"evidence":   func(n *yaml.Node) { runtime = p.word(n, []string{"static", "runtime"}) == "runtime" },
		"needs":      func(n *yaml.Node) { r.Needs = p.text(n) },
		"triggers":   func(n *yaml.Node) { triggers = n },
		"controls":   func(n *yaml.Node) { controls = n },
		"score":      func(n *yaml.Node) { p.score(n, r) },
		"references": func(n *yaml.Node) { p.references(n, r) },
		"cases":      func(n *yaml.Node) { p.items(n, func(n *yaml.Node) { r.Cases = append(r.Cases, p.ruleCase(n)) }) },
	}, "id", "title", "why", "scope", "controls", "score", "references")
	if scope != nil {
		r.Scope = Scope(max(0, slices.Index(scopeWords, p.word(scope, scopeWords))))
	}
	if controls != nil {
		p.items(controls, func(n *yaml.Node) { r.Controls = append(r.Controls, p.control(n)) })
	}
	if runtime != (r.Needs != "") || runtime != (triggers == nil) {
		p.errorf(n, "a rule has triggers, or evidence: runtime and needs")
	}
	if triggers != nil {
		p.items(triggers, func(n *yaml.Node) { r.Triggers = append(r.Triggers, p.trigger(n, r)) })
	}
	if slices.ContainsFunc(p.catalogue.Rules, func(other *Rule) bool { return other.ID == r.ID }) {
		p.errorf(n, "there is a rule %s already", r.ID)
	}
	p.catalogue.Rules = append(p.catalogue.Rules, r)
}

// id reads a rule's id. It travels in metrics and records (see package
// violation), and so it is a word, and not that of the contract.
func (p *pack) id(n *yaml.Node) string {
	id := p.text(n)
	word := len(id) <= 32 && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if !word || id == violation.Contract {
		p.errorf(n, "%q can't be the id of a rule: at most 32 letters, digits and \"-\", and not %q", id, violation.Contract)
	}
	return id
}

func (p *pack) score(n *yaml.Node, r *Rule) {
	rated := func(to *Rated) func(*yaml.Node) {
		return func(n *yaml.Node) {
			p.fields(n, map[string]func(*yaml.Node){
				"value":   func(n *yaml.Node) { to.Value = p.number(n, 9) },
				"because": func(n *yaml.Node) { to.Because = p.text(n) },
			}, "value", "because")
		}
	}
	p.fields(n, map[string]func(*yaml.Node){
		"skill": rated(&r.Skill),
		"confidentiality": func(n *yaml.Node) {
			r.Confidentiality = new(Rated)
			rated(r.Confidentiality)(n)
		},
		"integrity":    rated(&r.Integrity),
		"availability": rated(&r.Availability),
	}, "skill", "integrity", "availability")
}

func (p *pack) references(n *yaml.Node, r *Rule) {
	known := map[string]func(*yaml.Node){}
	for _, standard := range standards {
		known[standard] = func(n *yaml.Node) {
			for _, id := range p.texts(n) {
				r.References = append(r.References, Reference{standard, id})
			}
		}
	}
	p.fields(n, known)
	slices.SortStableFunc(r.References, func(a, b Reference) int {
		return cmp.Compare(slices.Index(standards, a.Standard), slices.Index(standards, b.Standard))
	})
	if len(r.References) == 0 || r.References[0].Standard != "OWASP" {
		p.errorf(n, "a rule belongs to an OWASP category, whose rating it takes")
		return
	}
	rating, rated := p.catalogue.categories[r.References[0].ID]
	if !rated {
		p.errorf(n, "there is no rating of category %q; known: %s", r.References[0].ID, listed(p.catalogue.categories))
	}
	r.category = rating
}

func (p *pack) control(n *yaml.Node) *Control {
	c := &Control{}
	p.fields(n, map[string]func(*yaml.Node){
		"name":    func(n *yaml.Node) { c.Name = p.text(n) },
		"family":  func(n *yaml.Node) { c.Family = p.word(n, families) },
		"removes": func(n *yaml.Node) { c.Removes = p.number(n, 1) },
		"because": func(n *yaml.Node) { c.Because = p.text(n) },
		"codes": func(n *yaml.Node) {
			p.items(n, func(n *yaml.Node) {
				family, text, _ := strings.Cut(p.text(n), ":")
				code, known := violation.ParseCode(family, text)
				if !known {
					p.errorf(n, "there is no violation code %q", n.Value)
				}
				c.Codes = append(c.Codes, code)
			})
		},
	}, "name", "family", "removes", "because")
	return c
}

func (p *pack) trigger(n *yaml.Node, r *Rule) *Trigger {
	t := &Trigger{Controls: r.Controls}
	about := map[Scope]map[string]func(*yaml.Node){
		ScopeService: {
			"service": func(n *yaml.Node) { t.service = all(p, n, serviceTerms) },
		},
		ScopeOperation: {
			"service":   func(n *yaml.Node) { t.service = all(p, n, serviceTerms) },
			"operation": func(n *yaml.Node) { t.operation = all(p, n, operationTerms) },
			"value":     func(n *yaml.Node) { t.value = all(p, n, valueTerms) },
		},
		ScopeFlow: {
			"flow": func(n *yaml.Node) { t.flow = all(p, n, flowTerms) },
		},
	}
	known := map[string]func(*yaml.Node){
		"cause":    func(n *yaml.Node) { t.Cause = p.text(n) },
		"controls": func(n *yaml.Node) { t.Controls = p.controlsOf(n, r) },
	}
	for subject, read := range about[r.Scope] {
		known[subject] = read
	}
	p.fields(n, known, "cause")
	return t
}

// controlsOf reads names of the rule's controls.
func (p *pack) controlsOf(n *yaml.Node, r *Rule) (out []*Control) {
	p.items(n, func(n *yaml.Node) {
		name := p.text(n)
		i := slices.IndexFunc(r.Controls, func(c *Control) bool { return c.Name == name })
		if i < 0 {
			p.errorf(n, "the rule has no control %q", name)
			return
		}
		out = append(out, r.Controls[i])
	})
	return out
}

func (p *pack) ruleCase(n *yaml.Node) *Case {
	c := &Case{Pos: p.pos(n)}
	p.fields(n, map[string]func(*yaml.Node){
		"name":  func(n *yaml.Node) { c.Name = p.text(n) },
		"spec":  func(n *yaml.Node) { c.Spec = n },
		"model": func(n *yaml.Node) { c.Model = n },
		"specs": func(n *yaml.Node) {
			c.Specs = map[string]*yaml.Node{}
			p.entries(n, func(key, value *yaml.Node) { c.Specs[key.Value] = value })
		},
		"expect": func(n *yaml.Node) { p.items(n, func(n *yaml.Node) { c.Expect = append(c.Expect, p.text(n)) }) },
	}, "name", "expect")
	if (c.Spec == nil) == (c.Model == nil) {
		p.errorf(n, "a case has either a spec or a model")
	}
	return c
}
