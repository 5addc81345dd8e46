{{/* Names by what they are for, one on a line; what programs get without naming anything is among them. */}}
{{- define "holdfast.allowed" -}}
{{- $own := dict "database" .Values.postgres.secretName "artifacts" .Values.artifacts.claimName "serviceAccounts" "default" -}}
{{- $given := merge (pick .Values.allow "configMaps" "serviceAccounts") .Values.allow.secrets .Values.allow.claims -}}
{{- range $use := list "database" "connections" "tokens" "keys" "artifacts" "files" "configMaps" "serviceAccounts" }}
{{ $use }}: {{ join "\n" (compact (prepend (get $given $use) (get $own $use))) | quote }}
{{- end }}
# The one that programs get without naming it: it is for nothing else.
ownDatabase: {{ .Values.postgres.secretName | quote }}
ownArtifacts: {{ .Values.artifacts.claimName | quote }}
{{- end -}}
