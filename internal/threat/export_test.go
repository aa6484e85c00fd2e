package threat

import (
	"maps"
	"slices"
)

// Vocabulary is every word of every subject.
var Vocabulary = map[string][]string{
	"operation": slices.Sorted(maps.Keys(operationTerms)),
	"value":     slices.Sorted(maps.Keys(valueTerms)),
	"service":   slices.Sorted(maps.Keys(serviceTerms)),
	"flow":      slices.Sorted(maps.Keys(flowTerms)),
}
