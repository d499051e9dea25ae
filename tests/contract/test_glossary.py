"""The glossary's words are the only ones."""

import ast
import re
import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs/glossary.md"
SOURCES = ("*.py", "*.md", "*.j2", "*.js", "*.yaml", "*.toml")
# As it was stored then, in the words of then.
STORED = ":!tests/controller/first_version"


def test_no_retired_word_is_left() -> None:
    rows = [line.split("|") for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    retired = [word for row in rows for word in re.findall(r"`([^`]+)`", row[3])]
    assert len(retired) > 10
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, retired))})\b")
    listed = subprocess.run(
        ["git", "ls-files", *SOURCES, STORED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.splitlines()]
    found = {
        f"{path.relative_to(ROOT)}: {word}"
        for path in files
        if path.is_file() and path != GLOSSARY
        for word in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert not found


def test_a_class_name_stands_for_one_thing() -> None:
    folders = ("contract", "operator", "cli", "trainer_image", "tools")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    names = [
        node.name
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert len(names) > 200
    assert [name for name, count in Counter(names).items() if count > 1] == []
