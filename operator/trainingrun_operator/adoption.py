"""Whether a Job that a run's status doesn't name is the run's all the same."""

from .resources import Manifest

OF_THE_JOB = {"suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "selector"}
OF_THE_POD = {"nodeSelector", "tolerations", "schedulingGates"}
"""What says where and when, not what is done: it follows the run, or is a queue's once the Job is there."""


def same_work(one: Manifest, other: Manifest) -> bool:
    """Whether two Jobs, both as the API server has completed them, do the same."""
    return _work(one) == _work(other)


def _work(job: Manifest) -> Manifest:
    """The spec, but for labels and annotations of the pod too: those name the Job, or are a queue's."""
    spec = {name: value for name, value in job["spec"].items() if name not in OF_THE_JOB | {"template"}}
    pod = job["spec"]["template"]["spec"]
    return spec | {"template": {name: value for name, value in pod.items() if name not in OF_THE_POD}}
