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

{{/*
A tag may be a number, as --set makes of 2026; one that YAML may have changed is refused. In a file 2.0 and 2 are the same
number, so that a small one is not believed from there.
*/}}
{{- define "holdfast.tag" -}}
{{- $tag := .Values.image.tag -}}
{{- $written := kindIs "float64" $tag | ternary 100.0 0.0 -}}
{{- if or (kindIs "string" $tag) (kindIs "invalid" $tag) -}}
{{- $tag | default .Chart.AppVersion -}}
{{- else if or (ne (floor $tag) (float64 $tag)) (lt (float64 $tag) $written) (gt (float64 $tag) 9007199254740991.0) -}}
{{- fail (printf "\n\nimage.tag is the number %v, which may not be what was written: YAML reads 1.10 as 1.1, and 2.0 as 2. Put it in quotes, or give it by --set-string image.tag=…" $tag) -}}
{{- else -}}
{{- printf "%.0f" (float64 $tag) -}}
{{- end -}}
{{- end -}}
