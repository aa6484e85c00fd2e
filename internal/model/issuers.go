package model

import (
	"slices"
	"strings"
)

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
