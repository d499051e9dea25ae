"""Where a user wrote a data set, for messages."""

from collections.abc import Iterator
from contextlib import contextmanager

from trainingrun_api.dataset import MAIN_SETTING, DataSource

from ..errors import DataError


@contextmanager
def errors_of(source: DataSource) -> Iterator[None]:
    """Errors, which speak of the main data set's fields, name those of this one instead."""
    try:
        yield
    except DataError as error:
        if source.setting == MAIN_SETTING:
            raise
        raise DataError(str(error).replace(MAIN_SETTING, source.setting)) from None
