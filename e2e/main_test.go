// Package e2e_test sends real requests through real gateways.
package e2e_test

import (
	"testing"

	"github.com/threatgate/threatgate/e2e/gateway"
)

func TestMain(m *testing.M) { gateway.Main(m) }
