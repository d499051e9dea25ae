"""A hub that models are pushed to: repositories, large files and commits, as its client wants them."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from .hub import TOKEN, Hub, _Handler

READER = "hf_reader"  # a token that may not write

LARGE = (".safetensors", ".onnx")
"""What the hub keeps in its store of large files."""

ROUTES = {
    "create": re.compile(r"/api/repos/create"),
    "check": re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)/auth-check/write"),
    "info": re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)"),
    "validate": re.compile(r"/api/validate-yaml"),
    "preupload": re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)/preupload/main"),
    "batch": re.compile(r"/(?P<repository>[^/]+/[^/]+)\.git/info/lfs/objects/batch"),
    "large": re.compile(r"/large/(?P<oid>[0-9a-f]{64})"),
    "commit": re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)/commit/main"),
}


class WritableHub(Hub):
    """Whoever has the TOKEN may create repositories and write to them."""

    def __init__(self, root: Path) -> None:
        super().__init__(_WritingHandler)
        self.root = root
        self.large: dict[str, bytes] = {}
        self.commits: dict[str, list[str]] = {}
        """What was said of each, by repository."""
        self.refused: set[str] = set()
        """Routes that are answered with 403."""
        self.failing: dict[str, int] = {}
        """Requests by route, still to be answered with 503."""
        self.knows_the_check = True

    def create(self, repository: str, *, private: bool) -> Path:
        folder = self.root / repository
        folder.mkdir(parents=True)
        (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")
        self.folders[repository] = folder
        self.commits[repository] = []
        if private:
            self.private.add(repository)
        return folder

    def commit(self, repository: str) -> str:
        count = len(self.commits.get(repository, ()))
        return hashlib.sha1(f"{repository} {count}".encode()).hexdigest()


class _WritingHandler(_Handler):
    served: WritableHub

    def do_PUT(self) -> None:  # noqa: N802 - http.server's name
        self._route(self.rfile.read(int(self.headers["Content-Length"])))

    def do_POST(self) -> None:  # noqa: N802
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._route(content):
            self._serve(body=True)

    def do_GET(self) -> None:  # noqa: N802
        if not self._route(b""):
            super().do_GET()

    def _route(self, content: bytes) -> bool:
        path = self.path.partition("?")[0]
        for name, pattern in ROUTES.items():
            if found := pattern.fullmatch(path):
                self.served.asked.append(path)
                self._respond(name, found.groupdict(), content)
                return True
        return False

    def _respond(self, route: str, parts: dict[str, str], content: bytes) -> None:
        hub = self.served
        if hub.failing.get(route):
            hub.failing[route] -= 1
            return self._answer(503, body=True)
        writer = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if route in hub.refused or not (writer or route in {"info", "validate", "large"}):
            return self._answer(403, body=True)
        status, answer = getattr(self, f"_{route}")(content, **parts)
        headers = {"X-Error-Code": "RepoNotFound"} if route == "info" and status == 404 else {}
        return self._answer(status, headers, json.dumps(answer).encode(), body=True)

    def _create(self, content: bytes) -> tuple[int, Any]:
        asked = json.loads(content)
        repository = f"{asked['organization']}/{asked['name']}"
        there = repository in self.served.folders
        if not there:
            private = asked.get("private") is True or asked.get("visibility") == "private"
            self.served.create(repository, private=private)
        return 409 if there else 200, {"url": f"{self.served.endpoint}/{repository}"}

    def _check(self, _: bytes, repository: str) -> tuple[int, Any]:
        return 200 if self.served.knows_the_check and repository in self.served.folders else 404, {}

    def _info(self, _: bytes, repository: str) -> tuple[int, Any]:
        hub = self.served
        if repository not in hub.folders:
            return 404, {}
        private = repository in hub.private
        return 200, {"id": repository, "sha": hub.commit(repository), "private": private, "siblings": []}

    def _validate(self, content: bytes) -> tuple[int, Any]:
        yaml.safe_load(json.loads(content)["content"].split("---")[1])
        return 200, {"errors": [], "warnings": []}

    def _preupload(self, content: bytes, repository: str) -> tuple[int, Any]:
        files = []
        for asked in json.loads(content)["files"]:
            large = asked["path"].endswith(LARGE)
            there = self.served.folders[repository] / asked["path"]
            oid = _oid(there.read_bytes(), large=large) if there.is_file() else None
            mode = "lfs" if large else "regular"
            files.append({"path": asked["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return 200, {"files": files}

    def _batch(self, content: bytes, repository: str) -> tuple[int, Any]:
        objects = json.loads(content)["objects"]
        for one in objects:
            if one["oid"] not in self.served.large:
                one["actions"] = {"upload": {"href": f"{self.served.endpoint}/large/{one['oid']}"}}
        return 200, {"transfer": "basic", "objects": objects}

    def _large(self, content: bytes, oid: str) -> tuple[int, Any]:
        if hashlib.sha256(content).hexdigest() != oid:
            return 400, {}
        self.served.large[oid] = content
        return 200, {}

    def _commit(self, content: bytes, repository: str) -> tuple[int, Any]:
        hub, folder, said = self.served, self.served.folders[repository], ""
        for line in map(json.loads, content.splitlines()):
            value = line["value"]
            match line["key"]:
                case "header":
                    said = value["summary"]
                case "file":
                    _write(folder / value["path"], base64.b64decode(value["content"]))
                case "lfsFile":
                    _write(folder / value["path"], hub.large[value["oid"]])
                case "deletedFile":
                    (folder / value["path"]).unlink()
        hub.commits[repository].append(said)
        oid = hub.commit(repository)
        return 200, {"commitUrl": f"{hub.endpoint}/{repository}/commit/{oid}", "commitOid": oid}


def _oid(content: bytes, *, large: bool) -> str:
    if large:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
