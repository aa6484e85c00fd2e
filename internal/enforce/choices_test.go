package enforce_test

import (
	"testing"

	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// What a model may choose: whether formats are judged, and what becomes of
// values that some keyword can't judge.
func TestChoices(t *testing.T) {
	const (
		format   = "validation:format body /day"
		refused  = "validation:unenforceable body /code"
		unjudged = "validation:unjudged body /code"
	)
	for _, row := range []struct {
		request                            string
		byDefault, annotate, refuse, count string
	}{
		{"POST /code\n\n{\"day\":\"2024-02-30\"}", format, allowed, format, format},
		{"POST /code\n\n{\"day\":\"2024-02-29\"}", allowed, allowed, allowed, allowed},
		{"POST /code\n\n{\"code\":\"aa\"}", allowed, allowed, refused, unjudged},
		{"POST /code\n\n{\"code\":\"aa\",\"size\":4}", "validation:maximum body /size", "validation:maximum body /size", refused, "validation:unjudged body /code; validation:maximum body /size"},
		{"POST /code\n\n{\"code\":1}", "validation:type body /code", "validation:type body /code", "validation:type body /code", "validation:type body /code"},
		{"GET /code?code=aa", allowed, allowed, "validation:unenforceable query code", "validation:unjudged query code"},
		{"GET /code?day=x", "validation:format query day", allowed, "validation:format query day", "validation:format query day"},
		{"GET /code?form=a", allowed, allowed, "validation:unenforceable query form", "validation:unjudged query form"},
		{"GET /code?either=a&either=b", allowed, allowed, "validation:unenforceable query either", "validation:unjudged query either"},
		{"POST /binary\ncontent-type: application/x-protobuf\n\n\x08\x01", allowed, allowed, "validation:unenforceable body", "validation:unjudged body"},
		{"POST /binary\ncontent-type: application/pdf\n\n%PDF", allowed, allowed, allowed, allowed},
		{"POST /binary\ncontent-type: text/html\n\n{}", "validation:type body", "validation:type body", "validation:type body", "validation:unjudged body"},
		{"POST /binary\ncontent-type: application/x-www-form-urlencoded\n\na=1", "validation:type body", "validation:type body", "validation:type body", "validation:unjudged body"},
		{"POST /binary\ncontent-type: text/plain\n\n5", allowed, allowed, allowed, allowed},
		{"POST /binary\ncontent-type: text/plain\n\nx", "validation:type body", "validation:type body", "validation:type body", "validation:type body"},
	} {
		for _, choice := range []struct {
			name   string
			want   string
			choose func(*policy.Service)
		}{
			{"nothing", row.byDefault, func(*policy.Service) {}},
			{"formats: annotate", row.annotate, func(s *policy.Service) { s.AnnotateFormats = true }},
			{"unenforceable: refuse", row.refuse, func(s *policy.Service) { s.Unenforceable = new(violation.Unenforceable) }},
			{"unenforceable: count", row.count, func(s *policy.Service) { s.Unenforceable = new(violation.Unjudged) }},
		} {
			e := compiled(t, "testdata/choices.yaml", func(set *policy.Set) {
				inMode(violation.Enforce)(set)
				choice.choose(set.Services[0])
			})
			if got := judge(e, parse(t, row.request), 0, false); got != choice.want {
				t.Errorf("%s: %q:\n got %s\nwant %s", choice.name, row.request, got, choice.want)
			}
		}
	}
}
