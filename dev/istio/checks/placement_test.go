package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pilot/test/xdstest"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/test"
)

const (
	placements = root + "/docs/placement.md"
	begin      = "<!-- Noted by the tests: make test-istio DOCS=1 -->\n"
)

// A column of the table: some connection managers of a proxy.
type place struct {
	title string
	proxy model.Proxy
	// Whether a listener is meant.
	listens func(*listener.Listener) bool
}

func sidecar(title, namespace, app, address string, inbound bool, labels map[string]string) place {
	labels["app"] = app
	return place{
		title: title,
		proxy: model.Proxy{
			Type: model.SidecarProxy, ID: app + "." + namespace, ConfigNamespace: namespace, Labels: labels, IPAddresses: []string{address},
			Metadata: &model.NodeMetadata{Namespace: namespace, Labels: labels},
		},
		listens: func(l *listener.Listener) bool { return inbound == (l.Name == model.VirtualInboundListenerName) },
	}
}

func everyListener(*listener.Listener) bool { return true }

// In the order of the table.
func places() []place {
	gateway := map[string]string{"istio": "ingressgateway"}
	waypoint := map[string]string{"gateway.networking.k8s.io/gateway-name": "waypoint", "gateway.networking.k8s.io/gateway-class-name": "istio-waypoint", "gateway.istio.io/managed": "istio.io-mesh-controller"}
	return []place{
		sidecar("shop/checkout, inbound", "shop", "checkout", "10.244.0.3", true, map[string]string{}),
		sidecar("outbound", "shop", "checkout", "10.244.0.3", false, map[string]string{}),
		sidecar("bookinfo/productpage, inbound", "bookinfo", "productpage", "10.244.0.1", true, map[string]string{}),
		sidecar("outbound", "bookinfo", "productpage", "10.244.0.1", false, map[string]string{}),
		sidecar("bookinfo/ratings, labelled `throughline: enabled`, inbound", "bookinfo", "ratings", "10.244.0.2", true, map[string]string{"throughline": "enabled"}),
		{"gateway", model.Proxy{
			Type: model.Router, ID: "ingress.istio-system", ConfigNamespace: "istio-system", Labels: gateway, IPAddresses: []string{"10.244.0.10"},
			Metadata: &model.NodeMetadata{Namespace: "istio-system", Labels: gateway},
		}, everyListener},
		{"waypoint of bookinfo", model.Proxy{
			Type: model.Waypoint, ID: "waypoint.bookinfo", ConfigNamespace: "bookinfo", Labels: waypoint, IPAddresses: []string{"10.244.0.100"},
			Metadata: &model.NodeMetadata{Namespace: "bookinfo", Labels: waypoint},
		}, everyListener},
	}
}

// Which proxies get the filter from each kustomization, and where in the order of filters: as docs/placement.md says, on every
// line of Istio.
func TestPlacement(t *testing.T) {
	test.SetForTest(t, &features.EnableAmbient, true)
	test.SetForTest(t, &features.EnableAmbientWaypoints, true)
	table := &strings.Builder{}
	columns := places()
	table.WriteString("| from |")
	for _, place := range columns {
		fmt.Fprintf(table, " %s |", place.title)
	}
	table.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, manifest := range shipped(t) {
		if !strings.HasPrefix(manifest.path, root+"/wasmplugin/") || !strings.Contains(manifest.text, "pluginName:") {
			continue
		}
		if older && isNewer(manifest.text) {
			// That line refuses it: TestShippedManifests.
			continue
		}
		fmt.Fprintf(table, "| %s |", strings.TrimPrefix(manifest.path, root+"/wasmplugin/"))
		for _, cell := range row(t, image.Replace(manifest.text)) {
			fmt.Fprintf(table, " %s |", cell)
		}
		table.WriteString("\n")
	}
	compare(t, table.String())
}

