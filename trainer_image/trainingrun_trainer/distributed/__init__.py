"""Several processes that train one model: how they start, meet, agree, and put together what each has."""

from .group import (
    agree,
    at_first,
    by_first,
    from_first,
    gather_objects,
    is_first,
    join,
    leave,
    meet,
    rank,
    size,
    tell_over,
    together,
)
from .node import leads_node, node_folder, once_a_node
from .share import Share
from .tensors import gather, gather_rows, sum_gradients, sum_numbers, take_weights

__all__ = [
    "Share",
    "agree",
    "at_first",
    "by_first",
    "from_first",
    "gather",
    "gather_objects",
    "gather_rows",
    "is_first",
    "join",
    "leads_node",
    "leave",
    "meet",
    "node_folder",
    "once_a_node",
    "rank",
    "size",
    "sum_gradients",
    "sum_numbers",
    "take_weights",
    "tell_over",
    "together",
]
