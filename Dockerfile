# For those who pack with a container engine; `make push` needs none. After `make image`:
#
#     buildah build --platform=wasip1/wasm --tag registry.example/team/throughline:0.1.0 --file Dockerfile target/image/layer
#
# The layer is that of `make image`, with the same diff id: the files come with their time and permissions. The digest is
# another, as every engine compresses and describes in its own way: pin what you pushed. More: docs/image.md.
FROM scratch
COPY LICENSE THIRD-PARTY.txt plugin.wasm sbom.cdx.json /
