package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/threatgate/threatgate/e2e/demo/shop"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
)

// The demo's ports besides those of its model, and its files, relative to the
// root of the checkout.
const (
	xdsPort        = 18000
	adminPort      = 9902
	envoyAdminPort = 9901

	threatgatePath = "bin/threatgate"
	wasmPath       = "bin/threatgate.wasm"
	modelPath      = "e2e/demo/model.yaml"
	runPath        = "bin/shop" // bin/shop-N with an offset
)

// layout says where everything is. Addresses are host:port.
type layout struct {
	services               []place
	xds, admin, envoyAdmin string

	threatgate, wasm string
	model            string
	shiftedModel     []byte // content of model if it is a copy with other ports; else nil

	dir, state, bootstrap, adminToken string
}

// place is where one service is, and where the gateway listens for it.
type place struct{ name, listen, upstream string }

// newLayout reads the model and adds offset to all ports. Then what runs is
// not the model itself but a copy of it.
func newLayout(offset int) (*layout, error) {
	for _, name := range []string{threatgatePath, wasmPath, modelPath} {
		if _, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("%w; run `make run` in the root of the checkout", err)
		}
	}
	var diags diag.List
	graph, _ := model.Load(modelPath, model.Options{OpenSpec: openapi.Load}, &diags)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	at := &layout{threatgate: threatgatePath, wasm: wasmPath, model: modelPath, dir: runPath}
	var wrong error
	shift := func(address string) string {
		shifted, err := shifted(address, offset)
		wrong = errors.Join(wrong, err)
		return shifted
	}
	for _, s := range graph.Services {
		at.services = append(at.services, place{s.ID, shift(s.Listen), shift(s.Upstream)})
	}
	local := func(port int) string { return shift(net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) }
	at.xds, at.admin, at.envoyAdmin = local(xdsPort), local(adminPort), local(envoyAdminPort)
	if wrong != nil {
		return nil, wrong
	}
	if offset != 0 {
		at.dir += "-" + strconv.Itoa(offset)
		at.model = filepath.Join(at.dir, "model.yaml")
		text, err := os.ReadFile(modelPath)
		if err != nil {
			return nil, err
		}
		if at.shiftedModel, err = relocate(text, at.dir, shift); err != nil {
			return nil, err
		}
	}
	at.state = filepath.Join(at.dir, "state")
	at.bootstrap = filepath.Join(at.dir, "envoy.yaml")
	at.adminToken = filepath.Join(at.dir, "admin-token")
	return at, nil
}

// shifted adds offset to the port of address.
func shifted(address string, offset int) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%s: the address of a service must be host:port: %w", modelPath, err)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n+offset < 1 || n+offset > 65535 {
		return "", fmt.Errorf("%s: there is no port %s%+d", address, port, offset)
	}
	return net.JoinHostPort(host, strconv.Itoa(n+offset)), nil
}

var (
	addressLine = regexp.MustCompile(`(?m)^( *(?:listen|upstream): )(\S+)$`)
	fileField   = regexp.MustCompile(`(file: )([^\s},]+)`)
)

// relocate is the text of the demo's model for another place: its addresses
// are what shift makes of them, its files are named as seen from dir.
func relocate(text []byte, dir string, shift func(string) string) ([]byte, error) {
	home, err := filepath.Rel(dir, filepath.Dir(modelPath))
	if err != nil {
		return nil, err
	}
	text = addressLine.ReplaceAllFunc(text, func(line []byte) []byte {
		m := addressLine.FindSubmatch(line)
		return append(m[1][:len(m[1]):len(m[1])], shift(string(m[2]))...)
	})
	return fileField.ReplaceAll(text, []byte("${1}"+filepath.ToSlash(home)+"/${2}")), nil
}

func (at *layout) log(name string) string { return filepath.Join(at.dir, name+".log") }

func (at *layout) service(name string) place {
	for _, s := range at.services {
		if s.name == name {
			return s
		}
	}
	return place{}
}

// shop lets the services call each other through the gateway.
func (at *layout) shop() shop.Config {
	url := func(name string) string { return "http://" + at.service(name).listen }
	return shop.Config{
		Storefront:   at.service("storefront").upstream,
		Orders:       at.service("orders").upstream,
		Payments:     at.service("payments").upstream,
		Analytics:    at.service("analytics").upstream,
		OrdersURL:    url("orders"),
		PaymentsURL:  url("payments"),
		AnalyticsURL: url("analytics"),
	}
}

// portsFree tries every port, since Envoy would share a listener's with
// another Envoy of the same user without a word.
func (at *layout) portsFree() error {
	type port struct{ use, address string }
	ports := []port{{"xDS", at.xds}, {"the control plane's admin API", at.admin}, {"Envoy's admin page", at.envoyAdmin}}
	for _, s := range at.services {
		ports = append(ports, port{"the gateway before " + s.name, s.listen}, port{s.name, s.upstream})
	}
	var taken error
	for _, p := range ports {
		listener, err := net.Listen("tcp", p.address)
		if err != nil {
			taken = errors.Join(taken, fmt.Errorf("no port for %s: %w", p.use, err))
			continue
		}
		listener.Close()
	}
	if taken != nil {
		return fmt.Errorf("%w\nstop what listens there, or take other ports: DEMO_PORT_OFFSET=1000 make run", taken)
	}
	return nil
}
