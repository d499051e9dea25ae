"""The node's first process: it starts all others in order, and starts again what ends.

It is process 1 of its own process namespace, so its end, even a violent one, ends every process and
container of the node; with them go the mount and network namespaces and all mounts, links and rules in them.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from localcluster import api_server, image_store, mounts, names, node
from localcluster.layout import S3_PORT, Layout
from localcluster.process import Command, Process, execute, wait_until
from localcluster.s3 import s3_server

RESTART_SECONDS = 1.0
ANY_CHILD = -1
ANYWHERE = "0.0.0.0"  # noqa: S104 - of the node's own network


def main() -> NoReturn:
    """Run the node whose state folder is the argument, until killed."""
    layout = Layout.load(Path(sys.argv[1]))
    if layout is None:
        raise SystemExit("there is no cluster in this folder")
    write_record(layout)
    mounts.mount_node(layout)
    set_up_network(layout)
    images, _lock = image_store.claim()
    supervise([start(layout, command) for command in commands(layout, images)])


def write_record(layout: Layout) -> None:
    """Say who we are on the host; /proc is still the host's here."""
    pid = int(Path("/proc/self").readlink().name)
    unfinished = layout.supervisor_record.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"pid": pid, "start_time": start_time(pid)}))
    unfinished.rename(layout.supervisor_record)


def start_time(pid: int) -> int | None:
    """When the process began, in ticks since boot, which tells a reused pid apart; None without a process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def set_up_network(layout: Layout) -> None:
    """Bring up our end of the link, which the host moves in here."""
    _, link = names.link_names(layout.name)
    wait_until(Path("/proc/sys/net/ipv4/conf", link).exists, "the link to the host")
    addresses = layout.addresses
    execute("ip", "link", "set", "lo", "up")
    execute("ip", "address", "add", f"{addresses.node}/30", "dev", link)
    execute("ip", "link", "set", link, "up")
    execute("ip", "route", "add", "default", "via", str(addresses.host))
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def commands(layout: Layout, images: Path) -> list[Command]:
    """All programs of the node in the order of their start."""
    credentials, ports = api_server.Credentials(layout.pki), api_server.Ports()
    host, services = str(layout.addresses.node), str(layout.addresses.networks[2])
    addresses = api_server.ApiAddresses(ANYWHERE, host, services, reconcile_endpoints=True)
    s3_data = layout.data / "s3"
    s3_data.mkdir(exist_ok=True)
    return [
        node.containerd(layout, images),
        api_server.etcd(layout.data / "etcd", ports),
        s3_server(s3_data, "", S3_PORT, layout.s3),
        node.registry(layout),
        api_server.api_server(credentials, ports, addresses),
        api_server.controller_manager(credentials),
        api_server.scheduler(credentials),
        node.kubelet(layout),
        node.kube_proxy(layout),
        node.coredns(layout),
    ]


def start(layout: Layout, command: Command) -> Process:
    """Start one program and wait until it serves."""
    process = Process(command, layout.logs).wait_ready()
    print(f"{process.command.name} serves", flush=True)
    return process


def supervise(processes: list[Process]) -> NoReturn:
    """Wait for ends: ours are started again, orphans of containers are only reaped."""
    running = {process.pid: process for process in processes}
    while True:
        pid, status = os.waitpid(ANY_CHILD, 0)
        ended = running.pop(pid, None)
        if ended is None:
            continue
        print(
            f"{ended.command.name} ended with {os.waitstatus_to_exitcode(status)}; starting it again",
            flush=True,
        )
        time.sleep(RESTART_SECONDS)
        again = Process(ended.command, ended.log.parent)
        running[again.pid] = again


if __name__ == "__main__":
    main()
