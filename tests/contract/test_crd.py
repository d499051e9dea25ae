"""What the API server makes of manifests, and that the Python models make the same of them."""

import json
import re
from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.crd import structural_schema
from trainingrun_api.metadata import NO_SUBDOMAIN, ROOM_FOR_PODS, RunMetadata
from trainingrun_api.names import API_VERSION
from trainingrun_api.progress import RunIdentity, bounded_epochs
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import References, RunConfig
from trainingrun_api.spec import RunSettings, TrainingProjectSpec, TrainingRunSpec
from trainingrun_api.started_with import SecretNames, StartedWith
from trainingrun_api.status import EpochSummary, Progress, TrainingRunStatus
from trainingrun_api.tasks import OPEN_TASK

from .server import apply

OUTPUT = {"uri": "s3://models/tickets"}
SMALLEST: dict[str, Any] = {"dataset": {"uri": "s3://data/tickets.jsonl"}, "output": OUTPUT}
PAIRS = {"uri": "s3://data/pairs.csv", "textField": "question", "pairField": "answer"}
ON_PAIRS: dict[str, Any] = {"taskType": "TextSimilarity", "dataset": PAIRS, "output": OUTPUT}
SCORED: dict[str, Any] = {
    "taskType": "TextSimilarity",
    "dataset": {**PAIRS, "scoreField": "score"},
    "training": {"earlyStopping": {"metric": "Spearman"}},
    "output": OUTPUT,
}


def in_pod(**spec: Any) -> dict[str, Any]:
    """A run with this spec of a pod."""
    return {**SMALLEST, "podTemplate": {"spec": spec}}


FULL: dict[str, Any] = {
    "modelName": "Tickets v3",
    "baseModel": {"huggingFace": {"repoId": "team/model", "tokenSecretRef": {"name": "hub"}}},
    "dataset": {
        "uri": "s3://data/tickets.csv",
        "textField": "body",
        "labelField": "topic",
        "labelSeparator": "|",
        "filter": {"field": "meta.answer", "exclude": ["reject", "ignore"]},
        "format": "LabelStudio",
    },
    "additionalDatasets": [
        {"project": "returns"},
        {"project": "returns", "namespace": "shop"},
        {"uri": "s3://data/more.csv", "textField": "body", "filter": {"field": "ok", "include": ["true"]}},
    ],
    "labels": {"exclude": ["spam"], "allowDisjoint": True, "aliases": {"Bill": "billing"}},
    "contextParameters": ["metadata.channel", "product"],
    "skipDuplicates": False,
    "nearDuplicates": {"threshold": 0.7},
    "trainPercent": 90,
    "training": {
        "maxEpochs": 3,
        "earlyStopping": {"patience": 1, "metric": "F1"},
        "warmupSteps": 10,
        "learningRate": 2e-5,
        "batchSize": 16,
        "schedule": "Cosine",
        "freezeBody": True,
        "similarityStage": "Never",
        "finalFit": True,
        "maxSequenceLength": 128,
        "checkpoint": {"everyEpochs": 2, "everyMinutes": 5, "keep": 1},
        "classWeights": "Balanced",
        "labelSmoothing": 0.1,
    },
    "output": {
        **OUTPUT,
        "endpoint": "http://s3.local",
        "credentialsSecretRef": {"name": "s3"},
        "huggingFace": {"repoId": "team/tickets", "private": False, "tokenSecretRef": {"name": "hub"}},
    },
    "tracking": {"mlflow": {"trackingUri": "http://mlflow", "credentialsSecretRef": {"name": "mlflow"}}},
    "resources": {"gpusPerNode": 1, "cpu": 4, "memory": "8Gi"},
    "scheduling": {
        "queueName": "training",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
    },
    "podTemplate": {
        "metadata": {"labels": {"team": "support"}, "annotations": {"example.com/cost-centre": "Ünit 7"}},
        "spec": {
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
            "runtimeClassName": "kata",
            "containers": [
                {
                    "name": "trainer",
                    "env": [{"name": "A", "value": "b"}],
                    "envFrom": [{"secretRef": {"name": "extra"}}],
                    "resources": {"limits": {"rdma/hca": 1}},
                    "volumeMounts": [{"name": "pod", "mountPath": "/pod", "readOnly": True}],
                }
            ],
            "volumes": [{"name": "pod", "downwardAPI": {"items": []}}],
        },
    },
    "suspend": True,
    "activeDeadlineSeconds": 3600,
}

