# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a guard keeps commits of a master waiting for its standby, and what that guard is told. Pure.

A pair that is begun gets one, unless its mode is asynchronous. One that was begun without a guard has nothing of it on
its hosts, until the mode is said. Once it is guarded it stays so: where the mode becomes asynchronous again, the guard
lets commits wait for nobody.
"""

from __future__ import annotations

import math
import re
import typing as t

from ..engines import table
from ..values.command import again, playbook
from . import synchronous, topology
from .options import Options
from .plan import Guard
from .refusal import AGAIN, Refusal

ASYNCHRONOUS, SYNCHRONOUS, STRICT = "asynchronous", "synchronous", "strict"
#: what may begin a pair, and then says which mode it has
BEGINS = ("init_master", "init_standby", "init_segments", "resync_standby")
#: options, and what a guard calls them
OPTIONS = {
    "mirroring_mode": "mode",
    "mirroring_degrade_after": "degrade_after",
    "mirroring_synchronous_count": "count",
}
#: of a pair without a guard
DEFAULTS = {"mode": ASYNCHRONOUS, "degrade_after": 5.0, "count": 1}
#: a file of the extension that only a guarded host has
FILE = "hawq_mirroring--1.1--1.2.sql"
#: a standby that nobody may be called: the guard's word for commits that wait until it says more
NOBODY = "hawq_mirroring_nobody"
#: how the guard writes for whom commits wait, and nobody else does by hand
WRITTEN = re.compile(r'ANY [0-9]{1,3} \((?:"(?:[^"]|"")+")(?:, "(?:[^"]|"")+")*\)')


def mode(options: Options) -> str:
    """Return whether commits are to wait, as the operator says."""
    return options.get("mirroring_mode") or ASYNCHRONOUS


def resolved(observations: topology.Observations, options: Options, workflow: str = "") -> Options:
    """Return the options, where what is not said is as the guard of the master has it, or another one of the pair.

    A run without them must not let commits go on alone in a pair in which they wait. A pair without a guard has the
    mode that it was begun with.
    """
    first = sorted(observations.values(), key=lambda seen: topology.kind(seen) != topology.MASTER)
    guard: t.Any = next((found for seen in first if (found := seen.get("guard"))), None)
    if guard is None:
        guard = {**DEFAULTS, "mode": _mode_without(observations, workflow)}
    said = {name: options.get(name) for name in OPTIONS}
    kept = {name: guard.get(field, DEFAULTS[field]) for name, field in OPTIONS.items() if said[name] is None}
    return t.cast(Options, {**options, **kept})


def _mode_without(observations: topology.Observations, workflow: str) -> str:
    """Return the mode of a pair that has no guard: asynchronous, unless it is begun now.

    What begins a pair tells the guard first, so that a run that is killed then has said what this one is.
    """
    masters = [seen for seen in observations.values() if topology.kind(seen) == topology.MASTER]
    begins = workflow in BEGINS and (masters or workflow == "init_master")
    return SYNCHRONOUS if begins and not any(map(_is_known, masters)) else ASYNCHRONOUS


def _is_known(master: topology.Observation) -> bool:
    """Whether a master is one of a pair already, or somebody else has set for whom its commits wait."""
    server = master["server"]
    ours = server["master_name"] is not None or bool(server["standbys"]) or bool(master["views"]["databases"])
    return ours or bool(server["settings"]["synchronous_standbys"].strip())


def is_installed(guard: t.Any) -> bool:
    """Whether a guard is on its host, and not only told a mode by a run that was killed then."""
    return guard is not None and f"/etc/systemd/system/{guard['unit']}" in guard["files"]


def has_files(seen: topology.Observation) -> bool:
    """Whether a host has been made one of a guarded pair."""
    return topology.kind(seen) != topology.UNREACHABLE and FILE in seen["views"]["files"]


def is_guarded(observations: topology.Observations, options: Options) -> bool:
    """Whether a guard keeps commits waiting here, or is to; or one was told a mode, and is told the other one now."""
    told_once = any(has_files(seen) or seen.get("guard") for seen in observations.values())
    return mode(options) != ASYNCHRONOUS or told_once


def to_be_told(source: topology.Observation | None, guard: Guard | None) -> bool:
    """Whether a master's guard knows another mode than the plan's, which it is told before anything else is done."""
    known: t.Any = source.get("guard") if source else None
    return (
        guard is not None and (known is None or known["mode"] != guard["mode"]) and not (source and has_files(source))
    )


def told(observations: topology.Observations, options: Options) -> Guard | None:
    """Return what the guards of these hosts are told; None where there are none. Each segment is a witness."""
    if not is_guarded(observations, options):
        return None
    return {
        "mode": mode(options),
        "degrade_after": float(options.get("mirroring_degrade_after") or 5),
        "count": int(options.get("mirroring_synchronous_count") or 1),
        "witnesses": sorted(options.get("witnesses") or {}),
    }


def seconds(options: Options) -> int:
    """Return how long a guard may take until no commit waits for a standby that is about to stop."""
    return math.ceil(float(options.get("mirroring_degrade_after") or 5)) + 10


def is_its_own(value: str) -> bool:
    """Whether for whom commits wait is written as the guard does."""
    return bool(WRITTEN.fullmatch(value))


def waits_as_told(source: topology.Observation) -> bool:
    """Whether a master's guard is who has written for whom commits wait: it alone changes that."""
    return has_files(source) and is_its_own(source["server"]["settings"]["synchronous_standbys"])


def is_left_to_it(source: topology.Observation) -> bool:
    """Whether nobody but a guard has written for whom commits of a master wait."""
    value = source["server"]["settings"]["synchronous_standbys"]
    return has_files(source) and (not value.strip() or is_its_own(value))


def lets_go(source: topology.Observation, slot: str, options: Options) -> bool:
    """Whether a master's guard is told before the standby that has this slot stops: a strict one stays as it is."""
    return has_files(source) and topology.streams(source, slot) and mode(options) != STRICT


def foreign(master: str, source: topology.Observation, standbys: t.Collection[str], options: Options) -> list[Refusal]:
    """A value of somebody else's, which a guard leaves as it is: nothing would be guarded."""
    value = source["server"]["settings"]["synchronous_standbys"]
    if mode(options) == ASYNCHRONOUS or not value.strip() or waits_as_told(source):
        return []
    if is_its_own(value) and set(synchronous.parse(value).names) <= {*standbys, NOBODY}:
        return []
    words = table.of(source).words
    setting = words.settings["synchronous standbys"]
    line = table.typed(source, [words.set_setting.format(name=setting, value=""), words.reload])
    return [
        Refusal(
            "synchronous-foreign",
            f"somebody else has written for whom commits on {master} wait ({setting} = {value})",
            f"with mirroring_mode={mode(options)} that is the guard's to write, and it leaves what is not its own as it"
            " is",
            f"If nobody needs it any more, on {master}: {line}, {AGAIN}. To leave it as it is:"
            f" {again(mirroring_mode=ASYNCHRONOUS)}",
        )
    ]


def never_alone(
    standby: str | None, source: topology.Observation, others: list[str], options: Options
) -> list[Refusal]:
    """Without its last standby a strict master confirms no commit any more."""
    if not standby or others or mode(options) != STRICT or not has_files(source):
        return []
    return [
        Refusal(
            "never-alone",
            f"the mode is {STRICT}, and {standby} is the only standby",
            "without a standby every commit would wait for ever",
            "Let commits go on without one first:"
            f" {playbook('init_standby', standby_host=standby, mirroring_mode='synchronous')}, and name that mode here,"
            f" too: {again(mirroring_mode='synchronous')}",
        )
    ]
