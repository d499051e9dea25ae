"""What there is of a run in the end, without what differs between any two."""

import json
import re
from typing import Any

from trainingrun_api.names import RUN_LABEL

from .cluster import Api
from .manifests import Manifest

LEFT_OUT = {"managedFields", "resourceVersion", "clusterIP", "clusterIPs"}
PASSING = {"Unschedulable", "Restarting"}
"""Reasons of Events that a run gives only if the operator looks within a moment."""
VARIABLE = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r"model-name-[0-9a-f]{40}"), "LEASE"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"(?<=/)[0-9a-f]{12}\b"), "FOLDER"),
    (re.compile(r"\bNAME(-child)?(-\d)?-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "POD"),
)

Portrait = dict[str, list[str]]
"""By kind the objects, each as JSON, and the reasons of Events."""


def portrait(api: Api, name: str) -> Portrait:
    """All objects of the run of this name, and of its child."""
    names = (name, f"{name}-child")
    labelled = f"{RUN_LABEL} in ({','.join(names)})"
    runs = [run for one in names if (run := api.get("TrainingRun", one))]
    found = {
        "TrainingRun": runs,
        **{kind: _all(api, kind, label_selector=labelled) for kind in ("Job", "Pod", "Service")},
        "Lease": [lease for lease in _all(api, "Lease") if lease["spec"]["holderIdentity"] in names],
        "Event": [_gist(event) for one in names for event in _told(api, one)],
    }
    models = [run.get("status", {}).get("modelName") or "" for run in runs]
    random = [model for model in models if model and not model.startswith(name)]
    for job in found["Job"]:
        conditions = job["status"].get("conditions", [])
        # Its controller doesn't write that it was suspended if it is resumed within the same moment.
        job["status"]["conditions"] = [one for one in conditions if one["type"] != "Suspended"]
    for pod in found["Pod"]:
        pod["status"].pop("conditions", None)  # the scheduler's, which is at times later than the kubelet
    return {kind: sorted(_plain(one, name, random) for one in objects) for kind, objects in found.items()}


def _all(api: Api, kind: str, **chosen: str) -> list[Manifest]:
    return list(api.resource(kind).get(namespace=api.namespace, **chosen).to_dict()["items"])


def _told(api: Api, name: str) -> list[Manifest]:
    chosen = f"involvedObject.kind=TrainingRun,involvedObject.name={name}"
    return [event for event in _all(api, "Event", field_selector=chosen) if event["reason"] not in PASSING]


def _gist(event: Manifest) -> Manifest:
    return {"run": event["involvedObject"]["name"], "type": event["type"], "reason": event["reason"]}


def _plain(manifest: Any, name: str, models: list[str]) -> str:
    text = json.dumps(_without(manifest), sort_keys=True)
    for number, model in enumerate(models):
        text = text.replace(model, f"MODEL-{number}")
    text = text.replace(name, "NAME")
    for pattern, word in VARIABLE:
        text = pattern.sub(word, text)
    return text


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(one) for key, one in value.items() if key not in LEFT_OUT}
    return [_without(one) for one in value] if isinstance(value, list) else value