REFUSED_BY_BOTH = {
    "a repository of nobody to push to": (
        {**SMALLEST, "output": {**OUTPUT, "huggingFace": {"repoId": "tickets"}}},
        "repoId",
    ),
    "neither project nor files": (
        {"dataset": {}, "output": OUTPUT},
        "set exactly one of project, uri and huggingFace",
    ),
    "project and files": (
        {"dataset": {"project": "tickets", "uri": "s3://data/t.jsonl"}, "output": OUTPUT},
        "set exactly one of project, uri and huggingFace",
    ),
    "a field of files with a project": (
        {"dataset": {"project": "tickets", "textField": "body"}},
        "textField, labelField, labelSeparator, pairField, filter and format can't be set with project",
    ),
    "a separator with a project": (
        {"dataset": {"project": "tickets", "labelSeparator": "|"}},
        "textField, labelField, labelSeparator, pairField, filter and format can't be set with project",
    ),
    "a filter with a project": (
        {"dataset": {"project": "tickets", "filter": {"field": "answer", "exclude": ["reject"]}}},
        "pairField, filter and format can't be set with project",
    ),
    "a filter that says nothing": (
        {**SMALLEST, "dataset": {**SMALLEST["dataset"], "filter": {"field": "answer"}}},
        "set exactly one of include and exclude",
    ),
    "a filter of an additional data set that says too much": (
        {
            **SMALLEST,
            "additionalDatasets": [
                {"uri": "s3://data/b.csv", "filter": {"field": "a", "include": ["x"], "exclude": ["y"]}}
            ],
        },
        "set exactly one of include and exclude",
    ),
    "a filter without a value": (
        {**SMALLEST, "evaluationDataset": {"uri": "s3://d/e.csv", "filter": {"field": "a", "include": []}}},
        "evaluationDataset.filter.include",
    ),
    "an additional data set from nowhere": (
        {**SMALLEST, "additionalDatasets": [{}]},
        "set exactly one of project, uri and huggingFace",
    ),
    "files of a namespace": (
        {**SMALLEST, "additionalDatasets": [{"uri": "s3://data/x.csv", "namespace": "team"}]},
        "namespace requires project",
    ),
    "the main data set of another namespace": (
        {"dataset": {"project": "tickets", "namespace": "team"}},
        "namespace",
    ),
    "the main data set once more": (
        {**SMALLEST, "additionalDatasets": [{"uri": "s3://data/tickets.jsonl", "textField": "body"}]},
        "name a data set twice",
    ),
    "the main project once more": (
        {"dataset": {"project": "a"}, "additionalDatasets": [{"project": "b"}, {"project": "a"}]},
        "name a data set twice",
    ),
    "an additional data set twice": (
        {**SMALLEST, "additionalDatasets": [{"project": "b", "namespace": "c"}] * 2},
        "name a data set twice",
    ),
    "a namesake of the main project twice": (
        {"dataset": {"project": "a"}, "additionalDatasets": [{"project": "a", "namespace": "b"}] * 2},
        "name a data set twice",
    ),
    "the main data set to evaluate on": (
        {**SMALLEST, "evaluationDataset": {"uri": "s3://data/tickets.jsonl"}},
        "evaluationDataset is also in dataset or additionalDatasets",
    ),
    "an additional project to evaluate on": (
        {**SMALLEST, "additionalDatasets": [{"project": "b"}], "evaluationDataset": {"project": "b"}},
        "evaluationDataset is also in dataset or additionalDatasets",
    ),
    "a namespace that no name can be": (
        {**SMALLEST, "additionalDatasets": [{"project": "b", "namespace": "*"}]},
        "namespace",
    ),
    "an evaluation data set from nowhere": (
        {**SMALLEST, "evaluationDataset": {"textField": "body"}},
        "set exactly one of project, uri and huggingFace",
    ),
    "a share and an evaluation data set": (
        {**SMALLEST, "trainPercent": 90, "evaluationDataset": {"project": "held-out"}},
        "set at most one of trainPercent and evaluationDataset",
    ),
    "near-duplicates skipped and copies kept": (
        {**SMALLEST, "skipDuplicates": False, "nearDuplicates": {"skip": True}},
        "nearDuplicates.skip requires skipDuplicates",
    ),
    "a password in an address": (
        {**SMALLEST, "tracking": {"mlflow": {"trackingUri": "https://me:secret@mlflow.example.com"}}},
        "trackingUri",
    ),
    "a password in an endpoint": (
        {**SMALLEST, "output": {**OUTPUT, "endpoint": "https://me:secret@s3.example.com"}},
        "an endpoint can't contain credentials: put them into a Secret",
    ),
    "an endpoint with a path": (
        {**SMALLEST, "output": {**OUTPUT, "endpoint": "https://s3.example.com/bucket"}},
        "an endpoint can't have a path: write only the server's URL",
    ),
    "an endpoint with a query": (
        {**SMALLEST, "output": {**OUTPUT, "endpoint": "https://s3.example.com?bucket"}},
        "an endpoint can't have a path",
    ),
    "an endpoint without a host": (
        {**SMALLEST, "output": {**OUTPUT, "endpoint": "https:///bucket"}},
        "endpoint",
    ),
    "a line break in a region": ({**SMALLEST, "output": {**OUTPUT, "region": "eu-west-1\n"}}, "region"),
    "an output above its bucket": (
        {**SMALLEST, "output": {"uri": "s3://models/../other"}},
        "a path can't have . or .. between slashes",
    ),
    "a data set above its folder": (
        {**SMALLEST, "dataset": {"uri": "s3://data/team/%2e./other/"}},
        "a path can't have . or .. between slashes",
    ),
    "another data set above its folder": (
        {**SMALLEST, "additionalDatasets": [{"uri": "s3://data/.."}]},
        "a path can't have . or .. between slashes",
    ),
    "a base model above its volume": (
        {**SMALLEST, "baseModel": {"uri": "pvc://claim/../other"}},
        "a path can't have . or .. between slashes",
    ),
    "a revision above its repository": (
        {**SMALLEST, "baseModel": {"huggingFace": {"repoId": "a/b", "revision": "main/../x"}}},
        "a path can't have . or .. between slashes",
    ),
    "near-duplicates that have little in common": (
        {**SMALLEST, "nearDuplicates": {"threshold": 0.3}},
        "threshold",
    ),
    "labels to include and to exclude": (
        {**SMALLEST, "labels": {"include": ["a"], "exclude": ["b"]}},
        "set at most one of include and exclude",
    ),
    "a label of white space": ({**SMALLEST, "labels": {"include": [" "]}}, "include"),
    "an empty list of labels": ({**SMALLEST, "labels": {"include": []}}, "include"),
    "an alias of an alias": (
        {**SMALLEST, "labels": {"aliases": {"a": "b", "b": "c"}}},
        "an alias can't stand for another alias",
    ),
    "an alias to include": (
        {**SMALLEST, "labels": {"include": ["b", "a"], "aliases": {"a": "b"}}},
        "write the name that the alias stands for",
    ),
    "an alias to exclude": (
        {**SMALLEST, "labels": {"exclude": ["a"], "aliases": {"a": "b"}}},
        "write the name that the alias stands for",
    ),
    "aliases in a circle": (
        {**SMALLEST, "labels": {"aliases": {"a": "b", "b": "a"}}},
        "an alias can't stand for another alias",
    ),
    "a context named twice": (
        {**SMALLEST, "contextParameters": ["channel", "product", "channel"]},
        "contextParameters lists a field twice",
    ),
    "too much context": ({**SMALLEST, "contextParameters": list("abcdefghi")}, "contextParameters"),
    "a data set of two places": (
        {"dataset": {"uri": "s3://data/t.jsonl", "huggingFace": {"repoId": "a/b"}}, "output": OUTPUT},
        "set exactly one of project, uri and huggingFace",
    ),
    "a data set of nowhere": (
        {"dataset": {"textField": "body"}, "output": OUTPUT},
        "set exactly one of project, uri and huggingFace",
    ),
    "a slice of a split": (
        {"dataset": {"huggingFace": {"repoId": "a/b", "split": "train[:10%]"}}, "output": OUTPUT},
        "split",
    ),
    "a split that is evaluated on too": (
        {
            "dataset": {"huggingFace": {"repoId": "a/b", "split": "train"}},
            "evaluationDataset": {"huggingFace": {"repoId": "a/b"}, "textField": "body"},
            "output": OUTPUT,
        },
        "evaluationDataset is also in dataset or additionalDatasets",
    ),
    "a configuration named twice": (
        {
            **SMALLEST,
            "additionalDatasets": [{"huggingFace": {"repoId": "a/b", "config": "de"}}] * 2,
        },
        "name a data set twice",
    ),
    "two base models": (
        {**SMALLEST, "baseModel": {"fromRun": {"name": "a"}, "uri": "s3://models/b"}},
        "set exactly one of fromRun, uri and huggingFace",
    ),
    "a base model of nowhere": (
        {**SMALLEST, "baseModel": {}},
        "set exactly one of fromRun, uri and huggingFace",
    ),
    "a base model from a run and the hub": (
        {**SMALLEST, "baseModel": {"fromRun": {"name": "a"}, "huggingFace": {"repoId": "a/b"}}},
        "set exactly one of fromRun, uri and huggingFace",
    ),
    "a repository that is an address": (
        {**SMALLEST, "baseModel": {"huggingFace": {"repoId": "https://hub/a/b"}}},
        "repoId",
    ),
    "a claim that no name can be": ({**SMALLEST, "baseModel": {"uri": "pvc:///models"}}, "uri"),
    "a volume of data": ({"dataset": {"uri": "pvc://data/x.csv"}, "output": OUTPUT}, "uri"),
    "learning rate out of range": ({**SMALLEST, "training": {"learningRate": 3}}, "0.1"),
    "checkpoints all the time": (
        {**SMALLEST, "training": {"checkpoint": {"everyMinutes": 0}}},
        "everyMinutes",
    ),
    "two lengths of the warm-up": (
        {**SMALLEST, "training": {"warmupSteps": 5, "warmupRatio": 0.1}},
        "set at most one of warmupSteps and warmupRatio",
    ),
    "adapters in a frozen body": (
        {**SMALLEST, "training": {"freezeBody": True, "lora": {}}},
        "set at most one of freezeBody and lora",
    ),
    "a stage for a frozen body": (
        {**SMALLEST, "training": {"freezeBody": True, "similarityStage": "Always"}},
        "similarityStage Always can't be set with freezeBody",
    ),
    "a stage where a text has several labels": (
        {**SMALLEST, "taskType": "MultiLabelClassification", "training": {"similarityStage": "Always"}},
        "training.similarityStage Always requires taskType Classification",
    ),
    "weights of no kind": ({**SMALLEST, "training": {"classWeights": "Heavy"}}, "classWeights"),
    "a score without a pair": (
        {"dataset": {"uri": "s3://data/t.jsonl", "scoreField": "score"}, "output": OUTPUT},
        "scoreField and negativeField require pairField",
    ),
    "a score and a far text": (
        {
            "taskType": "TextSimilarity",
            "dataset": {**PAIRS, "scoreField": "score", "negativeField": "far"},
            "output": OUTPUT,
        },
        "set at most one of scoreField and negativeField",
    ),
    "a format with a project": (
        {"dataset": {"project": "tickets", "format": "Argilla"}},
        "pairField, filter and format can't be set with project",
    ),
    "a format of no tool": (
        {**SMALLEST, "dataset": {**SMALLEST["dataset"], "format": "Labelstudio"}},
        "dataset.format",
    ),
    "a format of pairs": (
        {"taskType": "TextSimilarity", "dataset": {**PAIRS, "format": "LabelStudio"}, "output": OUTPUT},
        "labelField, labelSeparator and format can't be set with pairField",
    ),
    "a label of a pair": (
        {"taskType": "TextSimilarity", "dataset": {**PAIRS, "labelField": "topic"}, "output": OUTPUT},
        "labelField, labelSeparator and format can't be set with pairField",
    ),
    "pairs to classify": (
        {"dataset": PAIRS, "output": OUTPUT},
        "dataset.pairField requires taskType TextSimilarity",
    ),
    "a choice of labels among pairs": (
        {**ON_PAIRS, "labels": {"include": ["a"]}},
        "set at most one of labels and dataset.pairField",
    ),
    "near-duplicates of pairs": (
        {**ON_PAIRS, "nearDuplicates": {"skip": True}},
        "nearDuplicates requires labelled texts",
    ),
    "another threshold for pairs": (
        {**ON_PAIRS, "nearDuplicates": {"threshold": 0.7}},
        "nearDuplicates requires labelled texts",
    ),
    "aliases of the labels of pairs": (
        {**ON_PAIRS, "labels": {"aliases": {"Bill": "billing"}}},
        "set at most one of labels and dataset.pairField",
    ),
    "an embedding model with a frozen body": (
        {**SMALLEST, "taskType": "TextSimilarity", "training": {"freezeBody": True}},
        "training.freezeBody leaves nothing to train for TextSimilarity",
    ),
    "weights of classes that are compared": (
        {**SMALLEST, "taskType": "TextSimilarity", "training": {"classWeights": "Balanced"}},
        "training.classWeights doesn't apply to TextSimilarity",
    ),
    "smoothed labels of embeddings": (
        {**SMALLEST, "taskType": "TextSimilarity", "training": {"labelSmoothing": 0.1}},
        "training.labelSmoothing doesn't apply to TextSimilarity",
    ),
    "labels that say nothing": ({**SMALLEST, "training": {"labelSmoothing": 1}}, "labelSmoothing"),
    "a final fit of embeddings": (
        {**SMALLEST, "taskType": "TextSimilarity", "training": {"finalFit": True}},
        "training.finalFit doesn't apply to TextSimilarity",
    ),
    "a final fit on texts that are kept apart": (
        {**SMALLEST, "evaluationDataset": {"project": "held-out"}, "training": {"finalFit": True}},
        "set at most one of training.finalFit and evaluationDataset",
    ),
    "context of compared texts": (
        {**SMALLEST, "taskType": "TextSimilarity", "contextParameters": ["channel"]},
        "contextParameters doesn't apply to TextSimilarity",
    ),
    "additional pairs to classify": (
        {**SMALLEST, "additionalDatasets": [PAIRS]},
        "dataset.pairField requires taskType TextSimilarity",
    ),
    "correlation of labels": (
        {**SMALLEST, "training": {"earlyStopping": {"metric": "Spearman"}}},
        "metric Spearman and AveragePrecision require taskType TextSimilarity",
    ),
    "F1 of embeddings": (
        {
            "taskType": "TextSimilarity",
            "dataset": {"project": "tickets"},
            "training": {"earlyStopping": {"metric": "F1"}},
        },
        "metric has to be EvaluationLoss, or AveragePrecision",
    ),
    "correlation of labelled texts": (
        {**SMALLEST, "taskType": "TextSimilarity", "training": {"earlyStopping": {"metric": "Spearman"}}},
        "metric has to be EvaluationLoss, or AveragePrecision",
    ),
    "no epochs": ({**SMALLEST, "training": {"maxEpochs": 0}}, "maxEpochs"),
    "a word for a number": ({**SMALLEST, "trainPercent": "most"}, "trainPercent"),
    "an unknown task": ({**SMALLEST, "taskType": "Translation"}, "taskType"),
    "an unknown field": ({**SMALLEST, "training": {"epochs": 3}}, "epochs"),
    "a scheme nobody reads": ({"dataset": {"uri": "ftp://x/y.csv"}, "output": OUTPUT}, "uri"),
    "memory that is no quantity": ({**SMALLEST, "resources": {"memory": "lots"}}, "memory"),
    "more GPUs than a node has": ({**SMALLEST, "resources": {"gpusPerNode": 17}}, "gpusPerNode"),
    "more nodes than meet": ({**SMALLEST, "resources": {"nodes": 65}}, "nodes"),
    "a sharded model that is fitted again": (
        {**SMALLEST, "training": {"sharding": "Full", "finalFit": True}},
        "finalFit can't be set with sharding Full",
    ),
    "a sharded model with a stage": (
        {**SMALLEST, "training": {"sharding": "Full", "similarityStage": "Always"}},
        "similarityStage Always can't be set with sharding Full",
    ),
    "no node": ({**SMALLEST, "resources": {"nodes": 0}}, "nodes"),
    "a GPU that Kubernetes would have to know": (
        {**SMALLEST, "resources": {"gpusPerNode": 1, "gpuResourceName": "kubernetes.io/gpu"}},
        "gpuResourceName has to be an extended resource",
    ),
    "a node's label with a space": (
        {**SMALLEST, "scheduling": {"nodeSelector": {"disk type": "ssd"}}},
        "nodeSelector has an invalid label name",
    ),
    "a node's label with a name too long": (
        {**SMALLEST, "scheduling": {"nodeSelector": {"x" * 64: "ssd"}}},
        "nodeSelector has an invalid label name",
    ),
    "a node's label with a value that none can have": (
        {**SMALLEST, "scheduling": {"nodeSelector": {"disk": "-ssd-"}}},
        "nodeSelector",
    ),
    "a taint's key with a space": (
        {**SMALLEST, "scheduling": {"tolerations": [{"key": "a b"}]}},
        "key",
    ),
    "a toleration of nothing": (
        {**SMALLEST, "scheduling": {"tolerations": [{}]}},
        "a toleration without a key has to have operator Exists",
    ),
    "a toleration of any value and one": (
        {**SMALLEST, "scheduling": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
        "the value of a toleration requires operator Equal",
    ),
    "a toleration for some time of what drives no pod away": (
        {**SMALLEST, "scheduling": {"tolerations": [{"key": "a", "tolerationSeconds": 5}]}},
        "tolerationSeconds requires effect NoExecute",
    ),
    "a name that no object can have": (
        {**SMALLEST, "scheduling": {"priorityClassName": "a..b"}},
        "priorityClassName",
    ),
    "a queue that no label can name": ({**SMALLEST, "scheduling": {"queueName": "x" * 64}}, "queueName"),
    "a toleration operator nobody knows": (
        {**SMALLEST, "scheduling": {"tolerations": [{"operator": "Maybe"}]}},
        "operator",
    ),
    "a pod in the network of its node": (in_pod(hostNetwork=True), "hostNetwork"),
    "a pod with processes of its node": (in_pod(hostPID=True), "hostPID"),
    "a pod that may be root": (in_pod(securityContext={"runAsNonRoot": False}), "securityContext"),
    "a pod that is restarted in place": (in_pod(restartPolicy="OnFailure"), "restartPolicy"),
    "a second way to choose nodes": (in_pod(nodeSelector={"disk": "ssd"}), "nodeSelector"),
    "a second container": (in_pod(containers=[{"name": "proxy", "image": "proxy"}]), "name"),
    "a container before the trainer": (
        in_pod(initContainers=[{"name": "setup", "image": "setup"}]),
        "initContainers",
    ),
    "another program in the container": (
        in_pod(containers=[{"name": "trainer", "command": ["sh"]}]),
        "command",
    ),
    "a privileged trainer": (
        in_pod(containers=[{"name": "trainer", "securityContext": {"privileged": True}}]),
        "securityContext",
    ),
    "a volume of the node": (
        in_pod(volumes=[{"name": "node", "hostPath": {"path": "/"}}]),
        "hostPath",
    ),
    "a volume of nothing": (in_pod(volumes=[{"name": "none"}]), "has exactly one of configMap, csi"),
    "a volume of two sources": (
        in_pod(volumes=[{"name": "two", "emptyDir": {}, "secret": {"secretName": "x"}}]),
        "has exactly one of configMap, csi",
    ),
    "a pod label with a space": (
        {**SMALLEST, "podTemplate": {"metadata": {"labels": {"cost centre": "7"}}}},
        "podTemplate.metadata has an invalid name",
    ),
    "a pod annotation without a name": (
        {**SMALLEST, "podTemplate": {"metadata": {"annotations": {"example.com/": "7"}}}},
        "podTemplate.metadata has an invalid name",
    ),
}

DOMAIN = ".".join(["x" * 44] * 4)
TAKEN_BY_BOTH = {
    "the operator's default output": {"dataset": {"uri": "s3://data/t.jsonl"}},
    "an endpoint that ends in a slash": {
        **SMALLEST,
        "output": {**OUTPUT, "endpoint": "https://s3.example.com:9000/"},
    },
    "dots in names of files": {**SMALLEST, "dataset": {"uri": "s3://data/.a/..b/c..d/.../e.csv"}},
    "placement at its bounds": {
        **SMALLEST,
        "resources": {"gpusPerNode": 1, "gpuResourceName": f"{DOMAIN}/{'x' * 63}"},
        "scheduling": {
            "nodeSelector": {f"{DOMAIN}/{'x' * 63}": "x" * 63, "empty": ""},
            "tolerations": [
                {"operator": "Exists", "value": ""},
                {"key": f"{DOMAIN}/{'x' * 63}", "value": "x" * 63},
                {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
            ],
        },
    },
    "namesakes of the main project": {
        "dataset": {"project": "a"},
        "additionalDatasets": [{"project": "a", "namespace": "b"}, {"project": "a", "namespace": "c"}],
    },
    "splits of one data set of the hub": {
        "dataset": {
            "huggingFace": {
                "repoId": "PolyAI/banking77",
                "config": "default",
                "revision": "refs/convert/parquet",
                "tokenSecretRef": {"name": "hub"},
            },
            "textField": "body",
        },
        "additionalDatasets": [{"huggingFace": {"repoId": "PolyAI/banking77", "split": "validation"}}],
        "evaluationDataset": {"huggingFace": {"repoId": "PolyAI/banking77", "split": "test"}},
        "output": OUTPUT,
    },
    "no choice of labels among pairs": {**ON_PAIRS, "labels": {}},
    "labels of pairs as they are": {**ON_PAIRS, "labels": {"aliases": {}, "allowDisjoint": False}},
    "nothing said of near-duplicates of pairs": {**ON_PAIRS, "nearDuplicates": {}},
    "near-duplicates of pairs as they are": {**ON_PAIRS, "nearDuplicates": {"skip": False, "threshold": 0.8}},
}


@pytest.mark.parametrize(("spec", "message"), REFUSED_BY_BOTH.values(), ids=REFUSED_BY_BOTH.keys())
def test_bad_spec_is_refused_and_the_field_named(
    cluster: DynamicClient, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(DynamicApiError) as refused:
        apply(cluster, spec)
    assert refused.value.status in {400, 422}
    assert message in json.loads(refused.value.body)["message"]
    with pytest.raises(ValidationError, match=message):
        TrainingRunSpec.model_validate(spec)


@pytest.mark.parametrize("spec", TAKEN_BY_BOTH.values(), ids=TAKEN_BY_BOTH.keys())
def test_what_looks_like_a_mistake_and_is_none_is_taken(cluster: DynamicClient, spec: dict[str, Any]) -> None:
    assert apply(cluster, spec)
    assert TrainingRunSpec.model_validate(spec)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"defaults": {"trainPercent": 10}}, "trainPercent"),
        ({"defaults": {"labels": {"include": ["a"], "exclude": ["b"]}}}, "set at most one of include and"),
        ({"defaults": {"modelName": "mine"}}, "modelName"),
        (
            {"dataset": {"uri": "s3://data/t.csv", "filter": {"field": "a"}}},
            "set exactly one of include and ex",
        ),
        ({"allowedNamespaces": ["All Teams"]}, "allowedNamespaces"),
    ],
)
def test_bad_project_is_refused(cluster: DynamicClient, change: dict[str, Any], message: str) -> None:
    spec = {"dataset": {"uri": "s3://data/t.csv"}, "output": OUTPUT} | change
    with pytest.raises(DynamicApiError) as refused:
        apply(cluster, spec, kind="TrainingProject")
    assert message in json.loads(refused.value.body)["message"]
    with pytest.raises(ValidationError, match=message):
        TrainingProjectSpec.model_validate(spec)


