package envoy

import (
	"bytes"
	"context"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	"github.com/threatgate/threatgate/internal/violation"
)

// Gather returns what Envoy counts for threatgate, without Envoy's prefix:
// it makes Admin a prometheus.Gatherer.
func (a *Admin) Gather() ([]*dto.MetricFamily, error) {
	text, err := a.Prometheus(context.Background(), `threatgate`)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var out []*dto.MetricFamily
	for name, family := range families {
		if name, ours := strings.CutPrefix(name, violation.EnvoyPrefix); ours && strings.HasPrefix(name, "threatgate_") {
			family.Name = proto.String(name)
			out = append(out, family)
		}
	}
	if families[violation.EnvoyPrefix+violation.RecordsDroppedTotal] == nil { // it is there from the first that is dropped on
		out = append(out, &dto.MetricFamily{
			Name:   proto.String(violation.RecordsDroppedTotal),
			Type:   dto.MetricType_COUNTER.Enum(),
			Metric: []*dto.Metric{{Counter: &dto.Counter{Value: proto.Float64(0)}}},
		})
	}
	return out, nil
}
