"""A Hugging Face hub on loopback: the API that its client needs, over folders."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

TOKEN = "hf_right"  # a test's own


class Hub:
    """Repositories by id; `private` ones want the token, `gated` ones its owner's consent."""

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}
        self.private: set[str] = set()
        self.gated: set[str] = set()
        self.asked: list[str] = []
        self.failures = 0
        """Requests still to be answered with 503."""
        hub = self

        class Handler(_Handler):
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

    def _serve(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.served.asked.append(path)
        if self.served.failures:
            self.served.failures -= 1
            return self._answer(503, body=body)
        if path.startswith("/api/models/"):
            repository, _, revision = path.removeprefix("/api/models/").partition("/revision/")
            return self._repository(repository, revision or "main", "", body=body)
        repository, _, rest = path.removeprefix("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        return self._repository(repository, revision, name, body=body)

    def _repository(self, repository: str, revision: str, name: str, *, body: bool) -> None:
        hub, folder = self.served, self.served.folders.get(repository)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if folder is None or (repository in hub.private and not known):
            return self._answer(401 if not known else 404, {"X-Error-Code": "RepoNotFound"}, body=body)
        if repository in hub.gated and name:
            return self._answer(403, {"X-Error-Code": "GatedRepo"}, body=body)
        if revision not in {"main", hub.commit(repository)}:
            return self._answer(404, {"X-Error-Code": "RevisionNotFound"}, body=body)
        if not name:
            names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
            siblings = [{"rfilename": found} for found in names]
            info = {"id": repository, "sha": hub.commit(repository), "siblings": siblings}
            return self._answer(200, content=json.dumps(info).encode(), body=body)
        if not (folder / name).is_file():
            return self._answer(404, {"X-Error-Code": "EntryNotFound"}, body=body)
        content = (folder / name).read_bytes()
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": hub.commit(repository)}
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
