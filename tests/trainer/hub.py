"""A Hugging Face hub on loopback: the API that its client needs, over folders."""

import hashlib
import json
import re
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_right"  # a test's own

API = re.compile(
    r"/api/(?P<repository>(models|datasets)/[^/]+/[^/]+)"
    r"(/(?P<verb>revision|tree|paths-info)/(?P<revision>[^/]+)(/.*)?)?"
)
RESOLVE = re.compile(r"/(?P<repository>(datasets/)?[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")


class Hub:
    """Repositories by id, with datasets/ before that of a data set; `private` ones want the token, `gated`
    ones their owner's consent."""

    def __init__(self, handler: "type[_Handler] | None" = None) -> None:
        self.folders: dict[str, Path] = {}
        self.private: set[str] = set()
        self.gated: set[str] = set()
        self.asked: list[str] = []
        self.downloaded: list[str] = []
        """Names of files."""
        self.failures = 0
        """Requests still to be answered with 503."""
        hub = self

        class Handler(handler or _Handler):  # type: ignore[misc]
            served = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def commit(self, repository: str) -> str:
        return hashlib.sha1(repository.encode()).hexdigest()

    def __enter__(self) -> "Hub":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._serve(body=True, paths=form.get("paths", []))

    def _serve(self, *, body: bool, paths: Sequence[str] = ()) -> None:
        path = unquote(urlsplit(self.path).path)
        self.served.asked.append(path)
        if self.served.failures:
            self.served.failures -= 1
            return self._answer(503, body=body)
        asked = API.fullmatch(path) or RESOLVE.fullmatch(path)
        if asked is None:
            return self._answer(404, body=body)
        parts = asked.groupdict(default="")
        repository, revision = parts["repository"].removeprefix("models/"), parts["revision"] or "main"
        folder = self._folder(repository, revision, parts.get("name", ""), body=body)
        if folder is None:
            return None
        match parts.get("verb", "resolve"):
            case "resolve":
                return self._file(folder, repository, parts["name"], body=body)
            case "tree" | "paths-info":
                found = [folder / name for name in paths] or folder.rglob("*")
                content = json.dumps([_entry(folder, path) for path in found if path.exists()])
            case _:
                names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
                siblings = [{"rfilename": found} for found in names]
                sha = self.served.commit(repository)
                content = json.dumps({"id": repository, "sha": sha, "siblings": siblings})
        return self._answer(200, content=content.encode(), body=body)

    def _folder(self, repository: str, revision: str, name: str, *, body: bool) -> Path | None:
        """The folder of a repository that may be read; None where that was answered with an error."""
        hub, folder = self.served, self.served.folders.get(repository)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if folder is None or (repository in hub.private and not known):
            self._answer(401 if not known else 404, {"X-Error-Code": "RepoNotFound"}, body=body)
        elif repository in hub.gated and name:
            self._answer(403, {"X-Error-Code": "GatedRepo"}, body=body)
        elif revision not in {"main", hub.commit(repository)}:
            self._answer(404, {"X-Error-Code": "RevisionNotFound"}, body=body)
        else:
            return folder
        return None

    def _file(self, folder: Path, repository: str, name: str, *, body: bool) -> None:
        if not (folder / name).is_file():
            return self._answer(404, {"X-Error-Code": "EntryNotFound"}, body=body)
        content = (folder / name).read_bytes()
        if body:
            self.served.downloaded.append(name)
        commit = self.served.commit(repository)
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": commit}
        return self._answer(200, headers, content, body=body)

    def _answer(
        self, status: int, headers: dict[str, str] | None = None, content: bytes = b"", *, body: bool
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)


def _entry(folder: Path, path: Path) -> dict[str, object]:
    """A file or folder, as the hub lists it."""
    name, digest = path.relative_to(folder).as_posix(), hashlib.sha1(str(path).encode()).hexdigest()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": digest, "size": 0}
    return {"type": "file", "path": name, "oid": digest, "size": path.stat().st_size}