def test_a_setting_of_another_task_is_taken_while_the_project_may_say_the_task(
    cluster: DynamicClient,
) -> None:
    spec = {"dataset": {"project": "a"}, "training": {"earlyStopping": {"metric": "Spearman"}}}
    assert apply(cluster, spec)
    assert OPEN_TASK.holds(TrainingRunSpec.model_validate(spec))


@pytest.mark.parametrize("spec", [SMALLEST, FULL, SCORED], ids=["smallest", "full", "pairs"])
def test_server_and_model_fill_in_the_same_defaults(cluster: DynamicClient, spec: dict[str, Any]) -> None:
    stored = apply(cluster, spec).to_dict()["spec"]
    assert TrainingRunSpec.model_validate(stored) == TrainingRunSpec.model_validate(spec)
    defaults = TrainingRunSpec.model_validate(spec).model_dump(mode="json", exclude_none=True)
    filled_in = defaults.keys() - {to_camel(name) for name in RunSettings.model_fields}
    assert with_texts(stored, filled_in) == with_texts(defaults, filled_in)


def with_texts(spec: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """These fields, quantities as text."""
    resources = {name: str(value) for name, value in spec["resources"].items()}
    return {name: value for name, value in {**spec, "resources": resources}.items() if name in names}


def test_settings_that_a_project_can_give_stay_open(cluster: DynamicClient) -> None:
    names = {to_camel(name) for name in RunSettings.model_fields}
    for spec in (SMALLEST, FULL):
        stored = apply(cluster, spec).to_dict()["spec"]
        assert {k: v for k, v in stored.items() if k in names} == {
            k: v for k, v in spec.items() if k in names
        }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"training": {"learningRate": 1e-5}}, "training"),
        ({"trainPercent": 80}, "trainPercent"),
        ({"modelName": "other"}, "modelName"),
        ({"dataset": {"uri": "s3://data/other.jsonl"}}, "dataset"),
        ({"scheduling": {"nodeSelector": {"disk": "hdd"}}}, "scheduling"),
    ],
)
def test_an_experiment_can_not_be_changed_afterwards(
    cluster: DynamicClient, change: dict[str, Any], field: str
) -> None:
    run = apply(cluster, SMALLEST)
    with pytest.raises(DynamicApiError) as refused:
        patch(cluster, run, change)
    assert f"{field} is immutable" in json.loads(refused.value.body)["message"]


