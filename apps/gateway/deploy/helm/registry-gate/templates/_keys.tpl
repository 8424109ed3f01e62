{{/*
A JWK set with one key of P-256. genPrivateKey gives it as RFC 5915 has it, in DER of 121 bytes: the private key is at 7,
and the two coordinates of the public key are at 57 and 89, of 32 bytes each.
*/}}
{{- define "registry-gate.newKeys" -}}
{{- $pem := genPrivateKey "ecdsa" }}
{{- $der := regexReplaceAll "-----[^-]+-----|\\s" $pem "" | b64dec }}
{{- if ne (len $der) 121 }}{{ fail "keys.create: this Helm makes keys of another form: give keys.existingSecret" }}{{ end }}
{{- $key := dict "kty" "EC" "crv" "P-256" "alg" "ES256" "use" "sig" "rg:created" (now | unixEpoch | int64) }}
{{- range $member, $from := dict "d" 7 "x" 57 "y" 89 }}
{{- $bytes := substr (int $from) (int (add $from 32)) $der }}
{{- $_ := set $key $member ($bytes | b64enc | replace "+" "-" | replace "/" "_" | trimSuffix "=") }}
{{- end }}
{{- $_ := set $key "kid" (printf "%s%s" $key.x $key.y | sha256sum | trunc 32) }}
{{- dict "keys" (list $key) | toJson }}
{{- end }}
