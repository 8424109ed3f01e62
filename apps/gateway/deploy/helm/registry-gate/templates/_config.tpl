{{/* The gate's configuration: that of the values, and what the chart alone can know. */}}
{{- define "registry-gate.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $host := ternary (printf "[%s]" .Values.bindAddress) .Values.bindAddress (contains ":" .Values.bindAddress) }}

{{- $listen := default dict $config.listen }}
{{- $_ := set $listen "address" (printf "%s:%d" $host (int .Values.ports.gate)) }}
{{- if include "registry-gate.hasTls" . }}
{{- $_ := set $listen "tls" (merge (dict "certificate" "tls/tls.crt" "key" "tls/tls.key") (default dict $listen.tls)) }}
{{- end }}
{{- $_ := set $config "listen" $listen }}

{{- $_ := set $config "admin" (merge (dict "address" (printf "%s:%d" $host (int .Values.ports.admin))) (default dict $config.admin) (dict "drainDelay" (include "registry-gate.drainDelay" .))) }}

{{- $upstream := default dict $config.upstream }}
{{- if .Values.registry.enabled }}
{{- $_ := set $upstream "url" (printf "http://%s-registry:5000" (include "registry-gate.fullname" .)) }}
{{- end }}
{{- if .Values.upstreamCredentials.username }}
{{- $_ := set $upstream "credentials" (dict "username" .Values.upstreamCredentials.username "passwordFile" "upstream-password") }}
{{- end }}
{{- $_ := set $config "upstream" $upstream }}

{{- if include "registry-gate.hasKeys" . }}
{{- $_ := set $config "keys" (dict "file" "keys.json") }}
{{- end }}
{{- if or .Values.redis.url .Values.redis.existingSecret }}
{{- $_ := set $config "state" (dict "redis" "${REGISTRY_GATE_REDIS_URL}") }}
{{- else if not $config.state }}
{{- if or .Values.state.existingClaim (include "registry-gate.hasTokens" .) }}
{{- $_ := set $config "state" (dict "file" "/var/lib/registry-gate/state.db") }}
{{- end }}
{{- end }}
{{- /* The folder of the configuration cannot be written. */}}
{{- range $events := default list $config.events }}
{{- if not $events.queueFile }}{{ $_ := set $events "queueFile" "/var/lib/registry-gate/events.db" }}{{ end }}
{{- end }}
{{- $output := dig "audit" "output" "" $config }}
{{- if kindIs "map" $output }}
{{- if and $output.file (not (hasPrefix "/" $output.file)) }}
{{- $_ := set $output "file" (printf "/var/lib/registry-gate/%s" $output.file) }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* Longer than a load balancer takes to hear that a pod is not ready any more. */}}
{{- define "registry-gate.drainDelay" -}}
{{- dig "admin" "drainDelay" "10s" .Values.config }}
{{- end }}

{{- define "registry-gate.terminationGracePeriodSeconds" -}}
{{- $delay := include "registry-gate.seconds" (include "registry-gate.drainDelay" .) }}
{{- $timeout := include "registry-gate.seconds" (dig "listen" "drainTimeout" "30s" .Values.config) }}
{{- add (int64 $delay) (int64 $timeout) (int64 .Values.terminationMarginSeconds) }}
{{- end }}
