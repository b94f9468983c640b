# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeping aside what only a former master has, before it is overwritten."""

from __future__ import annotations

import json
import os
import shutil
import typing as t

from ...host import files, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import history as histories
from ...values import lsn, places, wal
from . import observe, wal_files


def keep(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    history: list[histories.Part],
    divergence: dict[str, t.Any],
) -> dict[str, t.Any]:
    """Keep the WAL beyond the fork aside once; what is there already is left alone."""
    place = places.lost(instance.data_directory, divergence["end_lsn"])
    there = os.path.exists(os.path.join(place, "lost.json"))
    if not there and act:
        _copy(instance, run, place, history, divergence)
    shown = f"{place}\n"
    return {"changed": not there, "directory": place, "diff": {"before": shown if there else "", "after": shown}}


def _copy(instance: Instance, run: Runner, place: str, history: list[histories.Part], found: dict[str, t.Any]) -> None:
    """Copy control data and the WAL beyond the fork, with what is in it; the summary comes last."""
    summary = os.path.join(place, "lost.json")
    control = observe.control(instance, run) or {}
    size, directory = int(control.get("wal_segment_bytes") or 16 << 20), wal_files.directory(instance)
    numbers = range(lsn.parse(found["fork_lsn"]) // size, max(0, lsn.parse(found["end_lsn"]) - 1) // size + 1)
    names = [wal.segment_name(wal.timeline_at((each + 1) * size, history), each * size, size) for each in numbers]
    names = [name for name in names if os.path.exists(os.path.join(directory, name))]
    free = shutil.disk_usage(os.path.dirname(place)).free
    if free < len(names) * size + wal_files.SPARE_BYTES:
        raise MirroringError(
            f"{os.path.dirname(place)} has {free >> 20} MB free for {len(names) * size >> 20} MB of WAL that only this"
            " host has and that is to be kept aside: make room there, then run again"
        )
    for directory_kept in (place, os.path.join(place, "pg_wal")):
        user_places.make(directory_kept)
    for name in names:
        shutil.copy2(os.path.join(directory, name), os.path.join(place, "pg_wal", name))
    shutil.copy2(os.path.join(instance.data_directory, "global", "pg_control"), place)
    os.sync()
    files.write(summary, json.dumps({**found, "control": control}, indent=2, sort_keys=True), act=True)
    files.sync_directory(place)
