# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the other master hosts would answer what the interlock here asks them before a start as a master.

It is asked as the interlock asks it (``roles/server/files/hawq-mirroring-interlock``), by the same user with the same
programs. Source: PostgreSQL manual, "Streaming Replication Protocol" (IDENTIFY_SYSTEM).
"""

from __future__ import annotations

import concurrent.futures
import typing as t

from ...host import network, peer_login
from ...host.run import Runner
from ...values import conninfo, observation

#: a host that is well has answered a probe by then; of any other ssh would try one address after the other
SOON_SECONDS, REST_SECONDS = 0.3, 1.7


def answers(
    run: Runner, installed: dict[str, t.Any], probing: concurrent.futures.Future[dict[str, observation.Probe]]
) -> dict[str, observation.Ask]:
    """Return the answers by the peer's name, all asked at the same time; none without an interlock."""
    settings = installed["settings"] if installed["program"] and isinstance(installed["settings"], dict) else {}
    peers = [peer for peer in settings.get("peers") or [] if {"name", "address", "port", "unit"} <= set(peer)]
    if not peers:
        return {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * len(peers)) as pool:
        hosts = [pool.submit(of_host, run, peer, probing) for peer in peers]
        servers = [pool.submit(of_server, run, settings, peer, probing) for peer in peers]
        return {
            peer["name"]: {"server": server.result(), "host": host.result()}
            for peer, server, host in zip(peers, servers, hosts)
        }


def of_server(
    run: Runner,
    settings: dict[str, t.Any],
    peer: dict[str, t.Any],
    probing: concurrent.futures.Future[dict[str, observation.Probe]],
) -> str | None:
    """Return "accepted", or what the peer's server answers to the login; None where its port is closed."""
    place = (peer["address"], peer["port"])
    seen = [probe for probe in probing.result().values() if (probe["address"], probe["port"]) == place]
    probe = seen[0] if seen else network.probe(*place)
    if not probe["open"]:
        return None
    if not probe["answers"]:
        return network.NO_ANSWER.format(peer["port"])
    told = {
        "host": peer["address"],
        "port": peer["port"],
        "user": settings.get("role", ""),
        "passfile": settings.get("passfile", ""),
        "sslmode": settings.get("sslmode", "prefer"),
        "replication": "true",
        "dbname": "replication",
        "connect_timeout": peer_login.CONNECT_SECONDS,
        **conninfo.ASKING,
    }
    command = [f"{settings.get('bin_directory')}/psql", "--no-psqlrc", "--no-password", "-At"]
    code, _output, errors = run(
        [*command, "-c", "IDENTIFY_SYSTEM", conninfo.render(told)], timeout=peer_login.ALL_SECONDS
    )
    return "accepted" if code == 0 else peer_login.reason(code, " ".join(errors.split()).removeprefix("psql: error: "))


def of_host(
    run: Runner, peer: dict[str, t.Any], probing: concurrent.futures.Future[dict[str, observation.Probe]]
) -> str:
    """Return "answered", or why the peer's host does not answer by SSH."""
    address, port = peer["address"], peer.get("ssh_port") or 22
    if not concurrent.futures.wait([probing], SOON_SECONDS).done:
        probe = network.probe(address, port, REST_SECONDS, b"")
        if not probe["answers"]:
            return network.NO_ANSWER.format(port) if probe["open"] else f"port {port}: {probe['error']}"
    return peer_login.ask(run, address, port, peer["unit"])
