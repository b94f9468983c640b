# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deleting the data of a removed standby, and nothing else."""

from __future__ import annotations

import os
import typing as t

from ...host import fence_record, removed_mark, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import places, text
from . import database, observe, spaces, stopping


def refuse(instance: Instance, run: Runner, act: bool, wanted: str) -> None:
    """Raise unless this is a marked and stopped copy of the system; before a check's run it is neither yet."""
    place = instance.data_directory
    if os.path.islink(place) or os.path.ismount(place):
        raise MirroringError(f"{place} is a mount point or a link, and is not deleted: delete its files yourself")
    user_places.refuse_mounts(place)
    for other in observe.clusters_inside(place):
        raise MirroringError(f"{other} is another cluster's data, in {place}, which is not deleted: move it away first")
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


def tablespaces(instance: Instance, run: Runner) -> list[str]:
    """Return this data's directories in the places of its tablespaces: those of other versions are other clusters'."""
    place = instance.data_directory
    version = spaces.version(observe.control(instance, run) or {}, database.major(place))
    targets = {os.path.realpath(os.path.join(place, target)) for target in spaces.links(place).values()}
    found = [os.path.join(target, version) for target in sorted(targets)] if version else []
    return [each for each in found if os.path.isdir(each)]


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
        deleted += [*tablespaces(instance, run), place]
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