@pytest.mark.parametrize(
    "spec",
    [
        {"affinity": {"nodeAffinity": {"one": 2}}},
        {"affinity": {"podAffinity": {"one": 1}}},
        {"affinity": None},
        {"containers": [{"name": "trainer", "env": [{"name": "A", "value": "c"}]}]},
    ],
)
def test_what_kubernetes_has_in_a_pod_can_not_be_changed_afterwards(
    cluster: DynamicClient, spec: dict[str, Any]
) -> None:
    first = {
        "affinity": {"nodeAffinity": {"one": 1}},
        "containers": [{"name": "trainer", "env": [{"name": "A", "value": "b"}]}],
    }
    run = apply(cluster, in_pod(**first))
    with pytest.raises(DynamicApiError) as refused:
        patch(cluster, run, {"podTemplate": {"spec": spec}})
    assert "podTemplate is immutable" in json.loads(refused.value.body)["message"]


def test_suspend_stop_deadlines_and_ttl_can_be_changed(cluster: DynamicClient) -> None:
    run = apply(cluster, SMALLEST)
    change = {
        "suspend": True,
        "stop": True,
        "activeDeadlineSeconds": 60,
        "pendingDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 0,
    }
    changed = patch(cluster, run, change)
    assert {key: changed.to_dict()["spec"][key] for key in change} == change


