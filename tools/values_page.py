"""The page of the chart's values, from values.yaml and the comments in it."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

HEAD = """# Values of the Helm chart

Made from the chart's `values.yaml` by `make generate`. A schema rejects values that aren't listed here.

| Value | Default | Meaning |
| --- | --- | --- |
"""
UNSET: tuple[Any, ...] = ("", [], {})

Path = tuple[str, ...]


def values_page(text: str) -> str:
    """One Markdown table; raises ValueError for a value that no comment is about."""
    comments = dict(_comments(text))
    return HEAD + "".join(_row(path, value, comments[path]) for path, value in _rows(text, comments))


def _comments(text: str) -> Iterator[tuple[Path, str]]:
    """Each key in its order, with the comment before it; fields of a list's items look like keys, too."""
    comment: list[str] = []
    place: list[tuple[int, str]] = []
    for line in text.splitlines():
        content, depth = line.strip(), len(line) - len(line.lstrip())
        if content.startswith("#"):
            comment.append(content.removeprefix("#").strip())
            continue
        if content:
            place = [*(key for key in place if key[0] < depth), (depth, content.partition(":")[0])]
            yield tuple(name for _, name in place), " ".join(comment)
        comment = []


def _rows(text: str, comments: dict[Path, str]) -> Iterator[tuple[Path, Any]]:
    """What has a row: a value, or a group of values of which only the whole has a comment."""

    def below(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
        told = any(comments[other] for other in comments if other[: len(path)] == path and other != path)
        if isinstance(value, dict) and told:
            for name, item in value.items():
                yield from below((*path, name), item)
        else:
            yield path, value

    for name, value in yaml.safe_load(text).items():
        yield from below((name,), value)


def _row(path: Path, default: Any, comment: str) -> str:
    name = ".".join(path)
    if not comment:
        raise ValueError(f"values.yaml has no comment on {name}")
    shown = "" if default in UNSET else f"`{json.dumps(default, ensure_ascii=False)}`"
    return f"| `{name}` | {shown} | {comment.replace('|', chr(92) + '|')} |\n"
