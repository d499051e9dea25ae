"""What numpy prints is read as it was."""

import ast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainingrun_trainer.data.arrays import as_python

labels = st.lists(st.text(max_size=12) | st.none(), max_size=8)


@given(labels)
def test_a_printed_array_is_read_as_its_items(items: list[str | None]) -> None:
    assert ast.literal_eval(as_python(str(np.array(items, dtype=object)))) == items


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=3) | st.none(), min_size=1, max_size=5))
def test_arrays_in_arrays_are_lists_in_a_list(items: list[list[str] | None]) -> None:
    array = np.empty(len(items), dtype=object)
    array[:] = [item if item is None else np.array(item, dtype=object) for item in items]
    assert ast.literal_eval(as_python(str(array))) == items


@pytest.mark.parametrize(
    "written", ["billing", "", "['a' ... 'b']", "it's", '{"a": [1]}', "array", "[true, false]", "'a' 'b'"]
)
def test_other_texts_stay_as_they_are(written: str) -> None:
    assert as_python(written) == written


@pytest.mark.parametrize("written", ['["a", "b"]', "[1, 2]", "['a']", "[[1], [2, 3]]"])
def test_lists_keep_their_meaning(written: str) -> None:
    assert ast.literal_eval(as_python(written)) == ast.literal_eval(written)
