# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has of the mode in which commits wait for the standby: the record of a witness, and the guard."""

from __future__ import annotations

import json
import os
import typing as t

from ..values import ledger, places
from . import files, ledger_file, programs, systemd
from .run import Runner

if t.TYPE_CHECKING:
    from ..values.observation import Guard, Ledger

#: how the names of files end that a guard is run with
KINDS = (".json", ".py", ".service", "-guard")
MODES = ("asynchronous", "synchronous", "strict")


def record(run: Runner, service: str) -> Ledger | None:
    """Return what this host has on its disk as a witness of that cluster; None where it is none."""
    found = record_at(places.witness_record(service))
    if found is None:
        return None
    shown = systemd.unit(run, places.witness_unit(service))
    return {**found, "stopped": None if shown["active"] == "active" else shown["unit"]}


def record_at(path: str) -> Ledger | None:
    """Return what a record says, or why it cannot be believed. It is the witness's user's: it may be anything."""
    try:
        text = ledger_file.read(path)
    except NotADirectoryError:
        return None
    except OSError as error:
        return {"record": None, "why": f"its record cannot be read ({error.strerror}: {path})", "stopped": None}
    if text is None:
        return None
    found, damage = ledger.parse(text)
    if found is None:
        return {"record": None, "why": f"its record is damaged and not believed ({path}: {damage})", "stopped": None}
    return {"record": json.loads(ledger.render(found)), "why": None, "stopped": None}


def guard(run: Runner, service: str) -> Guard | None:
    """Return what the guard of that cluster is told on this host, and whether it runs; None where there is none."""
    told = told_guard(files.public(places.guard_settings(service)))
    if told is None:
        return None
    shown = systemd.unit(run, places.guard_unit(service))
    return {
        "mode": told["mode"],
        "degrade_after": told["degrade_after"],
        "count": told["count"],
        "witnesses": told["witnesses"],
        "active": shown["active"] == "active",
        "unit": shown["unit"],
        "says": shown["says"] or "",
        "enabled": shown["enabled"] == "enabled" and not shown["stale"],
        "files": _files(service),
    }


def _files(service: str) -> dict[str, str]:
    """Return the digests of what a guard is run with: those that are root's own files."""
    library = (os.path.join(place, name) for place, _ignored, names in os.walk(places.LIBRARY) for name in names)
    name = programs.GUARD
    own = (programs.settings_path(name, service), programs.path(name), programs.unit_path(name, service))
    found = {path: programs.digest(files.public(path)) for path in (*own, *library) if path.endswith(KINDS)}
    return {path: digest for path, digest in found.items() if digest}


def told_guard(text: str | None) -> t.Any:
    """Return what root has told a guard; None where that is nothing that a guard could work by."""
    try:
        found = json.loads(text or "null")
        names = found["witnesses"]
        if found["mode"] not in MODES or not isinstance(names, list):
            return None
        return {
            "mode": found["mode"],
            "degrade_after": float(found["degrade_after"]),
            "count": int(found.get("count", 1)),
            "witnesses": [str(name) for name in names],
        }
    except (ValueError, TypeError, KeyError):
        return None
