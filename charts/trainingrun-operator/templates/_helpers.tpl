{{- define "operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's own name where it says what this is, so that a release trainingrun-operator isn't called so twice. */}}
{{- define "operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "operator.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Roles of the whole cluster: two releases must not fight over them. */}}
{{- define "operator.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "operator.fullname" .) }}
{{- end }}

{{- define "operator.certificateSecret" -}}
{{- printf "%s-tls" (include "operator.fullname" .) }}
{{- end }}

{{/* Not the one above: the pod has to wait for it, and the operator's own authority has to be there still after a rollback. */}}
{{- define "operator.issuedSecret" -}}
{{- printf "%s-issued-tls" (include "operator.fullname" .) }}
{{- end }}

{{/* The Secret with certificates that others make; empty where the operator makes its own. */}}
{{- define "operator.providedCertificate" -}}
{{- if .Values.certificate.existingSecret }}
{{- .Values.certificate.existingSecret }}
{{- else if .Values.certificate.certManager.issuerRef }}
{{- include "operator.issuedSecret" . }}
{{- end }}
{{- end }}

{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Which pods are those of runs. */}}
{{- define "operator.trainerPodSelector" -}}
matchLabels:
  app.kubernetes.io/managed-by: trainingrun-operator
matchExpressions:
  - key: training.labelator.io/run
    operator: Exists
{{- end }}

{{- define "operator.serviceAccount" -}}
{{- default (include "operator.fullname" .) .Values.serviceAccount.existing }}
{{- end }}

{{/* Of (dict "image" … "chart" …): the image's full name. */}}
{{- define "operator.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .chart.AppVersion .image.tag }}
{{- end }}
{{- end }}

{{/* Additions to all trainer pods: those of podTemplate, after what caBundle and proxy come to. */}}
{{- define "operator.podTemplate" -}}
{{- $template := deepCopy .Values.trainerPods.podTemplate }}
{{- $spec := default dict $template.spec }}
{{- $trainer := dict "name" "trainer" }}
{{- with $spec.containers }}
{{- $trainer = first . }}
{{- end }}
{{- $env := list }}
{{- with .Values.trainerPods.proxy }}
{{- range $name, $value := dict "HTTP_PROXY" .http "HTTPS_PROXY" .https "NO_PROXY" .noProxy }}
{{- if $value }}
{{- $env = append $env (dict "name" $name "value" $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.trainerPods.caBundle }}
{{- if .configMap }}
{{- $folder := "/etc/ssl/trainingrun" }}
{{- range $name := list "AWS_CA_BUNDLE" "REQUESTS_CA_BUNDLE" "SSL_CERT_FILE" }}
{{- $env = append $env (dict "name" $name "value" (printf "%s/%s" $folder $.Values.trainerPods.caBundle.key)) }}
{{- end }}
{{- $mount := dict "name" "ca-bundle" "mountPath" $folder "readOnly" true }}
{{- $_ := set $trainer "volumeMounts" (prepend (default list $trainer.volumeMounts) $mount) }}
{{- $volume := dict "name" "ca-bundle" "configMap" (dict "name" .configMap) }}
{{- $_ := set $spec "volumes" (prepend (default list $spec.volumes) $volume) }}
{{- end }}
{{- end }}
{{- if $env }}
{{- $_ := set $trainer "env" (concat $env (default list $trainer.env)) }}
{{- end }}
{{- if gt (len $trainer) 1 }}
{{- $_ := set $spec "containers" (list $trainer) }}
{{- end }}
{{- if $spec }}
{{- $_ := set $template "spec" $spec }}
{{- end }}
{{- if $template }}
{{- toJson $template }}
{{- end }}
{{- end }}

{{/* What the operator may do in a namespace that it serves. */}}
{{- define "operator.rules" -}}
- apiGroups: [training.labelator.io]
  resources: [trainingruns]
  verbs: [get, list, watch]
- apiGroups: [training.labelator.io]
  resources: [trainingprojects]
  verbs: [list, watch]
- apiGroups: [training.labelator.io]
  resources: [trainingruns/status]
  verbs: [patch]
# To own Jobs on clusters that check who may block a deletion.
- apiGroups: [training.labelator.io]
  resources: [trainingruns/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# By whose names the pods of a run of several nodes find each other.
- apiGroups: [""]
  resources: [services]
  verbs: [get, create]
# To write a run's Events, and to read why Kubernetes rejects a pod.
- apiGroups: [""]
  resources: [events]
  verbs: [create, list, watch]
# To read why a node can't mount a pod's volumes.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [list, watch]
# Of Kueue, where it is installed: to say why a run waits in its queue, and to suspend it there.
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [list, watch, patch]
# One per model name and namespace, so that no two runs get the same name.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, delete]
{{- end }}
