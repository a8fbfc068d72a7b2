package checks

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"istio.io/istio/pkg/test/util/yml"
)

// The repository, from where the tests run.
const root = "../../.."

// What the manifests say instead of an image, as they are shipped.
var image = strings.NewReplacer(
	"replace-this-with-oci://your-registry/throughline", "oci://registry.example/throughline",
	"replace-this-with-the-manifest-digest", strings.Repeat("0123456789abcdef", 4),
)

// Whether the tests run on the older line of Istio.
var older = os.Getenv("LINE") == "1.29"

// Whether an object needs Istio 1.30: its kind, or a field.
func isNewer(text string) bool {
	return strings.Contains(text, "kind: TrafficExtension") || strings.Contains(text, "disableContextPropagation:")
}

// A text of Kubernetes objects, with the path it comes from.
type manifest struct{ path, text string }

// Every manifest that users get: what each kustomization renders, and each file of objects outside of kustomizations. They
// are found by walking the repository, so that none is forgotten.
func shipped(t *testing.T) []manifest {
	t.Helper()
	var found []manifest
	rendered := 0
	walk(t, func(path string) {
		if filepath.Base(path) == "kustomization.yaml" {
			if kindOf(t, read(t, path)) == "Kustomization" {
				rendered++
				found = append(found, manifest{filepath.Dir(path), render(t, filepath.Dir(path))})
			}
			return
		}
		_, err := os.Stat(filepath.Join(filepath.Dir(path), "kustomization.yaml"))
		if text := read(t, path); err != nil && isObjects(text) {
			found = append(found, manifest{path, text})
		}
	})
	if rendered == 0 {
		t.Fatal("no kustomization was found")
	}
	return found
}

// The broken examples, with who must refuse them.
func refused(t *testing.T) map[manifest][]string {
	t.Helper()
	found := map[manifest][]string{}
	files, err := filepath.Glob(filepath.Join(root, "tests/manifests/refused/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no broken examples: %v", err)
	}
	for _, path := range files {
		text := read(t, path)
		first, _, _ := strings.Cut(text, "\n")
		by, said := strings.CutPrefix(first, "# refused by: ")
		if !said {
			t.Fatalf("%s: the first line must say who refuses it", path)
		}
		found[manifest{path, text}] = strings.Split(by, ", ")
	}
	return found
}

// Every YAML file that may hold Kubernetes objects. Helm's templates are no YAML; what they render is compared with the
// kustomizations elsewhere.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	skipped := map[string]bool{"target": true, ".git": true, ".ci": true, "node_modules": true, "templates": true, "refused": true}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && skipped[entry.Name()] {
			return filepath.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(path, ".yaml") {
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func render(t *testing.T, folder string) string {
	t.Helper()
	// Overlays build on folders beside them.
	options := krusty.MakeDefaultOptions()
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	return string(text)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whether every document is an object that a cluster could hold.
func isObjects(text string) bool {
	documents := yml.SplitString(text)
	for _, document := range documents {
		var object struct{ APIVersion, Kind string }
		if yaml.Unmarshal([]byte(document), &object) != nil || object.APIVersion == "" || object.Kind == "" {
			return false
		}
	}
	return len(documents) > 0
}

func kindOf(t *testing.T, text string) string {
	t.Helper()
	var object struct{ Kind string }
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object.Kind
}
