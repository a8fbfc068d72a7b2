{{/* What the image and the filter are, whichever kind holds it. */}}
{{- define "throughline.wasm" -}}
url: {{ .Values.image.url | quote }}
sha256: {{ .Values.image.sha256 | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.image.pullSecret }}
imagePullSecret: {{ . }}
{{- end }}
pluginName: throughline
# No image, or a module that has ended: requests pass. The exceptions are in docs/security.md, "Why FAIL_OPEN".
failStrategy: FAIL_OPEN
{{- with .Values.env }}
vmConfig:
  env: {{- toYaml . | nindent 4 }}
{{- end }}
pluginConfig: {{- toYaml .Values.config | nindent 2 }}
{{- end }}

{{/* One plugin. Arguments: root, name, and where: the fields that say which proxies. */}}
{{- define "throughline.plugin" -}}
apiVersion: extensions.istio.io/v1alpha1
kind: {{ .root.Values.kind }}
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
spec:
  # As early as a plugin can be.
  phase: AUTHN
  {{- with .where }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if eq .root.Values.kind "TrafficExtension" }}
  wasm: {{- include "throughline.wasm" .root | nindent 4 }}
  {{- else }}
  {{- include "throughline.wasm" .root | nindent 2 }}
  {{- end }}
{{- end }}
