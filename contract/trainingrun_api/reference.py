"""The reference page of the documentation, from the same schemas that the API server enforces."""

import re
from collections.abc import Iterator
from typing import Any

from .names import API_VERSION

TOLD_DEFAULT = re.compile(r" Default: (?:the project's, else )?(\S+)\.$")
"""End of the description of a setting that a project can set."""

BOUNDS = (
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("maxItems", "at most {} items"),
    ("pattern", "matches `{}`"),
)


def reference_page(definitions: dict[str, dict[str, Any]]) -> str:
    """One Markdown page with a table for each resource."""
    lines = [
        "# Reference",
        "",
        "Made from the contract by `make generate`; the API server enforces the same bounds.",
        "",
    ]
    for definition in definitions.values():
        kind = definition["spec"]["names"]["kind"]
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        lines += [f"## {kind}", "", f"`apiVersion: {API_VERSION}`. {schema['description']}", ""]
        for part in ("spec", "status"):
            if part in schema["properties"]:
                lines += list(_table(part, schema["properties"][part]))
    return "\n".join(lines)


def _table(part: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {part}"
    yield ""
    yield "| Field | Type | Default | Bounds | Meaning |"
    yield "| --- | --- | --- | --- | --- |"
    yield from _rows(part, schema)
    yield ""
    for rule in schema.get("x-kubernetes-validations", []):
        if "oldSelf" not in rule["rule"]:
            yield f"- {rule['message']}"
    yield ""


def _rows(path: str, schema: dict[str, Any]) -> Iterator[str]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        yield _row(f"{path}.{name}", field, name in required)
        inner = field.get("items", field)
        yield from _rows(f"{path}.{name}" + ("[]" if inner is not field else ""), inner)


def _row(path: str, field: dict[str, Any], required: bool) -> str:
    kind = "quantity" if field.get("x-kubernetes-int-or-string") else field["type"]
    default = "required" if required else _code(_default(field))
    bounds = [text.format(field[key]) for key, text in BOUNDS if key in field]
    if kind == "number":
        bounds += [rule["message"] for rule in field.get("x-kubernetes-validations", ())]
    if "enum" in field:
        bounds.append("one of " + ", ".join(field["enum"]))
    meaning = TOLD_DEFAULT.sub("", field.get("description", "")).replace("\n", " ")
    cells = (f"`{path}`", kind, default, "; ".join(bounds).replace("|", "\\|"), meaning)
    return "| " + " | ".join(cells) + " |"


def _default(field: dict[str, Any]) -> object:
    """What the server fills in, or what is told of a setting that a project can set."""
    told = TOLD_DEFAULT.search(field.get("description", ""))
    return told[1] if told else field.get("default")


def _code(default: object) -> str:
    if default is None or default in ({}, []):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
