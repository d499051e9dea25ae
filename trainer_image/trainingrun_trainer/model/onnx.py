"""The model as an ONNX graph, which servers run without PyTorch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ModelError, first_line
from .text_model import Features, TextModel

GRAPH = "onnx/model.onnx"
"""Below the model's folder: where sentence-transformers and Optimum look for it."""

OPSET = 18
"""The oldest that torch's exporter writes, which most runtimes read."""

TOLERANCE = 1e-4
"""Most that an output may differ from the network's, absolute and as a share."""

SINGLE_FILE_BYTES = 1_500_000_000
"""Larger weights lie beside the graph: protobuf takes no message of 2 GiB."""

TRACED = ["a text that is traced", "another one"]
COMPARED = [["one"], ["a text", "a longer text of ten tokens at least, with padding", "one"], TRACED]
"""Batches of other sizes than what was traced."""


def require_exportable(model: TextModel, folder: Path) -> None:
    """Write the model, as it is, into a new `folder`, to know before training that it can be done.

    Raises ModelError where it can't.
    """
    try:
        with torch.random.fork_rng(devices=[]):
            export_onnx(model, folder)
    except Exception as error:
        raise ModelError(
            "spec.output.formats: the base model's architecture "
            f"({model.config.model_type}) can't be written as ONNX; leave ONNX out, or choose another base "
            f"model: {first_line(error.__cause__ or error)}"
        ) from error


def export_onnx(model: TextModel, folder: Path) -> list[str]:
    """Write the graph below the model's folder; gives its outputs. The network is on the CPU afterwards.

    It reads what the tokenizer gives, and gives `TextModel.outputs`. Raises ModelError when it doesn't give
    the same as the network, and whatever torch raises that can't export it.
    """
    network = model.network.to("cpu").eval()
    graph, features = _Graph(model), _features(model, TRACED)
    path = folder / GRAPH
    path.parent.mkdir(parents=True)
    sizes = {name: {0: "batch", 1: "tokens"} for name in features}
    size = sum(parameter.nbytes for parameter in network.parameters())
    with torch.no_grad(), _quiet():
        outputs = list(model.outputs(features))
        torch.onnx.export(
            graph,
            kwargs={"features": features},
            f=path,
            input_names=list(features),
            output_names=outputs,
            dynamic_shapes={"features": sizes},
            opset_version=OPSET,
            external_data=size > SINGLE_FILE_BYTES,
            dynamo=True,
            verbose=False,
        )
    _require_same(model, path)
    return outputs


class _Graph(nn.Module):
    """What is traced: the network, with the outputs by their names."""

    def __init__(self, model: TextModel) -> None:
        super().__init__()
        self.network = model.network
        self._outputs = model.outputs

    def forward(self, features: Features) -> tuple[Tensor, ...]:
        return tuple(self._outputs(features).values())


def _features(model: TextModel, texts: list[str]) -> Features:
    return dict(model.tokenizer(texts, padding=True, return_tensors="pt"))


def _require_same(model: TextModel, path: Path) -> None:
    """Raises ModelError when the graph's outputs are not the network's."""
    from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415 - only graphs need it

    options = SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()  # it would take all of the machine's
    session = InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for texts in COMPARED:
        features = _features(model, texts)
        with torch.no_grad():
            wanted = model.outputs(features)
        given = session.run(list(wanted), {name: value.numpy() for name, value in features.items()})
        for name, (one, other) in zip(wanted, zip(wanted.values(), given, strict=True), strict=True):
            if not np.allclose(one.numpy(), other, rtol=TOLERANCE, atol=TOLERANCE):
                raise ModelError(f"the ONNX graph's {name} differ from the model's")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of its own workings."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
