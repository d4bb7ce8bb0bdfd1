{{- define "bedrock-access.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "bedrock-access.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "bedrock-access.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "bedrock-access.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "bedrock-access.serviceAccountName" -}}
{{- default (include "bedrock-access.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "bedrock-access.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bedrock-access.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Values that were kept from a version without shards have none. */}}
{{- define "bedrock-access.shards" -}}
{{- default 1 (default dict .Values.shards).count }}
{{- end }}

{{- /* The Deployment of a shard, or the only one. */}}
{{- define "bedrock-access.deployment" -}}
{{- if gt (include "bedrock-access.shards" .root | int) 1 }}
{{- printf "%s-shard-%d" (include "bedrock-access.fullname" .root | trunc 53 | trimSuffix "-") .index }}
{{- else }}
{{- include "bedrock-access.fullname" .root }}
{{- end }}
{{- end }}

{{- define "bedrock-access.shardLabels" -}}
{{ include "bedrock-access.selectorLabels" .root }}
{{- if gt (include "bedrock-access.shards" .root | int) 1 }}
sharding.bedrockaccess.io/index: {{ .index | quote }}
{{- end }}
{{- end }}

{{- /* Of every number of shards, so that those of before keep their rights until they have gone. With a selector, its hash. */}}
{{- define "bedrock-access.leases" -}}
{{- $names := list "bedrock-access" }}
{{- if .Values.shardSelector }}
{{- $names = append $names (printf "bedrock-access-%s" (.Values.shardSelector | nospace | sha256sum | trunc 8)) }}
{{- end }}
{{- range $name := $names }}
- {{ $name }}
{{- range until 64 }}
- {{ $name }}-shard-{{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "bedrock-access.labels" -}}
{{ include "bedrock-access.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "bedrock-access.image" -}}
{{- $image := .Values.image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}
