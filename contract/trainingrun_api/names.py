"""Names that operator, trainer and command line agree on."""

import hashlib

GROUP = "training.labelator.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

RUN_KIND = "TrainingRun"
RUN_PLURAL = "trainingruns"
PROJECT_KIND = "TrainingProject"
PROJECT_PLURAL = "trainingprojects"

OPERATOR = "trainingrun-operator"
PROGRESS_FIELD_MANAGER = "trainingrun-progress"
PROGRESS_AUDIENCE = f"progress.{GROUP}"
PROGRESS_PATH = "/v1/progress"
KUBEFLOW_PATH = "/kubeflow"
"""Below that of progress: for reports in the form of Kubeflow Trainer."""

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
RUN_LABEL = f"{GROUP}/run"

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""Label by which Kueue knows the queue of a Job."""

MAX_RUN_NAME_LENGTH = 52
"""A Job named after the run adds a suffix to its pods' names; labels end at 63 characters."""

RUN_CONFIG_VARIABLE = "TRAININGRUN_CONFIG"
"""Environment variable of the trainer pod that holds the RunConfig as JSON."""

MEMORY_LIMIT_VARIABLE = "TRAININGRUN_MEMORY_LIMIT"
"""Environment variable of the trainer pod that holds the bytes its container may use."""

NODES_VARIABLE = "PET_NNODES"
PROCESSES_VARIABLE = "PET_NPROC_PER_NODE"
NODE_RANK_VARIABLE = "PET_NODE_RANK"
MASTER_ADDRESS_VARIABLE = "PET_MASTER_ADDR"
MASTER_PORT_VARIABLE = "PET_MASTER_PORT"
"""Environment variables of the trainer pod that torchrun's launcher reads: how many pods, how many processes
in each, which pod this is, and where the first one is reached. With one pod, only the first two are set."""

MASTER_PORT = 29400
"""Port at which a run's first pod waits for the others; torchrun's usual one."""

REPORT_FAULTS = "please report it as an issue in the repository of TrainingRun"
"""What to do about an unexpected error."""

CREDENTIALS_VARIABLE = "TRAININGRUN_CREDENTIALS"
"""Environment variable of the trainer pod that names the folder with credentials: in it is a folder for each
Secret, with a file for each key."""

STORAGE_FOLDER = "storage"
"""Folder of the Secret for an object store."""

MLFLOW_FOLDER = "mlflow"
"""Folder of the Secret for an MLflow server."""

REQUIRED_STORAGE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
TEMPORARY_STORAGE_KEY = "AWS_SESSION_TOKEN"
STORAGE_KEYS = (*REQUIRED_STORAGE_KEYS, TEMPORARY_STORAGE_KEY)
"""Keys of a Secret for an object store, as clients of S3 name them; only temporary ones have a token."""

HUB_TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - its name
"""Folder of a Secret with a token of the Hugging Face Hub; without a cluster, environment variable with the
token, from which libraries read it."""

HUB_PUSH_TOKEN_VARIABLE = f"{HUB_TOKEN_VARIABLE}_OUTPUT"
"""The same of the token that may push the model; HF_TOKEN without one."""

HUB_TOKEN_KEY = "token"  # noqa: S105 - its name
"""Key of a Secret with such a token."""

MLFLOW_TOKEN_KEY = "MLFLOW_TRACKING_TOKEN"  # noqa: S105 - its name
MLFLOW_CREDENTIALS = (("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"), (MLFLOW_TOKEN_KEY,))
"""Keys of a Secret for an MLflow server, as its client's variables are named: a password, or a token."""

GRACE_SECONDS = 90
"""From SIGTERM, at which the trainer saves what it has, to SIGKILL. The namespace controller looks at a
namespace that is deleted again after half of it, so that this one is gone within a minute."""

TRAINER_CONTAINER = "trainer"
"""Name of the container that trains."""

INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index"
"""Annotation of a pod of an Indexed Job; the host name is <job>-<index>."""

TERMINATION_MESSAGE_PATH = "/dev/termination-log"


class ExitCode:
    """Exit codes of the trainer, the contract with the Job's podFailurePolicy (codes of sysexits.h)."""

    OK = 0
    USAGE = 64
    """The run's settings can't be used; not retried."""
    DATA = 65
    """The data set can't be used; not retried."""
    MODEL = 66
    """The base model can't be used; not retried."""
    STORAGE_REFUSED = 77
    """The object store refused: credentials, permission, no such bucket; not retried."""
    BUG = 70
    """An unexpected error; retried, since it may be the machine."""
    MACHINE = 71
    """The node lacks what it should have, such as a GPU that works; retried, since another may have it."""
    TEMPORARY = 75
    """Storage or network trouble; retried from the last committed checkpoint."""
    PEER_LOST = 76
    """Another process of the run ended, and this one with it; costs no restart of its own."""
    INTERRUPTED = 143
    """SIGTERM; retried from the last committed checkpoint."""

    USER_ERRORS = (USAGE, DATA, MODEL, STORAGE_REFUSED)


def run_prefix(output_uri: str, namespace: str, name: str, spec_hash: str) -> str:
    """The URI under which everything of one run is kept, without a slash at the end."""
    return f"{output_uri.rstrip('/')}/{namespace}/{name}/{spec_hash}"


def spec_hash(spec_json: str, uid: str) -> str:
    """Twelve hex digits that differ for another spec and for another object of the same name.

    The UID is part of it so that a run that was deleted and applied again trains again, on the data as it
    is then, and never takes or overwrites the results of its predecessor.
    """
    return hashlib.sha256(f"{uid}\n{spec_json}".encode()).hexdigest()[:12]
