{{- define "registry-gate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Room is left for the longest suffix within the 63 characters of a Service's name. */}}
{{- define "registry-gate.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- else }}
{{- $name := include "registry-gate.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 48 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "registry-gate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "registry-gate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "registry-gate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "registry-gate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: registry-gate
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "registry-gate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "registry-gate.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Of a dict with repository, digest, tag. */}}
{{- define "registry-gate.image" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{- define "registry-gate.gateImage" -}}
{{- include "registry-gate.image" (dict "repository" .Values.image.repository "digest" .Values.image.digest "tag" (default .Chart.AppVersion .Values.image.tag)) }}
{{- end }}

{{/* Whole seconds, rounded up, of a duration as the gate writes it. Empty for anything else. */}}
{{- define "registry-gate.seconds" -}}
{{- $duration := toString . }}
{{- if regexMatch "^[0-9]+(ms|s|m|h|d)$" $duration }}
{{- $number := regexFind "^[0-9]+" $duration | int64 }}
{{- $unit := regexFind "[a-z]+$" $duration }}
{{- if eq $unit "ms" }}{{ div (add $number 999) 1000 }}
{{- else }}{{ mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "registry-gate.hasTls" -}}
{{- if or .Values.tls.existingSecret .Values.tls.certificate }}true{{ end }}
{{- end }}

{{- define "registry-gate.scheme" -}}
{{- ternary "https" "http" (eq (include "registry-gate.hasTls" .) "true") }}
{{- end }}

{{- define "registry-gate.servicePort" -}}
{{- default (ternary 443 80 (eq (include "registry-gate.hasTls" .) "true")) .Values.service.port }}
{{- end }}

{{- define "registry-gate.hasSeveralReplicas" -}}
{{- if .Values.autoscaling.enabled }}
{{- if gt (int .Values.autoscaling.maxReplicas) 1 }}true{{ end }}
{{- else if gt (int .Values.replicaCount) 1 }}true{{ end }}
{{- end }}

{{- define "registry-gate.hasRedis" -}}
{{- if or .Values.redis.url .Values.redis.existingSecret (dig "state" "redis" "" .Values.config) }}true{{ end }}
{{- end }}

{{- define "registry-gate.hasBackend" -}}
{{- $type := .type }}
{{- range (dig "auth" "backends" list .root.Values.config) }}{{ if eq .type $type }}true{{ end }}{{ end }}
{{- end }}

{{/* Whether a backend reads the file groups, which a Secret need not have otherwise. */}}
{{- define "registry-gate.hasGroupFile" -}}
{{- range (dig "auth" "backends" list .Values.config) }}{{ if eq (toString .groupFile) "groups" }}true{{ end }}{{ end }}
{{- end }}

{{/* As the gate decides on auth.challenge: auto. */}}
{{- define "registry-gate.hasTokens" -}}
{{- $challenge := dig "auth" "challenge" "auto" .Values.config }}
{{- if eq $challenge "bearer" }}true
{{- else if eq $challenge "auto" }}
{{- $tokens := ne (include "registry-gate.hasBackend" (dict "root" . "type" "access-token")) "" }}
{{- range .Values.config.access }}
{{- if and (ne (default "allow" .effect) "deny") (has "anonymous" .subjects) }}{{ $tokens = true }}{{ end }}
{{- end }}
{{- if $tokens }}true{{ end }}
{{- end }}
{{- end }}

{{- define "registry-gate.hasKeys" -}}
{{- if or .Values.keys.existingSecret .Values.keys.value .Values.keys.create }}true{{ end }}
{{- end }}

{{- define "registry-gate.keysSecret" -}}
{{- default (printf "%s-keys" (include "registry-gate.fullname" .)) .Values.keys.existingSecret }}
{{- end }}

{{- define "registry-gate.tlsSecret" -}}
{{- default (printf "%s-tls" (include "registry-gate.fullname" .)) .Values.tls.existingSecret }}
{{- end }}

{{/* What the release's own Secret holds, as YAML. Empty where everything is in Secrets that exist. */}}
{{- define "registry-gate.secretData" -}}
{{- $data := dict }}
{{- if and (include "registry-gate.hasBackend" (dict "root" . "type" "htpasswd")) (not .Values.htpasswd.existingSecret) }}
{{- $_ := set $data "htpasswd" (printf "%s\n" (trimSuffix "\n" .Values.htpasswd.users)) }}
{{- $_ := set $data "groups" (printf "%s\n" (trimSuffix "\n" .Values.htpasswd.groups)) }}
{{- end }}
{{- if and .Values.ldap.password (not .Values.ldap.existingSecret) }}
{{- $_ := set $data "ldap-password" .Values.ldap.password }}
{{- end }}
{{- if and .Values.upstreamCredentials.password (not .Values.upstreamCredentials.existingSecret) }}
{{- $_ := set $data "upstream-password" .Values.upstreamCredentials.password }}
{{- end }}
{{- if and .Values.redis.url (not .Values.redis.existingSecret) }}
{{- $_ := set $data "redis-url" .Values.redis.url }}
{{- end }}
{{- if $data }}{{ toYaml $data }}{{ end }}
{{- end }}

{{/* The data of a Secret that exists, for a checksum; nothing where nothing can be looked up. */}}
{{- define "registry-gate.existingData" -}}
{{- $secret := lookup "v1" "Secret" .namespace .name }}
{{- if $secret }}{{ $secret.data | toJson }}{{ end }}
{{- end }}

{{- define "registry-gate.secretChecksum" -}}
{{- $all := list (include "registry-gate.secretData" .) .Values.keys.value .Values.tls.certificate .Values.tls.key }}
{{- range list .Values.htpasswd.existingSecret .Values.ldap.existingSecret .Values.upstreamCredentials.existingSecret .Values.keys.existingSecret .Values.redis.existingSecret .Values.tls.existingSecret }}
{{- if . }}{{ $all = append $all (include "registry-gate.existingData" (dict "namespace" $.Release.Namespace "name" .)) }}{{ end }}
{{- end }}
{{- $all | toJson | sha256sum }}
{{- end }}
