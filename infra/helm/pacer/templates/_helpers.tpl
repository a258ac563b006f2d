{{- define "pacer.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "pacer.selector" -}}
app.kubernetes.io/name: pacer
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pacer.labels" -}}
{{ include "pacer.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "pacer.account" -}}
{{- .Values.serviceAccount.name | default (ternary (include "pacer.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Of a list: the context, and what the tag ends with. */}}
{{- define "pacer.image" -}}
{{- $top := index . 0 }}{{- $image := $top.Values.image }}
{{- if $image.digest }}{{ printf "%s@%s" $image.repository $image.digest }}{{ else }}{{ printf "%s:%s%s" $image.repository ($image.tag | default $top.Chart.AppVersion) (index . 1) }}{{ end }}
{{- end }}

{{/* What both kinds of pods have in common beside their container. */}}
{{- define "pacer.pod" -}}
serviceAccountName: {{ include "pacer.account" . }}
automountServiceAccountToken: false
# variables named after services, such as TEMPORAL_PORT, would be taken for settings
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What both containers have in common. */}}
{{- define "pacer.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
ports:
  - {name: metrics, containerPort: 9464}
# /health answers once the worker is connected, and until its last work is done
startupProbe:
  httpGet: {path: /health, port: metrics}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /health, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
# patient: a machine that trains with all its cores answers late, and a kill costs more than a minute's wait
livenessProbe:
  httpGet: {path: /health, port: metrics}
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{- define "pacer.temporal" -}}
- {name: PACER_METRICS, value: '0.0.0.0:9464'}
- {name: TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }}}
- {name: TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }}}
{{- if .Values.payloads.existingSecret }}
- {name: PACER_PAYLOAD_KEYS, value: /etc/pacer/payloads/keys}
{{- end }}
{{- with .Values.temporal.tls }}
{{- if .enabled }}
- {name: TEMPORAL_TLS, value: 'true'}
{{- with .serverName }}
- {name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }}}
{{- end }}
{{- if .existingSecret }}
- {name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/pacer/temporal-tls/tls.crt}
- {name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/pacer/temporal-tls/tls.key}
- {name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/pacer/temporal-tls/ca.crt}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The version of those that decide: what they were made from. */}}
{{- define "pacer.version" -}}
{{- with .Values.deployment }}
- {name: PACER_DEPLOYMENT, value: {{ . | quote }}}
- {name: PACER_BUILD_ID, value: {{ $.Values.image.digest | replace ":" "-" | default $.Values.image.tag | default $.Chart.AppVersion | quote }}}
{{- end }}
{{- end }}

{{- define "pacer.services" -}}
{{- with .Values.temporal.ui }}
- {name: PACER_TEMPORAL_UI, value: {{ . | quote }}}
{{- end }}
{{- with .Values.store.url }}
- {name: PACER_STORE, value: {{ . | quote }}}
{{- end }}
{{- with .Values.store.endpoint }}
- {name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }}}
{{- end }}
{{- with .Values.store.region }}
- {name: AWS_REGION, value: {{ . | quote }}}
{{- end }}
{{- with .Values.mlflow.uri }}
- {name: MLFLOW_TRACKING_URI, value: {{ . | quote }}}
{{- end }}
{{- with .Values.mlflow.ui }}
- {name: PACER_MLFLOW_UI, value: {{ . | quote }}}
{{- end }}
{{- with .Values.grafana.ui }}
- {name: PACER_GRAFANA, value: {{ . | quote }}}
{{- end }}
{{- with .Values.mlflow.experiment }}
- {name: MLFLOW_EXPERIMENT_NAME, value: {{ . | quote }}}
{{- end }}
{{- with .Values.host.cacheLimit }}
- {name: PACER_CACHE_LIMIT, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{- define "pacer.secrets.mount" -}}
{{- if and .Values.temporal.tls.enabled .Values.temporal.tls.existingSecret }}
- {name: temporal-tls, mountPath: /etc/pacer/temporal-tls, readOnly: true}
{{- end }}
{{- if .Values.payloads.existingSecret }}
- {name: payloads, mountPath: /etc/pacer/payloads, readOnly: true}
{{- end }}
{{- end }}

{{- define "pacer.secrets.volume" -}}
{{- if and .Values.temporal.tls.enabled .Values.temporal.tls.existingSecret }}
- name: temporal-tls
  secret: {secretName: {{ .Values.temporal.tls.existingSecret }}, defaultMode: 0440}
{{- end }}
{{- with .Values.payloads.existingSecret }}
- name: payloads
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}
