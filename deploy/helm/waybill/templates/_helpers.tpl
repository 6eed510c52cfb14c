{{/* The release's name, short enough that a service's and a group's name fit behind it. */}}
{{- define "waybill.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 24 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 24 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "waybill.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: waybill
{{- end }}

{{/* What selects the pods of one service, its groups included. Takes dict "root" and "service". */}}
{{- define "waybill.selector" -}}
app.kubernetes.io/name: waybill
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "waybill.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "waybill.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "waybill.planConfigMap" -}}
{{ .Values.plan.existingConfigMap | default (printf "%s-plan" (include "waybill.name" .)) }}
{{- end }}

{{/* An image. Takes dict "root" and "program". */}}
{{- define "waybill.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.registry .program (.root.Values.image.tag | default .root.Chart.AppVersion) }}
{{- end }}

{{/* The services' gRPC addresses, for each other and for the console. */}}
{{- define "waybill.peers" -}}
{{- $name := include "waybill.name" . -}}
{{- $peers := list -}}
{{- range $service, $settings := .Values.services -}}
{{- if and $settings.enabled (ne $service "console") -}}
{{- $peers = append $peers (printf "%s=http://%s-%s:9090" $service $name $service) -}}
{{- end -}}
{{- end -}}
{{ join "," $peers }}
{{- end }}

{{/* A PostgreSQL URL whose password is the variable DATABASE_PASSWORD. Takes dict "root" and "user". */}}
{{- define "waybill.databaseUrl" -}}
{{- with .root.Values.database -}}
{{ printf "postgres://%s:$(DATABASE_PASSWORD)@%s:%d/%s?sslmode=%s" $.user .host (int .port) .name .sslMode }}
{{- end -}}
{{- end }}

{{/* A variable from the credentials. Takes dict "root", "name" and "key". */}}
{{- define "waybill.credential" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.credentials.existingSecret }}
      key: {{ .key }}
{{- end }}

{{- define "waybill.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "waybill.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