@pytest.mark.parametrize("name", ["../../escaped", "A", "a..b", "-a", "a_b", "a/b", "a b", "ä"])
def test_a_name_that_the_server_refuses_is_refused_in_its_words(cluster: DynamicClient, name: str) -> None:
    with pytest.raises(DynamicApiError) as refused:
        apply(cluster, SMALLEST, name=name)
    assert NO_SUBDOMAIN in json.loads(refused.value.body)["message"]
    with pytest.raises(ValidationError, match=re.escape(NO_SUBDOMAIN)):
        RunMetadata.model_validate({"name": name})


@pytest.mark.parametrize("name", ["a", "a-b", "a.b", "1", "a" * 52])
def test_a_name_that_the_server_takes_is_taken(cluster: DynamicClient, name: str) -> None:
    assert apply(cluster, SMALLEST, name=name)
    assert RunMetadata.model_validate({"name": name})


def test_name_that_leaves_no_room_for_its_pods_is_refused(cluster: DynamicClient) -> None:
    with pytest.raises(DynamicApiError) as refused:
        apply(cluster, SMALLEST, name="a" * 53)
    assert str(ROOM_FOR_PODS["message"]) in json.loads(refused.value.body)["message"]
    with pytest.raises(ValidationError, match="must be no more than 52 characters"):
        RunMetadata.model_validate({"name": "a" * 53})


