package envoy

import (
	"bytes"
	"context"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

const (
	ownPrefix     = "envoy_threatgate_" // of the counters that our access loggers keep
	droppedSuffix = "_logs_dropped"     // of the OTLP access logger's own
	droppedName   = "threatgate_violation_records_dropped_total"
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
	dropped := 0.0
	for name, family := range families {
		switch {
		case strings.HasPrefix(name, ownPrefix):
			family.Name = proto.String(strings.TrimPrefix(name, "envoy_"))
			out = append(out, family)
		case strings.HasSuffix(name, droppedSuffix):
			for _, m := range family.Metric {
				dropped += m.GetCounter().GetValue()
			}
		}
	}
	return append(out, &dto.MetricFamily{
		Name:   proto.String(droppedName),
		Help:   proto.String("Violation records that Envoy could not send."),
		Type:   dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{{Counter: &dto.Counter{Value: &dropped}}},
	}), nil
}
