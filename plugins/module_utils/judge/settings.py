# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which settings the master must change to feed a standby, and a standby to replay on. Pure.

Sources: PostgreSQL manual, "Replication" (server configuration), "pg_rewind" (checksums or wal_log_hints), "Hot
Standby" (settings that must not be below the primary's).
"""

from __future__ import annotations

import hashlib
import typing as t

from ..engines import table
from ..values.command import again
from ..values.observation import Observation
from ..values.text import MEBIBYTE, size
from . import checks, slots, topology
from .refusal import Refusal

#: senders and slots to leave room for when the number has to be raised anyway
HEADROOM = 10


def wanted(
    source: Observation, slot: str, snapshot: bool, keep_megabytes: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings that a reload applies and those that only a restart applies."""
    engine, server = table.of(source), source["server"]
    now, names, values = server["settings"], engine.words.settings, engine.words.values
    reload, restart = {}, {}
    megabytes = slots.wal_limit(source, keep_megabytes)
    if engine.limits_kept_wal and now["kept_wal_limit_bytes"] is None and megabytes is not None:
        reload[names["kept wal"]] = values["kept wal"].format(megabytes=megabytes)
    if not now["wal_for_standby"]:
        restart[names["wal for a standby"]] = values["wal for a standby"]
    if engine.rewinds and not now["can_rewind"]:
        restart[names["hints for a rewind"]] = values["hints for a rewind"]
    if checks.listens_locally(now["listens"]):
        restart[names["addresses"]] = values["addresses"]
    busy = [row for row in server["senders"] if not row["name"].startswith("hawq_mirroring")]
    own = topology.sender_of(source, slot)
    busy = [row for row in busy if not own or row["pid"] != own["pid"]]
    senders = engine.snapshot_senders if snapshot else 1
    if now["senders_limit"] < len(busy) + senders:
        restart[names["senders"]] = str(len(busy) + HEADROOM)
    others = [row for row in server["slots"] if row["name"] != slot]
    if engine.keeps_wal_for_standby and (now["slots_limit"] or 0) < len(others) + 1:
        restart[names["slots"]] = str(len(others) + HEADROOM)
    return reload, restart


def restart_refusals(master: str, source: Observation, restart: dict[str, str], allowed: bool) -> list[Refusal]:
    """A restart interrupts the master's users: never without being told."""
    if not restart or allowed:
        return []
    now, words = source["server"]["settings"]["by_restart"], table.of(source).words
    changes = ", ".join(f"{name} = {value} (now {now.get(name) or 'empty'})" for name, value in sorted(restart.items()))
    typed = table.typed(
        source, (words.set_setting.format(name=name, value=value) for name, value in sorted(restart.items()))
    )
    return [
        Refusal(
            "restart-needed",
            f"the master on {master} needs {changes}",
            "only a restart of the master applies that",
            f"Let it restart once: {again(master_restart_allowed=True)}. Or do it yourself when it suits: on"
            f" {master}: {typed}. Then there: systemctl restart"
            f" {source['service']['unit']}",
        )
    ]


def retention_refusals(master: str, source: Observation, reload: dict[str, str], keep_megabytes: int) -> list[Refusal]:
    """WAL kept for an absent standby must not be able to fill the master's disk."""
    free = source["data_directory"]["wal_free_bytes"]
    if table.of(source).words.settings["kept wal"] not in reload or keep_megabytes * MEBIBYTE < free:
        return []
    return [
        Refusal(
            "wal-disk-too-small",
            f"{master} has {size(free)} free for WAL, master_wal_keep_megabytes is {keep_megabytes}",
            "an absent standby could fill the master's disk",
            f"Set master_wal_keep_megabytes to less than {free // MEBIBYTE}, or make room",
        )
    ]


def standby_overrides(
    source: Observation, port: int, master_addresses: list[str], standby_address: str, archive: str = ""
) -> dict[str, str | None]:
    """Return what the standby must set for itself: port, addresses, and what would end its recovery or mislead it.

    The last also where the master has nothing of that: a former master's own configuration may.
    """
    now, names = source["server"]["settings"], table.of(source).words.settings
    # a point-in-time recovery that was left in the configuration would promote the standby as soon as it starts
    overrides: dict[str, str | None] = {**now["harmful"], **now.get("harmless", {})}
    if archive:
        overrides[names["wal from an archive"]] = archive
    if now["port"] != port:
        overrides[names["port"]] = str(port)
    own = [word for word in now["listens"] if word in master_addresses]
    if own:
        overrides[names["addresses"]] = ",".join(
            dict.fromkeys(standby_address if word in own else word for word in now["listens"])
        )
    return overrides


def recovery_wanted(seen: Observation, *sources: Observation) -> dict[str, str]:
    """Return the settings that a standby's server must be given before it can replay on, or be promoted.

    It may have less of none than its master had when the WAL was written: then replay pauses, and a promotion waits, or
    the server does not start. What that was stands in the standby's own control file once it has come to that WAL. Of a
    master that can be looked at (``sources``) it is known before. A setting is only told when what the standby has
    is known.
    """
    has: dict[str, t.Any] = {**(_has(seen) if topology.kind(seen) != topology.UNREACHABLE else {})}
    needs: dict[str, int] = {}
    for each in (seen, *sources):
        for name, value in _needs(each, of_master=each is not seen).items():
            needs[name] = max(needs.get(name, 0), value)
    return {name: str(value) for name, value in sorted(needs.items()) if name in has and int(has[name]) < value}


def harmful(seen: Observation, archive: str = "") -> dict[str, str]:
    """Return the settings of a standby itself that would end, delay or mislead its recovery, and what they should be.

    One whose replay is delayed asks its master for nothing after a restart before it has replayed what it holds. From
    an archive that the operator has not named (``archive``) it may get the history of somebody else.
    """
    if topology.kind(seen) == topology.UNREACHABLE:
        return {}
    if not seen["server"]:
        return dict(seen["configuration"].get("harmful", {}))
    now, name = seen["server"]["settings"], table.of(seen).words.settings["wal from an archive"]
    digest = hashlib.sha256(archive.encode(errors="surrogateescape")).hexdigest() if archive else None
    found = {each: value for each, value in now["harmful"].items() if each != name}
    return found if now.get("archive") == digest else {**found, name: archive}


def standby_wanted(seen: Observation, archive: str, *sources: Observation) -> dict[str, str]:
    """Return all the settings with which a standby's server follows its master without delay or end."""
    return {**harmful(seen, archive), **recovery_wanted(seen, *sources)}


def archive_of(options: t.Mapping[str, t.Any]) -> str:
    """Return the command that standbys get WAL from an archive by, where the operator has named one."""
    return str(options.get("archive") or "")


def _has(seen: Observation) -> t.Mapping[str, t.Any]:
    server = seen["server"]
    return server["settings"]["at_least"] if server else seen["configuration"]["at_least"]


def _needs(seen: Observation, of_master: bool) -> dict[str, int]:
    if topology.kind(seen) == topology.UNREACHABLE:
        return {}
    control, server = seen["control"], seen["server"]
    if of_master and server:
        return server["settings"]["at_least"]
    return control["at_least"] if control else {}
