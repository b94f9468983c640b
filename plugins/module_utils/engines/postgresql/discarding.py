# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deleting the data of a removed standby, and nothing else."""

from __future__ import annotations

import os
import re
import typing as t

from ...host import fence_record, removed_mark, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import places, text
from . import database, observe, stopping


def refuse(instance: Instance, run: Runner, act: bool, wanted: str) -> None:
    """Raise unless this is a marked and stopped copy of the system; before a check's run it is neither yet."""
    place = instance.data_directory
    if os.path.islink(place) or os.path.ismount(place):
        raise MirroringError(f"{place} is a mount point or a link, and is not deleted: delete its files yourself")
    found = (observe.control(instance, run) or {}).get("system_identifier")
    if found != wanted:
        raise MirroringError(
            f"{place} is not a copy of system {wanted} (its identifier is {found or 'not readable'}), and is not"
            " deleted: look at it, and delete it yourself"
        )
    if not act:
        return
    if observe.process(instance, database.postmaster(instance))["running"] or stopping.workers(place):
        raise MirroringError(f"a server runs in {place}, which is not deleted: run the whole playbook again")
    if not fence_record.record(place):
        raise MirroringError(f"{place} is not marked as removed, and is not deleted: run the whole playbook again")


def tablespaces(place: str) -> list[str]:
    """Return the directories of this version that the links of a data directory lead to, and nothing beside them."""
    links = os.path.join(place, "pg_tblspc")
    found: list[str] = []
    for name in sorted(os.listdir(links)) if os.path.isdir(links) else []:
        target = os.path.realpath(os.path.join(links, name))
        if os.path.islink(os.path.join(links, name)) and os.path.isdir(target):
            found += [os.path.join(target, inner) for inner in os.listdir(target) if re.fullmatch(r"PG_\d+_\d+", inner)]
    return found


def discard(instance: Instance, run: Runner, act: bool, *, system_identifier: str) -> dict[str, t.Any]:
    """Delete the directory and what its tablespaces hold.

    Tablespaces first, while the links to them are there; what a killed run has renamed goes, too.
    """
    place = instance.data_directory.rstrip("/")
    doomed = f"{place}.hawq-discarded"
    deleted = [path for path in (doomed, places.scratch(place)) if os.path.isdir(path)]
    full = os.path.isdir(place) and bool(os.listdir(place))
    if full:
        refuse(instance, run, act, system_identifier)
        deleted += [*tablespaces(place), place]
    if act:
        for path in deleted:
            if path == place:
                user_places.rename(place, doomed)
            if path == place or (path == doomed and not full):
                removed_mark.put(
                    place, instance.service
                )  # nothing is there any more, whether or not the rest of this is done
            user_places.remove(doomed if path == place else path)
        user_places.unlink(places.unfinished(place))
    shown = "".join(f"{text.named(path)}\n" for path in deleted)
    return {"changed": bool(deleted), "deleted": deleted, "diff": {"before": shown, "after": ""}}
