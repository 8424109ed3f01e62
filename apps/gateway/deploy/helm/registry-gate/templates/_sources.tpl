{{/* The files below /etc/registry-gate. */}}
{{- define "registry-gate.sources" -}}
{{- $own := include "registry-gate.fullname" . -}}
- configMap:
    name: {{ $own }}
    items: [{ key: registry-gate.yaml, path: registry-gate.yaml }]
{{- if include "registry-gate.hasBackend" (dict "root" . "type" "htpasswd") }}
- secret:
    name: {{ default $own .Values.htpasswd.existingSecret }}
    items: [{ key: htpasswd, path: htpasswd }]
{{- if include "registry-gate.hasGroupFile" . }}
- secret:
    name: {{ default $own .Values.htpasswd.existingSecret }}
    items: [{ key: groups, path: groups }]
{{- end }}
{{- end }}
{{- if or .Values.ldap.existingSecret .Values.ldap.password }}
- secret:
    name: {{ default $own .Values.ldap.existingSecret }}
    items: [{ key: {{ ternary "password" "ldap-password" (ne .Values.ldap.existingSecret "") }}, path: ldap-password }]
{{- end }}
{{- if .Values.upstreamCredentials.username }}
- secret:
    name: {{ default $own .Values.upstreamCredentials.existingSecret }}
    items: [{ key: {{ ternary "password" "upstream-password" (ne .Values.upstreamCredentials.existingSecret "") }}, path: upstream-password }]
{{- end }}
{{- if include "registry-gate.hasKeys" . }}
- secret:
    name: {{ include "registry-gate.keysSecret" . }}
    items: [{ key: keys.json, path: keys.json }]
{{- end }}
{{- if include "registry-gate.hasTls" . }}
- secret:
    name: {{ include "registry-gate.tlsSecret" . }}
    items: [{ key: tls.crt, path: tls/tls.crt }, { key: tls.key, path: tls/tls.key }]
{{- end }}
{{- with .Values.extraFiles }}
{{ toYaml . }}
{{- end }}
{{- end }}
