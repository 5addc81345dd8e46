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

{{/* Of the API in a namespace of programs. */}}
{{- define "holdfast.serveSelector" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: api
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

{{/* Labels and the like, whose values are texts to Kubernetes; in values people write numbers and true as they are. */}}
{{- define "holdfast.texts" -}}
{{- range $name, $value := . }}
{{ $name | quote }}: {{ kindIs "string" $value | ternary $value ($value | toJson) | quote }}
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
{{- merge (dict "securityContext" (.Values.securityContext | default dict) "caBundle" .Values.caBundle) .Values.tasks | toJson -}}
{{- end -}}
