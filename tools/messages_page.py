"""The page of messages: what runs fail or wait with, as it stands in the sources of trainer and operator."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trainingrun_api.status import Reason
from trainingrun_trainer.errors import TrainerError

INTRODUCTION = """\
# Messages

<!-- written by `make generate` from the sources -->

What runs wait for or fail with, to look up a message by some of its words; … stands for a name, a number,
or what another program says. The guide tells [what to do for each reason](guide.md#when-it-doesnt-work).

"""

REFUSALS = {"Blocked": 0, "RunState": 1}
"""Values of the operator with a reason and, next, a message; and which argument is the reason."""

OF_A_LINE = "_NotRowsError"
"""Becomes part of a message that says which line."""

CHOSEN = "error"
"""A class that the caller chooses: of data, model or settings."""

LEAST_WORDS = 3
"""Shorter messages are only a frame for another one."""


class Message(NamedTuple):
    """A message, with … for what isn't known before."""

    reason: Reason
    text: str


def messages_page(root: Path) -> str:
    """Messages of each reason, in alphabetical order."""
    found: defaultdict[Reason, set[str]] = defaultdict(set)
    for folder, read in (
        ("trainer_image/trainingrun_trainer", _raised),
        ("operator/trainingrun_operator", _decided),
    ):
        for path in sorted((root / folder).rglob("*.py")):
            for message in read(ast.parse(path.read_text())):
                if sum(word.strip("…:,.;()").isalpha() for word in message.text.split()) >= LEAST_WORDS:
                    found[message.reason].add(message.text)
    return INTRODUCTION + "\n".join(map(_section, sorted(found), map(found.__getitem__, sorted(found))))


def _section(reason: Reason, texts: set[str]) -> str:
    lines = "\n".join(f"- `{text.replace('`', chr(39))}`" for text in sorted(texts, key=_order))
    return f"## {reason}\n\n{lines}\n"


def _order(text: str) -> str:
    return text.lstrip("…:,. ").lower()


def _raised(module: ast.Module) -> Iterator[Message]:
    """Messages of the trainer's errors."""
    reasons = {kind.__name__: kind.reason for kind in _kinds(TrainerError)}
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == CHOSEN:
            text = _text(node.args[0], {})
            for reason in (Reason.DATA_ERROR, Reason.MODEL_ERROR, Reason.SETTINGS_ERROR):
                yield Message(reason, text)
        elif name in reasons:
            yield Message(reasons[name], _text(node.args[0], {}))
        elif name == OF_A_LINE:
            yield Message(Reason.DATA_ERROR, f"…, line …: {_text(node.args[0], {})}")


def _kinds(kind: type[TrainerError]) -> Iterator[type[TrainerError]]:
    yield kind
    for further in kind.__subclasses__():
        yield from _kinds(further)


def _decided(module: ast.Module) -> Iterator[Message]:
    """Messages of the states that the operator decides."""
    functions = (
        node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    for scope in (module, *functions):
        texts: dict[str, str] = {}
        for node in _own(scope):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    texts[name] = _text(value, texts)
                case ast.Call(func=ast.Name(id=name), args=args) if name in REFUSALS:
                    yield from _given(args[REFUSALS[name] :], texts)
                case ast.Tuple(elts=elements):
                    yield from _given(elements, texts)


def _given(values: list[ast.expr], texts: dict[str, str]) -> Iterator[Message]:
    match values:
        case [ast.Attribute(value=ast.Name(id="Reason"), attr=reason), text, *_]:
            yield Message(Reason[reason], _text(text, texts))


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """All of a function but for functions in it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _own(node)


def _text(node: ast.AST, names: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, names) for part in parts).replace("……", "…")
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Subscript(value=inner):
            return _text(inner, names)
    return "…"
