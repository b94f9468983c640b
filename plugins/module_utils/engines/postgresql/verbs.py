# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where PostgreSQL's verbs are. No host needs this file: mypy and the unit tests hold with it that none is missing."""

from __future__ import annotations

import typing as t

from ..base.engine import Engine
from . import (
    binaries,
    discarding,
    divergence,
    dry_start,
    extension,
    fencing,
    following,
    lost_work,
    mirroring,
    new_system,
    observing,
    other_slots,
    packages,
    progress,
    promotion,
    recovery_settings,
    relations,
    rewind,
    rewind_source,
    segments,
    settings,
    snapshot,
    source,
    start_files,
    waiting,
)
from . import segment_role as role_of_segments
from .delta import job
from .salvage import offering, taking


class PostgreSQL:
    """Each verb, and the function that a module imports for it."""

    observe = staticmethod(observing.observe)
    binaries = staticmethod(binaries.look)
    start_files = staticmethod(start_files.read)
    dry_start = staticmethod(dry_start.look)
    packages = staticmethod(packages.tell)
    mirroring = staticmethod(mirroring.state)
    segments = staticmethod(segments.await_registration)
    progress = staticmethod(progress.progress)
    relations = staticmethod(relations.names)
    examine = staticmethod(divergence.examine)

    make_system = staticmethod(new_system.make)
    activate = staticmethod(promotion.activate)
    commits = staticmethod(promotion.commits)
    guard_told = staticmethod(waiting.tell)
    checkpoint = staticmethod(promotion.checkpoint)
    settings = staticmethod(settings.change)
    views = staticmethod(extension.install)
    no_views = staticmethod(extension.remove)
    source_present = staticmethod(source.present)
    source_absent = staticmethod(source.absent)
    slots_made = staticmethod(other_slots.make)
    slots_dropped = staticmethod(other_slots.drop)
    no_segment_role = staticmethod(role_of_segments.absent)
    segment_role = staticmethod(role_of_segments.present)
    rewind_source_present = staticmethod(rewind_source.present)
    rewind_source_absent = staticmethod(rewind_source.absent)

    snapshot_started = staticmethod(snapshot.started)
    snapshot_finished = staticmethod(snapshot.finished)
    snapshot_deployed = staticmethod(snapshot.deployed)
    snapshot_absent = staticmethod(snapshot.absent)
    follow = staticmethod(following.follow)
    recovery_settings = staticmethod(recovery_settings.change)

    fence = staticmethod(fencing.fence)
    stop = staticmethod(fencing.stop)
    unfence = staticmethod(fencing.undo)
    lift_fence = staticmethod(fencing.lift)
    salvage_offered = staticmethod(offering.offered)
    salvage_fetched = staticmethod(taking.fetched)
    salvage_given = staticmethod(offering.given)
    salvage_taken = staticmethod(taking.taken)
    salvage_installed = staticmethod(taking.installed)
    keep_lost = staticmethod(lost_work.keep)
    rewind = staticmethod(rewind.rewind)
    delta = staticmethod(job.delta)
    discard = staticmethod(discarding.discard)


ENGINE: t.Final[Engine] = PostgreSQL()
