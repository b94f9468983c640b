# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The observation of one host, put together: what it is and what its server says, whatever state they are in."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ...host import account, clearing, freshness, listening, network, programs, rivals, systemd, witnessing
from ...host.module import Instance
from ...host.run import Runner
from ...values import history, observation, text
from ..table import POSTGRESQL
from . import (
    asking,
    credentials,
    damage,
    database,
    elsewhere,
    locating,
    named_files,
    offers,
    segments,
    server_info,
    slot_files,
    spaces,
    views,
    wal_held,
)
from . import observe as looked


def observe(
    instance: Instance,
    run: Runner,
    *,
    peers: list[dict[str, t.Any]],
    directories: list[str],
    libraries: list[str],
    replication: dict[str, t.Any],
    virtual_ip: dict[str, str],
    view_databases: list[str],
    sizes: bool,
    version: int = 0,
) -> observation.Observation:
    """Collect everything; what cannot be read is None. What other hosts are asked takes longest to learn."""
    at = locating.locate(instance, run, version)
    instance = dataclasses.replace(instance, bin_directory=at.directory)
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        probing = pool.submit(network.probes, peers)
        interlock = programs.observe(programs.INTERLOCK, instance.service)
        asks = pool.submit(asking.answers, run, interlock, probing)
        address = pool.submit(network.virtual_ip, run, **virtual_ip)
        found = _collect(instance, run, at, probing, directories, libraries, replication, view_databases, sizes)
        found["asks"], found["virtual_ip"] = asks.result(), address.result()
        return found


def _collect(
    instance: Instance,
    run: Runner,
    at: locating.Located,
    probing: concurrent.futures.Future[dict[str, observation.Probe]],
    directories: list[str],
    libraries: list[str],
    replication: dict[str, t.Any],
    view_databases: list[str],
    sizes: bool,
) -> observation.Observation:
    process = looked.process(instance, database.postmaster(instance))
    server, error, damaged = server_info.gather(instance, sizes, process["running"])
    major, histories = database.major(instance.data_directory), looked.histories(instance)
    control = looked.neutral_control(looked.control(instance, run), major)
    if server and server["timeline"] is None and server["have_lsn"]:
        known = max(server["checkpoint_timeline"], (control["min_recovery_timeline"] or 0) if control else 0)
        size, lsn = server["settings"]["wal_segment_bytes"], server["have_lsn"]
        server["timeline"] = history.at(
            histories, known, lsn, lambda timeline: looked.has_segment(instance, timeline, lsn, size)
        )
    witness, unbelievable = segments.remembered()
    (told, slot), probes = looked.settings_on_disk(instance), probing.result()
    directory, service = looked.data_directory(instance, sizes), systemd.unit(run, instance.service)
    trial = directory["state"] != "data"  # one that has a server's data has had a server
    offered = offers.observe(instance, run, libraries, process, session=server is not None, trial=trial)
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
        "binaries": looked.binaries(instance, run, at),
        "data_directory": directory,
        "control": control,
        "histories": histories,
        "wal_age_seconds": looked.wal_age(instance, control),
        "process": process,
        "service": service,
        "run_by": systemd.of_process(run, process["pid"]),
        "rivals": rivals.of(run, instance.service, instance.data_directory, instance.config_directory),
        "elsewhere": elsewhere.observe(instance, run, process),
        "follows": looked.follows(told),
        "follows_slot": slot,
        "credentials": credentials.observe(instance, replication, server, told, list(probes.values())),
        "configuration": looked.configuration(instance, run, server is not None),
        "snapshot": looked.snapshot(instance, run),
        "programs": programs.observe_all(run, instance.service),
        "earlier": clearing.earlier(instance.service),
        "views": views.observe(instance, run, server, view_databases),
        "listening": network.listening(instance.port),
        "bound": listening.bound(instance.port),
        "probes": probes,
        "asks": {},
        "virtual_ip": None,
        "witness": witness,
        "witness_damage": unbelievable,
        "ledger": witnessing.record(run, instance.service),
        "guard": witnessing.guard(run, instance.service),
        "named": named_files.missing(instance, server["settings"]["access_file"] if server else None),
        "offers": offered,
        "trial": None,
        "directories": [spaces.directory(text.raw(path), instance.data_directory) for path in directories],
        "tablespaces": spaces.observe(
            instance, run, control, histories, directory["marked_standby"] and not process["running"]
        ),
        "slot_files": [] if server else slot_files.read(instance),
        "server": server,
        "server_error": error,
        "server_damage": damaged or (damage.in_log(instance, run) if mute and service["active"] == "failed" else None),
        "wal_end": _wal_end(instance, run, control, histories, directory["fenced"]) if mute else None,
    }


def _wal_end(
    instance: Instance,
    run: Runner,
    control: observation.Control | None,
    histories: dict[str, list[list[t.Any]]],
    fenced: bool,
) -> str | None:
    """Return up to where a standby without a session has WAL, or a master that was fenced.

    The data itself says which of them it is, since both have the mark of a standby.
    """
    known = control is not None and (control["as_master"] is False or fenced)
    return wal_held.end(instance, run, control, histories) if control and known else None