func row(t *testing.T, plugins string) []string {
	t.Helper()
	objects := read(t, "mesh.yaml") + "\n---\n" + plugins
	meshConfig, err := mesh.ApplyMeshConfigDefaults(`
extensionProviders:
- name: ext-authz
  envoyExtAuthzHttp: {service: productpage.example, port: 9080}
`)
	if err != nil {
		t.Fatal(err)
	}
	istiod := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{ConfigString: objects, KubernetesObjectString: objects, MeshConfig: meshConfig})
	var cells []string
	for _, place := range places() {
		proxy := place.proxy
		managers := managersOf(t, istiod.Listeners(istiod.SetupProxy(&proxy)), place.listens)
		if len(managers) == 0 {
			t.Fatalf("%s has no connection manager", place.title)
		}
		cells = append(cells, cell(t, place.title, managers))
	}
	return cells
}

// The names of the HTTP filters of each connection manager that serves requests.
func managersOf(t *testing.T, listeners []*listener.Listener, listens func(*listener.Listener) bool) [][]string {
	t.Helper()
	var managers [][]string
	for _, l := range listeners {
		if !listens(l) {
			continue
		}
		for _, chain := range append(l.FilterChains, l.DefaultFilterChain) {
			if chain == nil {
				continue
			}
			for _, filter := range chain.Filters {
				if !strings.HasSuffix(filter.GetTypedConfig().GetTypeUrl(), "HttpConnectionManager") {
					continue
				}
				var names []string
				for _, http := range xdstest.UnmarshalAny[hcm.HttpConnectionManager](t, filter.GetTypedConfig()).HttpFilters {
					names = append(names, http.Name)
				}
				// A waypoint's outer one only ends tunnels.
				if !slices.Contains(names, "connect_authority") {
					managers = append(managers, names)
				}
			}
		}
	}
	return managers
}

// What the table says of these: between which filters it is, or a dash. They must agree.
func cell(t *testing.T, place string, managers [][]string) string {
	t.Helper()
	cells := map[string]bool{}
	for _, names := range managers {
		cells[position(names)] = true
	}
	if len(cells) != 1 {
		t.Errorf("%s: its connection managers differ: %v", place, cells)
	}
	for cell := range cells {
		return cell
	}
	return ""
}

// Those that tell where in the order a filter is, by the names that people know.
var landmarks = map[string]string{
	"envoy.filters.http.ext_authz": "ext_authz",
	"envoy.filters.http.jwt_authn": "jwt_authn",
	"envoy.filters.http.rbac":      "rbac",
	"istio.stats":                  "stats",
	"envoy.filters.http.router":    "router",
}

func position(names []string) string {
	order := []string{}
	found := false
	for _, name := range names {
		if strings.HasPrefix(name, "extensions.istio.io/") {
			order, found = append(order, "**filter**"), true
		} else if landmark := landmarks[name]; landmark != "" {
			order = append(order, landmark)
		}
	}
	if !found {
		return "–"
	}
	// What a custom policy is for, that filter only asks the next one about.
	if asks := slices.Index(order, "ext_authz"); asks > 0 && order[asks-1] == "rbac" {
		order = slices.Delete(order, asks-1, asks)
	}
	return strings.Join(order, " → ")
}

// Compares with the documentation, or with DOCS=1 notes it there. The older line has the same rows, but for those of kinds
// that it does not know.
func compare(t *testing.T, table string) {
	t.Helper()
	text := read(t, placements)
	before, noted, found := strings.Cut(text, begin)
	if !found {
		t.Fatalf("%s has no line %q", placements, begin)
	}
	if os.Getenv("DOCS") == "1" && !older {
		if err := os.WriteFile(placements, []byte(before+begin+table), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	expected := strings.SplitAfter(noted, "\n")
	for _, line := range strings.SplitAfter(table, "\n") {
		if !slices.Contains(expected, line) {
			t.Errorf("%s does not say:\n%s", filepath.Base(placements), line)
		}
	}
	if !older && noted != table {
		t.Errorf("%s says:\n%s\nIstio does:\n%s", filepath.Base(placements), noted, table)
	}
}
