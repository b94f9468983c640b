# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The observation of one host, put together: what it is and what its server says, whatever state they are in."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ...host import account, freshness, network, programs, systemd
from ...host.module import Instance
from ...host.run import Runner
from ...values import history, observation, text
from ..table import POSTGRESQL
from . import asking, credentials, damage, database, segments, server_info, views, wal_held
from . import observe as looked


def observe(
    instance: Instance,
    run: Runner,
    *,
    peers: list[dict[str, t.Any]],
    directories: list[str],
    replication: dict[str, t.Any],
    virtual_ip: dict[str, str],
    view_databases: list[str],
    sizes: bool,
) -> observation.Observation:
    """Collect everything; what cannot be read is None. What other hosts are asked takes longest to learn."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        probing = pool.submit(network.probes, peers)
        interlock = programs.observe(programs.INTERLOCK, instance.service)
        asks = pool.submit(asking.answers, run, interlock, probing)
        address = pool.submit(network.virtual_ip, run, **virtual_ip)
        found = _collect(instance, run, probing, directories, replication, view_databases, sizes)
        found["asks"], found["virtual_ip"] = asks.result(), address.result()
        return found


def _collect(
    instance: Instance,
    run: Runner,
    probing: concurrent.futures.Future[dict[str, observation.Probe]],
    directories: list[str],
    replication: dict[str, t.Any],
    view_databases: list[str],
    sizes: bool,
) -> observation.Observation:
    process = looked.process(instance, database.postmaster(instance))
    server, error, damaged = server_info.gather(instance, sizes, process["running"])
    control, histories = looked.neutral_control(looked.control(instance, run)), looked.histories(instance)
    if server and server["timeline"] is None and server["have_lsn"]:
        known = max(server["checkpoint_timeline"], (control["min_recovery_timeline"] or 0) if control else 0)
        size, lsn = server["settings"]["wal_segment_bytes"], server["have_lsn"]
        server["timeline"] = history.at(
            histories, known, lsn, lambda timeline: looked.has_segment(instance, timeline, lsn, size)
        )
    witness, unbelievable = segments.remembered()
    (told, slot), probes = looked.settings_on_disk(instance), probing.result()
    directory, service = looked.data_directory(instance, sizes), systemd.unit(run, instance.service)
    mute = directory["marked_standby"] and server is None
    return {
        "reachable": True,
        "clock": freshness.clock(),
        "engine": POSTGRESQL.key,
        "endpoint": {"address": instance.address, "port": instance.port},
        "machine": network.machine(run),
        "user": account.user(instance),
        "blocks": looked.blocks(instance, server["settings"]["access_file"] if server else None),
        "ssh": account.ssh(instance),
        "binaries": looked.binaries(instance, run),
        "data_directory": directory,
        "control": control,
        "histories": histories,
        "wal_age_seconds": looked.wal_age(instance, control),
        "process": process,
        "service": service,
        "run_by": systemd.of_process(run, process["pid"]),
        "follows": looked.follows(told),
        "follows_slot": slot,
        "credentials": credentials.observe(instance, replication, server, told, list(probes.values())),
        "configuration": looked.configuration(instance, run, server is not None),
        "snapshot": looked.snapshot(instance, run),
        "programs": programs.observe_all(run, instance.service),
        "views": views.observe(instance, run, server, view_databases),
        "listening": network.listening(instance.port),
        "probes": probes,
        "asks": {},
        "virtual_ip": None,
        "witness": witness,
        "witness_damage": unbelievable,
        "directories": [looked.tablespace_directory(text.raw(path)) for path in directories],
        "server": server,
        "server_error": error,
        "server_damage": damaged or (damage.in_log(instance, run) if mute and service["active"] == "failed" else None),
        "wal_end": _wal_end(instance, run, control, histories) if mute else None,
    }


def _wal_end(
    instance: Instance, run: Runner, control: observation.Control | None, histories: dict[str, list[list[t.Any]]]
) -> str | None:
    """Return up to where a standby without a session has WAL; its data says that it is one, whatever its mark says."""
    return wal_held.end(instance, run, control, histories) if control and control["as_master"] is False else None
