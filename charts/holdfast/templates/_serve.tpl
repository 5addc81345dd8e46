{{/* Where the API is served, as JSON: what it reads, and its secrets, are in the namespace of the programs. */}}
{{- define "holdfast.serveNamespaces" -}}
{{- $namespaces := compact .Values.serve.namespaces | default (include "holdfast.namespaces" . | fromJsonArray) -}}
{{- if not .Values.serve.enabled -}}
[]
{{- else if has "*" $namespaces -}}
{{- fail "\n\nserve.enabled with watchNamespaces={*}: say whose candidates are to be served by --set serve.namespaces={NAMESPACE}. The API has secrets of its own in each." -}}
{{- else if not $namespaces -}}
{{- fail "\n\nserve.enabled, but no namespace: --set watchNamespaces={NAMESPACE}, or serve.namespaces for some of them." -}}
{{- else -}}
{{- include "holdfast.requireSecretsOfItsOwn" . -}}
{{- $namespaces | toJson -}}
{{- end -}}
{{- end -}}

{{/* A program that could name a secret with tokens would have it sent to an endpoint of its own. */}}
{{- define "holdfast.requireSecretsOfItsOwn" -}}
{{- $secrets := dict "serve.tokens.secretName" .Values.serve.tokens.secretName -}}
{{- with .Values.serve.serviceMonitor }}
{{- if .enabled }}
{{- $_ := set $secrets "serve.serviceMonitor.tokenSecret.name" .tokenSecret.name -}}
{{- end -}}
{{- end -}}
{{- range $value, $name := $secrets }}
{{- if eq $name $.Values.postgres.secretName -}}
{{- fail (printf "\n\n%s %s is also postgres.secretName, which programs may name: whoever writes a program would have the tokens of the API." $value $name) -}}
{{- end -}}
{{- range $use, $allowed := $.Values.allow.secrets }}
{{- range $entry := compact $allowed }}
{{- if or (eq $entry $name) (and (hasSuffix "*" $entry) (hasPrefix (trimSuffix "*" $entry) $name)) -}}
{{- fail (printf "\n\n%s %s is one that programs may name, by %s of allow.secrets.%s: whoever writes a program would have the tokens of the API." $value $name $entry $use) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What clients may call it by, beside addresses. */}}
{{- define "holdfast.serveHosts" -}}
{{- $name := include "holdfast.api" .root -}}
{{- $short := printf "%s.%s" $name .namespace -}}
{{- $own := list $name $short (printf "%s.svc" $short) (printf "%s.svc.%s" $short .root.Values.serve.clusterDomain) -}}
{{- concat $own (compact .root.Values.serve.hosts) | uniq | join "," -}}
{{- end -}}
