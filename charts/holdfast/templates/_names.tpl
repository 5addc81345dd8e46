{{- define "holdfast.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "holdfast.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "holdfast.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "holdfast.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Names of Services have 63 characters at most, and the full name may have as many. */}}
{{- define "holdfast.api" -}}
{{- printf "%s-api" (include "holdfast.fullname" . | trunc 59 | trimSuffix "-") -}}
{{- end -}}

{{- define "holdfast.metrics" -}}
{{- printf "%s-metrics" (include "holdfast.fullname" . | trunc 55 | trimSuffix "-") -}}
{{- end -}}

{{- define "holdfast.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "holdfast.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.selector" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "holdfast.labels" -}}
{{ include "holdfast.selector" . }}
{{ include "holdfast.commonLabels" . }}
{{- end -}}

{{/* Of the API in a namespace of programs, where another release may have its own: of the same name, from another namespace. */}}
{{- define "holdfast.serveSelector" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: api
holdfast.dev/release-namespace: {{ .Release.Namespace | quote }}
{{- end -}}

{{- define "holdfast.serveLabels" -}}
{{ include "holdfast.serveSelector" . }}
{{ include "holdfast.commonLabels" . }}
{{- end -}}

{{- define "holdfast.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: holdfast
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Whose programs are run, as JSON. `--set watchNamespaces={}` gives helm one name that is empty. */}}
{{- define "holdfast.namespaces" -}}
{{- compact .Values.watchNamespaces | toJson -}}
{{- end -}}

{{- define "holdfast.dns" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/*
What is text to Kubernetes. A whole number of --set (int64) is as it was typed; one of a file (float64) may not be as it was
written, and nothing tells: 0123456 and 42798 are one number.
*/}}
{{- define "holdfast.text" -}}
{{- if kindIs "float64" .value -}}
{{- $number := eq (floor .value) .value | ternary (printf "%.0f" .value) (printf "%v" .value) -}}
{{- fail (printf "\n\n%s is the number %s, which may not be what was written: in a file YAML reads 0123456 as 42798, 12345e2 as 1234500 and 1.10 as 1.1. Put it in quotes there, or give it by --set-string." .place $number) -}}
{{- end -}}
{{- if not (kindIs "invalid" .value) -}}
{{- kindIs "string" .value | ternary .value (.value | toJson) -}}
{{- end -}}
{{- end -}}

{{/* Labels and the like. */}}
{{- define "holdfast.texts" -}}
{{- range $name, $value := . }}
{{ $name | quote }}: {{ include "holdfast.text" (dict "value" $value "place" $name) | quote }}
{{- end }}
{{- end -}}

{{/* User and groups, as far as the platform does not choose them. */}}
{{- define "holdfast.user" -}}
{{- range $name, $id := .Values.securityContext }}
{{- if not (kindIs "invalid" $id) }}
{{ $name }}: {{ int64 $id }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What is the same for the pods of all programs: HOLDFAST_TASK_PODS of the operator. */}}
{{- define "holdfast.taskPods" -}}
{{- range $texts := list "labels" "annotations" "nodeSelector" "env" -}}
{{- $_ := include "holdfast.texts" (get $.Values.tasks $texts) -}}
{{- end -}}
{{- merge (dict "securityContext" (.Values.securityContext | default dict) "caBundle" .Values.caBundle) .Values.tasks | toJson -}}
{{- end -}}