def test_every_field_says_what_it_means() -> None:
    for model in (TrainingRunSpec, TrainingProjectSpec, TrainingRunStatus):
        assert undescribed("", structural_schema(model)) == []


def test_resource_stays_small_after_a_thousand_epochs(cluster: DynamicClient) -> None:
    run = apply(cluster, FULL)
    epochs = [
        EpochSummary(
            epoch=n,
            training_loss=1 / 3,
            evaluation_loss=1 / 7,
            accuracy=1 / 9,
            f1=2 / 3,
            learning_rate=1e-4 / 3,
        )
        for n in range(1, 1001)
    ]
    kept = bounded_epochs(epochs, best_epoch=500)
    assert [e.epoch for e in kept][:2] == [1, 500]
    assert kept[-1].epoch == 1000
    progress = Progress(
        stage="Training", epoch=1000, max_epochs=1000, last_update_time="2026-01-01T00:00:00Z"
    )
    finding = Finding(
        type=FindingType.ONE_LABEL,
        severity=Severity.WARNING,
        message="m" * 256,
        evidence={"lossBefore": 1 / 3, "lossAfter": 2 / 3},
        suggestion="s" * 256,
    )
    identity = RunIdentity(namespace="default", name=run.metadata.name, uid=run.metadata.uid)
    spec = ResolvedSpec.of(TrainingRunSpec.model_validate(FULL), None)
    config = RunConfig.of(identity, "Tickets v3", spec, References())
    told = config.model_dump(mode="json", exclude_none=True)
    started = StartedWith.of("registry/trainer:1", told, SecretNames(storage="s3"))
    status = TrainingRunStatus(
        progress=progress, epochs=kept, advice=[finding] * 5, started_with=started
    ).model_dump(mode="json", exclude_none=True)
    runs = cluster.resources.get(api_version=API_VERSION, kind="TrainingRun")
    stored = runs.status.patch(
        body={"status": status},
        name=run.metadata.name,
        namespace="default",
        content_type="application/merge-patch+json",
    )
    assert len(json.dumps(stored.to_dict())) < 32 * 1024
    assert len(stored.status.epochs) == len(kept)
    # What is stored is what was written, so that a Job made of either is the same.
    assert json.dumps(stored.to_dict()["status"]["startedWith"]["config"], sort_keys=True) == json.dumps(
        started.config, sort_keys=True
    )


def patch(cluster: DynamicClient, run: Any, spec: dict[str, Any]) -> Any:
    runs = cluster.resources.get(api_version=API_VERSION, kind="TrainingRun")
    return runs.patch(
        body={"spec": spec},
        name=run.metadata.name,
        namespace="default",
        content_type="application/merge-patch+json",
    )


def undescribed(path: str, schema: dict[str, Any]) -> list[str]:
    missing = []
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        if not field.get("description"):
            missing.append(f"{path}.{name}")
        missing += undescribed(f"{path}.{name}", inner)
    return missing
