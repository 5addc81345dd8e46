{{/* What the operator may do in a namespace whose programs it runs. It reads no secret and makes no pod itself. */}}
{{- define "holdfast.rules" -}}
- apiGroups: [holdfast.dev]
  resources: [retentionprograms]
  verbs: [get, list, watch]
- apiGroups: [holdfast.dev]
  resources: [retentionruns]
  verbs: [get, list, watch, create, delete]
- apiGroups: [holdfast.dev]
  resources: [retentionprograms/status, retentionruns/status]
  verbs: [patch]
# What it makes is owned by a program or a run, and goes with it.
- apiGroups: [holdfast.dev]
  resources: [retentionprograms/finalizers, retentionruns/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  # Listed only to tell why a pod does not start.
  verbs: [create, patch, list]
{{- end -}}
