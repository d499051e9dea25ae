"""The body of a server-side apply, which the API server reads as YAML."""

import json
import re
from collections.abc import Mapping
from typing import Any

# The parameter changes nothing for the API server; without it, kubernetes.aio would write the body anew.
CONTENT_TYPE = "application/apply-patch+yaml; charset=utf-8"
BEYOND_ASCII = re.compile("[\x7f-\uffff]")


def apply_patch(manifest: Mapping[str, Any]) -> str:
    """The manifest as JSON that is YAML too: emoji as they are.

    JSON's escape for these, of two surrogates, is no YAML, and neither are some other characters unescaped.
    """
    return BEYOND_ASCII.sub(_escaped, json.dumps(manifest, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    lone_surrogate = "\ud800" <= found[0] <= "\udfff"
    return "\\ufffd" if lone_surrogate else f"\\u{ord(found[0]):04x}"
