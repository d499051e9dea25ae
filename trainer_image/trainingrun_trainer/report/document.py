"""One HTML file from templates, style and script: it runs its own script alone, and loads nothing."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def document(template: str, styles: tuple[str, ...], scripts: tuple[str, ...], **values: Any) -> str:
    """The page of `template`, with style sheets and scripts by name, each in the order they build on.

    Its Content-Security-Policy allows exactly these, by their hashes.
    """
    style, script = _joined("style", styles, "css"), _joined("script", scripts, "js")
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - files of this package
            script=Markup(script),  # noqa: S704
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What `tojson` writes may stand in a script element: <, >, & and ' are escaped.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}"
    return environment


@cache
def _joined(folder: str, names: tuple[str, ...], suffix: str) -> str:
    place = files(__package__) / folder
    return "".join(f"\n{(place / f'{name}.{suffix}').read_text(encoding='utf-8')}" for name in names)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
