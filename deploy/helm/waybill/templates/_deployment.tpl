{{/*
One Deployment. Takes dict "root", "service" (its name), "settings" (its values), "group" (empty for the service's main
Deployment), "replicas" and "systems".
*/}}
{{- define "waybill.deployment" -}}
{{- $values := .root.Values -}}
{{- $defaults := $values.defaults -}}
{{- $name := printf "%s-%s" (include "waybill.name" .root) .service -}}
{{- if .group }}{{ $name = printf "%s-%s" $name .group }}{{ end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "waybill.labels" .root | nindent 4 }}
    {{- include "waybill.selector" . | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels:
      {{- include "waybill.selector" . | nindent 6 }}
      waybill/group: {{ .group | default "main" }}
  template:
    metadata:
      labels:
        {{- include "waybill.labels" .root | nindent 8 }}
        {{- include "waybill.selector" . | nindent 8 }}
        waybill/group: {{ .group | default "main" }}
      annotations:
        # A changed plan restarts the pods.
        waybill/plan: {{ $values.plan.toml | sha256sum }}
        {{- with $defaults.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "waybill.serviceAccountName" .root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $defaults.terminationGracePeriodSeconds }}
      {{- with $values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- include "waybill.podSecurity" .root | nindent 8 }}
      containers:
        - name: {{ .service }}
          image: {{ include "waybill.image" (dict "root" .root "program" .service) }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          securityContext:
            {{- include "waybill.containerSecurity" .root | nindent 12 }}
          ports:
            - name: http
              containerPort: 8080
            - name: grpc
              containerPort: 9090
          env:
            {{- include "waybill.environment" . | nindent 12 }}
          startupProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 2
            failureThreshold: 30
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
          resources:
            {{- toYaml (.settings.resources | default $defaults.resources) | nindent 12 }}
          volumeMounts:
            - name: plan
              mountPath: /etc/waybill
              readOnly: true
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: plan
          configMap:
            name: {{ include "waybill.planConfigMap" .root }}
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
      {{- with $defaults.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $defaults.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $defaults.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{/* A service's variables. DATABASE_URL and the rest refer to what stands before them. */}}
{{- define "waybill.environment" -}}
{{- $values := .root.Values -}}
{{- $password := printf "%s-password" .service -}}
{{ include "waybill.credential" (dict "root" .root "name" "DATABASE_PASSWORD" "key" $password) }}
{{ include "waybill.credential" (dict "root" .root "name" "WAYBILL_NATS_PASSWORD" "key" $password) }}
{{ include "waybill.credential" (dict "root" .root "name" "WAYBILL_GRPC_TOKEN" "key" "grpc-token") }}
- name: DATABASE_URL
  value: {{ include "waybill.databaseUrl" (dict "root" .root "user" (printf "waybill_%s" (replace "-" "_" .service))) | quote }}
- name: NATS_URL
  value: {{ $values.nats.url | quote }}
- name: WAYBILL_STREAM_REPLICAS
  value: {{ $values.nats.streamReplicas | quote }}
- name: WAYBILL_PLAN
  value: /etc/waybill/plan.toml
- name: WAYBILL_HTTP
  value: 0.0.0.0:8080
- name: WAYBILL_GRPC
  value: 0.0.0.0:9090
- name: WAYBILL_PEERS
  value: {{ include "waybill.peers" .root | quote }}
- name: WAYBILL_SYSTEMS
  value: {{ join "," .systems | quote }}
- name: WAYBILL_PUBLIC_URL
  value: {{ $values.publicUrl | quote }}
- name: WAYBILL_CALLBACK
  value: {{ $values.callbackUrl | quote }}
- name: WAYBILL_LOG
  value: {{ $values.log.filter | quote }}
- name: WAYBILL_LOG_FORMAT
  value: {{ $values.log.format }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ $values.otlpEndpoint | quote }}
{{- range $name, $key := .settings.secrets }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $values.systemSecrets.existingSecret }}
      key: {{ $key }}
      # A system that the plan does not name needs no secret.
      optional: true
{{- end }}
{{- range $name, $value := .settings.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
