{{/* The one image of operator, stages and API. What nobody could pull is refused here: pods that wait for it say less. */}}
{{- define "holdfast.image" -}}
{{- $repository := .Values.image.repository -}}
{{- if not $repository -}}
{{- fail "\n\nimage.repository is not set, and no public registry has this image. `make image` builds it; push it to where your cluster pulls from and name that place, as in --set image.repository=ghcr.io/my-team/holdfast. docs/guides/cluster.md shows each step." -}}
{{- else if regexMatch "[A-Z<>{}$]|^registry/|(^|\\.)example\\.(com|net|org)/" $repository -}}
{{- fail (printf "\n\nimage.repository is %s, which is a placeholder: put the registry there that your cluster pulls from, and push the image of `make image` to it. docs/guides/cluster.md shows each step." $repository) -}}
{{- else if not (regexMatch "^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+/[a-z0-9]+([._-]+[a-z0-9]+)*)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$" $repository) -}}
{{- fail (printf "\n\nimage.repository is %s: give a name without https://, tag or digest, as in ghcr.io/my-team/holdfast. The tag goes into image.tag, a digest into image.digest." $repository) -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (include "holdfast.tag" .) -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.tag" -}}
{{- $tag := .Values.image.tag -}}
{{- if kindIs "bool" $tag -}}
{{- fail "\n\nimage.tag is true or false, as YAML reads yes, no, on and off, too: put it in quotes, or give it by --set-string image.tag=…" -}}
{{- end -}}
{{- include "holdfast.text" (dict "value" $tag "place" "image.tag") | default .Chart.AppVersion -}}
{{- end -}}
