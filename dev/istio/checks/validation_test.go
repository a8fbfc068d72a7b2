package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	schemas "istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/test/util/yml"
	"sigs.k8s.io/yaml"
)

// Every manifest is accepted by Istio's schemas, their CEL rules and what its webhook calls; as it is shipped, without an
// image, the schemas refuse it.
func TestShippedManifests(t *testing.T) {
	schema := schemasOf(t)
	for _, manifest := range shipped(t) {
		t.Run(manifest.path, func(t *testing.T) {
			for _, document := range yml.SplitString(manifest.text) {
				if !isIstio(t, document) {
					continue
				}
				if older && isNewer(document) {
					if schema.ValidateCustomResourceYAML(image.Replace(document), nil) == nil {
						t.Errorf("accepted what this line does not know:\n%s", document)
					}
					continue
				}
				pinned := image.Replace(document)
				if err := schema.ValidateCustomResourceYAML(pinned, nil); err != nil {
					t.Errorf("refused by the schemas: %v\n%s", err, pinned)
				}
				if err := webhook(pinned); err != nil {
					t.Errorf("refused by the webhook: %v\n%s", err, pinned)
				}
				if pinned != document && schema.ValidateCustomResourceYAML(document, nil) == nil {
					t.Errorf("accepted without an image:\n%s", document)
				}
			}
		})
	}
}

// Every broken example is refused by whom it names, and by nobody else.
func TestRefusedManifests(t *testing.T) {
	schema := schemasOf(t)
	for manifest, by := range refused(t) {
		t.Run(filepath.Base(manifest.path), func(t *testing.T) {
			if older && isNewer(manifest.text) {
				if schema.ValidateCustomResourceYAML(manifest.text, nil) == nil {
					t.Error("accepted what this line does not know")
				}
				return
			}
			verdicts := map[string]error{
				"CRD":     schema.ValidateCustomResourceYAML(manifest.text, nil),
				"webhook": webhook(manifest.text),
			}
			for who, verdict := range verdicts {
				if expected := slices.Contains(by, who); expected != (verdict != nil) {
					t.Errorf("%s: expected to refuse %v, said %v", who, expected, verdict)
				}
			}
		})
	}
}

func schemasOf(t *testing.T) *schemas.Validator {
	t.Helper()
	file := filepath.Join(os.Getenv("ISTIO"), "crds.yaml")
	validator, err := schemas.NewValidatorFromFiles(file)
	if err != nil {
		t.Fatalf("Istio's schemas, from the directory that ISTIO names: %v", err)
	}
	return validator
}

func isIstio(t *testing.T, document string) bool {
	t.Helper()
	var object struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		t.Fatal(err)
	}
	// An IstioOperator is read by istioctl alone, and no cluster has it.
	return strings.Contains(object.APIVersion, ".istio.io/") && object.Kind != "IstioOperator"
}

// What the validating webhook does with an object that it is sent.
func webhook(document string) error {
	configs, unknown, err := crd.ParseInputs(document)
	if err != nil {
		return err
	}
	if len(unknown) > 0 || len(configs) == 0 {
		return fmt.Errorf("unknown kinds: %v", unknown)
	}
	for _, config := range configs {
		schema, found := collections.Pilot.FindByGroupVersionAliasesKind(config.GroupVersionKind)
		if !found {
			return fmt.Errorf("no schema for %v", config.GroupVersionKind)
		}
		if _, err := schema.ValidateConfig(config); err != nil {
			return err
		}
	}
	return nil
}
