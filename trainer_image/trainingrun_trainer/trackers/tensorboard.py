"""Curves for TensorBoard: one event file beside the run's results."""

import logging
import time
from io import BytesIO
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from trainingrun_api.evaluation import Curves, Evaluation

from ..artifacts import Store
from ..errors import StorageRefusedError, StorageUnavailableError
from ..time_share import TimeShare
from .tracker import Ending, Measurement, Place, Snapshot, end_of, measurements

log = logging.getLogger(__name__)

FILE = "events.out.tfevents"
"""Name of the one event file; TensorBoard reads what has `tfevents` in its name."""

VERSION = "brain.Event:2"
"""What the first event of each file says."""


class TensorBoard:
    """Replaces the event file after epochs, as often as it costs little, and at the end.

    Each attempt of a run writes all curves anew, those of attempts before too, so that no point is there
    twice. A store that can't be written to is only warned of.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._uri = store, f"{folder}/{FILE}"
        self._content = BytesIO()
        self._records = RecordWriter(self._content)
        self._write(file_version=VERSION)
        self._place = Place()
        self._share = TimeShare()

    def update(self, snapshot: Snapshot) -> None:
        """Write what is new, and upload when that is due."""
        if self._share.due(time.monotonic()):
            with self._share.taken():
                self._upload(snapshot.curves)

    def end(self, ending: Ending, evaluation: Evaluation | None = None) -> None:
        """Upload all curves of a run that finished; of another one, what the last epoch left stays."""
        if evaluation is not None:
            self._upload(evaluation.curves)

    def _upload(self, curves: Curves) -> None:
        for measured in measurements(curves, after=self._place):
            self._write(step=measured.step, summary=_summary(measured))
        self._place = end_of(curves)
        try:
            self._store.write(self._uri, self._content.getvalue())
        except (StorageRefusedError, StorageUnavailableError) as error:
            log.warning("The curves for TensorBoard could not be written: %s", error)

    def _write(self, **fields: Any) -> None:
        self._records.write(Event(wall_time=time.time(), **fields).SerializeToString())


def _summary(measured: Measurement) -> Summary:
    return Summary(
        value=[Summary.Value(tag=name, simple_value=value) for name, value in measured.values.items()]
    )
