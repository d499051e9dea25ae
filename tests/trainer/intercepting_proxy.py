"""A company's proxy: the only way out, which opens TLS connections with certificates of its own authority."""

import datetime
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from trainingrun_operator.certificate import Certificates, renewed


@dataclass(frozen=True)
class Proxy:
    """Its URL, and the hosts that it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def intercepting_proxy(upstreams: Mapping[str, str], authorities: Path) -> Iterator[Proxy]:
    """Serves each host name from an HTTP server, `host:port`; writes what clients have to trust."""
    certificates = {host: renewed(None, host, datetime.datetime.now(datetime.UTC)) for host in upstreams}
    authorities.write_text("".join(one.authority.certificate for one in certificates.values()))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel) as server:
        server.daemon_threads = True
        proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        server.upstreams, server.certificates, server.asked = upstreams, certificates, proxy.asked
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield proxy
        server.shutdown()


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        host = self._wanted()
        self.server.asked.append(host)
        if host not in self.server.upstreams:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        name, _, port = self.server.upstreams[host].rpartition(":")
        context = _context(self.server.certificates[host])
        try:
            with (
                context.wrap_socket(self.request, server_side=True) as client,
                socket.create_connection((name, int(port))) as upstream,
            ):
                back = threading.Thread(target=_pass_on, args=(upstream, client), daemon=True)
                back.start()
                _pass_on(client, upstream)
                back.join(10)
        except OSError:  # a client that doesn't trust us
            return

    def _wanted(self) -> str:
        target = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        return target.rpartition(":")[0]


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.load_into(context)
    return context


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
