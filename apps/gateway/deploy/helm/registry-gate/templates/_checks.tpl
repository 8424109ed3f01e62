{{/* Values that fit the schema and would still not work together. Each message says what to set. */}}
{{- define "registry-gate.checks" -}}
{{- $config := .Values.config }}
{{- if hasKey (default dict $config.listen) "address" }}
{{- fail "config.listen.address is set by the chart: set bindAddress and ports.gate" }}
{{- end }}
{{- if hasKey (default dict $config.admin) "address" }}
{{- fail "config.admin.address is set by the chart: set bindAddress and ports.admin" }}
{{- end }}
{{- if hasKey $config "keys" }}
{{- fail "config.keys is set by the chart: set keys.existingSecret, keys.value or keys.create" }}
{{- end }}
{{- if eq (int .Values.ports.gate) (int .Values.ports.admin) }}
{{- fail "ports.gate and ports.admin must differ" }}
{{- end }}
{{- range list (list "config.listen.drainTimeout" (dig "listen" "drainTimeout" "30s" $config)) (list "config.admin.drainDelay" (include "registry-gate.drainDelay" .)) }}
{{- if not (include "registry-gate.seconds" (index . 1)) }}
{{- fail (printf "%s must be a plain duration such as 15m: terminationGracePeriodSeconds is computed from it" (index . 0)) }}
{{- end }}
{{- end }}

{{- $url := dig "upstream" "url" "" $config }}
{{- if and .Values.registry.enabled $url }}
{{- fail "config.upstream.url names a registry, and registry.enabled adds another: set registry.enabled to false, or remove the URL" }}
{{- end }}
{{- if not (or .Values.registry.enabled $url) }}
{{- fail "there is no registry behind the gate: set config.upstream.url, or registry.enabled to true" }}
{{- end }}
{{- if and .Values.upstreamCredentials.username (not (or .Values.upstreamCredentials.password .Values.upstreamCredentials.existingSecret)) }}
{{- fail "upstreamCredentials has a username without a password: set upstreamCredentials.existingSecret or upstreamCredentials.password" }}
{{- end }}
{{- $tls := dig "listen" "tls" dict $config }}
{{- if or (hasKey $tls "certificate") (hasKey $tls "key") }}
{{- fail "config.listen.tls.certificate and key are set by the chart: set tls.existingSecret, or tls.certificate and tls.key" }}
{{- end }}
{{- if and $tls (not (include "registry-gate.hasTls" .)) }}
{{- fail "config.listen.tls has no certificate: set tls.existingSecret, or tls.certificate and tls.key" }}
{{- end }}
{{- if and .Values.tls.certificate (not .Values.tls.key) }}
{{- fail "tls.certificate has no key: set tls.key" }}
{{- end }}
{{- range $index, $backend := (dig "auth" "backends" list $config) }}
{{- if and (eq (toString (get $backend "bindPasswordFile")) "ldap-password") (not (or $.Values.ldap.existingSecret $.Values.ldap.password)) }}
{{- fail (printf "config.auth.backends[%d] reads ldap-password, which nothing provides: set ldap.existingSecret or ldap.password" $index) }}
{{- end }}
{{- end }}

{{- if .Values.autoscaling.enabled }}
{{- if lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas) }}
{{- fail "autoscaling.maxReplicas must not be less than autoscaling.minReplicas" }}
{{- end }}
{{- end }}
{{- if include "registry-gate.hasSeveralReplicas" . }}
{{- if not (include "registry-gate.hasKeys" .) }}
{{- fail "several replicas need the same keys, for upload locations and tokens: set keys.existingSecret, keys.value or keys.create, or use one replica" }}
{{- end }}
{{- if .Values.state.existingClaim }}
{{- fail "state.existingClaim can be used by one pod alone: set redis.url or redis.existingSecret for several replicas, or replicaCount to 1 without autoscaling" }}
{{- end }}
{{- $refresh := include "registry-gate.seconds" (dig "auth" "token" "refreshTtl" "30d" $config) }}
{{- $remembers := or (ne $refresh "0") (include "registry-gate.hasBackend" (dict "root" . "type" "access-token")) }}
{{- if and (include "registry-gate.hasTokens" .) $remembers (not (include "registry-gate.hasRedis" .)) }}
{{- fail "several replicas that issue tokens must share them: set redis.url or redis.existingSecret, or replicaCount to 1 without autoscaling (or config.auth.token.refreshTtl to 0s where there is no access-token backend)" }}
{{- end }}
{{- end }}

{{- if .Values.ingress.enabled }}
{{- if not .Values.ingress.host }}
{{- fail "ingress.enabled needs ingress.host, such as registry.example.com" }}
{{- end }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs, such as [{ name: my-gateway, namespace: gateways }]" }}
{{- end }}
{{- end }}
