"""Which rows of a data set are used."""

import logging
from collections.abc import Iterator, Sequence

from trainingrun_api.row_filter import RowFilter

from ..errors import DataError
from .fetched import FetchedSource
from .fields import has_field, listed, value_as_text
from .kinds import rows
from .rows import Row
from .tally import Tally

log = logging.getLogger(__name__)

VALUES_KEPT = 100
"""Values of the field that messages can list."""


class Selection:
    """The rows of one data set that spec.dataset.filter keeps; in the end it is known whether it fits."""

    def __init__(self, fetched: FetchedSource, tally: Tally) -> None:
        self._fetched, self._tally = fetched, tally
        self._filter = fetched.source.filter
        self._seen: set[str] = set()
        self._has_field = False

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Rows with at least the `wanted` fields, file after file; all of them are counted.

        Raises DataError for what can't be read, and after the last row for a filter that leaves out all.
        """
        fields = wanted if self._filter is None else (*wanted, self._filter.field)
        for file in self._fetched.files:
            for row in rows(file, fields):
                self._tally.count(row)
                if self._filter is None or self._keeps(row, self._filter):
                    yield row
                else:
                    self._tally.rows_filtered += 1
        if self._filter is not None and self._tally.read:
            self._require_known(self._filter)

    def _keeps(self, row: Row, wanted: RowFilter) -> bool:
        value = value_as_text(row, wanted.field, "spec.dataset.filter.field")
        self._has_field = self._has_field or has_field(row, wanted.field)
        if value and (value in wanted.named or len(self._seen) < VALUES_KEPT):
            self._seen.add(value)
        return wanted.keeps(value)

    def _require_known(self, wanted: RowFilter) -> None:
        field = wanted.field
        if not self._has_field:
            raise DataError(
                f"{self._fetched.place}: no row has the field {field!r}; there are "
                f"{listed(self._tally.fields)}. Correct spec.dataset.filter.field"
            )
        there_are = f"there are {listed(self._seen)}" if self._seen else "there are no values"
        if self._tally.rows_filtered == self._tally.read:
            raise DataError(
                f"{self._fetched.place}: spec.dataset.filter leaves out all rows; in {field!r} {there_are}"
            )
        if unknown := wanted.named - self._seen:
            setting = self._fetched.source.setting
            log.warning("%s.filter: no row has %s in %r; %s", setting, listed(unknown), field, there_are)
