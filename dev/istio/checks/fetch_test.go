package checks

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"istio.io/istio/pkg/util/sets"
	"istio.io/istio/pkg/wasm"
)

const wasmContent types.MediaType = "application/vnd.module.wasm.content.layer.v1+wasm"

// The images that `make image` wrote, each pulled by tag and by digest, and refused with another's digest. What comes out is
// the module to the byte.
func TestImagesAreFetched(t *testing.T) {
	module := []byte(read(t, filepath.Join(root, "target/throughline.wasm")))
	for path, image := range images(t) {
		t.Run(path, func(t *testing.T) {
			registry := newRegistry(t)
			digest := registry.push(t, image)
			for what, options := range map[string]wasm.GetOptions{
				"by tag":            {},
				"by tag and digest": {Checksum: digest},
			} {
				fetched, err := registry.fetch(t, "throughline:test", options)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if !bytes.Equal(fetched, module) {
					t.Errorf("%s: %d bytes, which are not the module's %d", what, len(fetched), len(module))
				}
			}
			if fetched, err := registry.fetch(t, "throughline@sha256:"+digest, wasm.GetOptions{}); err != nil || !bytes.Equal(fetched, module) {
				t.Errorf("by digest: %v", err)
			}
			// The digest of the module, not of the manifest: what users confuse.
			sum := sha256.Sum256(module)
			for _, wrong := range []string{hex.EncodeToString(sum[:]), strings.Repeat("0", 64)} {
				if _, err := registry.fetch(t, "throughline:test", wasm.GetOptions{Checksum: wrong}); err == nil {
					t.Errorf("fetched with the digest %s", wrong)
				}
			}
		})
	}
}

// What the documentation says cannot be fetched.
func TestImagesAreRefused(t *testing.T) {
	module := []byte(read(t, filepath.Join(root, "target/throughline.wasm")))
	for what, image := range map[string]v1.Image{
		"another file's name":      imageOf(t, static.NewLayer(tarball(t, "throughline.wasm", module), types.OCILayer)),
		"not in the last layer":    imageOf(t, static.NewLayer(tarball(t, "plugin.wasm", module), types.OCILayer), static.NewLayer(tarball(t, "LICENSE", []byte("…")), types.OCILayer)),
		"an artifact of one layer": imageOf(t, static.NewLayer(module, wasmContent)),
		"CNCF's media type":        imageOf(t, static.NewLayer(module, "application/wasm")),
	} {
		t.Run(what, func(t *testing.T) {
			registry := newRegistry(t)
			registry.push(t, image)
			if _, err := registry.fetch(t, "throughline:test", wasm.GetOptions{}); err == nil {
				t.Error("it was fetched")
			}
		})
	}
}

// The images in the layouts below target/image.
func images(t *testing.T) map[string]v1.Image {
	t.Helper()
	found := map[string]v1.Image{}
	indexes, err := filepath.Glob(filepath.Join(root, "target/image/*/index.json"))
	if err != nil || len(indexes) == 0 {
		t.Fatalf("no images: run make image (%v)", err)
	}
	for _, path := range indexes {
		index, err := layout.ImageIndexFromPath(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, descriptor := range manifest.Manifests {
			image, err := index.Image(descriptor.Digest)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.Join(filepath.Base(filepath.Dir(path)), descriptor.Digest.Hex[:12])] = image
		}
	}
	return found
}

type testRegistry struct{ address string }

func newRegistry(t *testing.T) testRegistry {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return testRegistry{strings.TrimPrefix(server.URL, "http://")}
}

// Pushes it as throughline:test, and gives its digest.
func (r testRegistry) push(t *testing.T, image v1.Image) string {
	t.Helper()
	reference, err := name.ParseReference(r.address+"/throughline:test", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(reference, image); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.Hex
}

// Fetches as a proxy's agent does, with nothing in its cache.
func (r testRegistry) fetch(t *testing.T, path string, options wasm.GetOptions) ([]byte, error) {
	t.Helper()
	agent := wasm.Options{InsecureRegistries: sets.New(r.address), HTTPRequestTimeout: time.Minute, HTTPRequestMaxRetries: 1, PurgeInterval: time.Hour, ModuleExpiry: time.Hour}
	options.RequestTimeout = time.Minute
	options.ResourceName = "istio-system.throughline"
	options.ResourceVersion = "1"
	file, err := wasm.NewLocalFileCache(t.TempDir(), agent).Get("oci://"+r.address+"/"+path, options)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

func imageOf(t *testing.T, layers ...v1.Layer) v1.Image {
	t.Helper()
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func tarball(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	files := tar.NewWriter(compressed)
	header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}
	if err := files.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
