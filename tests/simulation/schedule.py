# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Schedules: lists of steps, made from a seed.

A step is a small dictionary that can be written as JSON, so that a schedule can be kept, shortened and played on real
hosts: ``do`` says what, ``at`` where (``master`` and ``standby`` are whoever that is then).
"""

from __future__ import annotations

import random
import typing as t

from .play import ALONE, THREE, Step

FAULT_WEIGHTS = {
    "crash": 6,
    "power off": 6,
    "stop": 3,
    "freeze": 3,
    "unmount": 2,
    "lose disk": 2,
    "promote by hand": 1,
    "remove signal": 1,
    "pause replay": 2,
    "block replay": 2,
    "crowd": 2,
    "raise setting": 2,
    "drop slots": 1,
    "write much": 1,
    "set back": 1,
    "leave fence": 1,
    "disable unit": 1,
    "cut": 5,
    "run": 14,
}
#: what mends a fault; of the others somebody starts the server again
MENDS = {"power off": "power on", "freeze": "thaw", "unmount": "mount", "lose disk": "power on"}
CABLES = ("master-standby", "controller-master", "controller-standby", "sdw1-master")
PLAYBOOKS = {"failover": 4, "switchover": 5, "resync_standby": 4, "init_standby": 2, "remove_standby": 1}
#: what they are run with; most often with nothing
OPTIONS: dict[str, tuple[dict[str, t.Any], ...]] = {
    "failover": ({}, {}, {"master_is_down": True}),
    "switchover": ({},),
    "resync_standby": ({}, {}, {"resync_route": "rewind"}, {"resync_route": "delta"}, {"resync_route": "snapshot"}),
    "init_standby": ({}, {"existing_data": "keep"}),
    "remove_standby": ({}, {"existing_data": "discard"}),
}
#: faults that only one of the two can have
ONLY_AT = {
    "promote by hand": "standby",
    "pause replay": "standby",
    "block replay": "standby",
    "crowd": "standby",
    "leave fence": "standby",
    "raise setting": "master",
    "drop slots": "master",
    "write much": "master",
    "set back": "master",
}


def make(seed: int) -> list[Step]:
    """Return the schedule of a seed."""
    chance = random.Random(seed)
    steps: list[Step] = []
    if chance.random() < 0.2:
        steps += [{"do": "copy files", "at": "master"}, {"do": "work"}]
    if chance.random() < 0.15:
        steps += [*_fault(chance), {"do": "home"}]
    for _number in range(chance.choice((1, 1, 2, 2, 2, 3))):
        steps += _fault(chance)
        if chance.random() < 0.2:
            steps += [{"do": "take over"}, {"do": "work"}]
        steps += _between(chance)
        if chance.random() < 0.15:
            steps.append({"do": "advised", "moments": chance.randrange(90)})
    steps.append({"do": "home"})
    if chance.random() < 0.3:
        steps.insert(0, {"do": ALONE})
    return _with_another(steps, chance) if chance.random() < 0.2 else steps


def _with_another(steps: list[Step], chance: random.Random) -> list[Step]:
    """Return the same with a second standby, which some of it happens to."""
    found: list[Step] = [{"do": THREE}]
    for step in steps:
        place = str(step.get("at", ""))
        there = "standby" in place and chance.random() < 0.4
        found.append({**step, "at": place.replace("standby", "further")} if there else step)
    return found


def _between(chance: random.Random) -> list[Step]:
    steps: list[Step] = []
    if chance.random() < 0.3:
        steps.append({"do": "work"})
    if chance.random() < 0.15:
        steps.append({"do": chance.choice(("power on", "mount", "thaw")), "at": chance.choice(("master", "standby"))})
    if chance.random() < 0.3:
        steps.append(
            {"do": chance.choice(("minute", "minute", "checkpoint")), "at": chance.choice(("master", "standby"))}
        )
    return steps


def _fault(chance: random.Random) -> list[Step]:
    what = chance.choices(list(FAULT_WEIGHTS), list(FAULT_WEIGHTS.values()))[0]
    if what == "run":
        return _runs(chance)
    if what == "cut":
        return _cut(chance)
    place = ONLY_AT.get(what) or chance.choice(("master", "master", "standby"))
    step: Step = {"do": what, "at": place}
    if chance.random() < 0.4:
        step["busy"] = True
    before: list[Step] = [{"do": "hold", "at": "standby"}] if chance.random() < 0.1 else []
    return [*before, step, *([{"do": MENDS.get(what, "start"), "at": place}] if chance.random() < 0.3 else [])]


def _cut(chance: random.Random) -> list[Step]:
    place = chance.choice(CABLES)
    steps: list[Step] = [{"do": "cut", "at": place}]
    if chance.random() < 0.25:  # a host is cut off from both
        steps.append({"do": "cut", "at": "master-standby"})
    if chance.random() < 0.5:
        steps[0]["busy"] = True
    if chance.random() < 0.4:
        steps.append({"do": "minute"})
    if chance.random() < 0.4:
        steps.append({"do": "mend", "at": place})
    return steps


def _runs(chance: random.Random) -> list[Step]:
    """A run that is killed, or one that is interrupted by faults and by another operator's run."""
    first = _run(chance, "A")
    if chance.random() < 0.5:
        return [first, {"do": "kill", "who": "A", "moments": chance.randrange(90)}]
    steps = [first]
    for _number in range(chance.choice((1, 1, 2, 3))):
        steps.append({"do": "go", "who": "A", "moments": chance.randrange(1, 60)})
        what = chance.random()
        if what < 0.35:
            steps += [
                _run(chance, "B"),
                {"do": "go", "who": "B", "moments": chance.choice((None, None, chance.randrange(60)))},
            ]
        elif what < 0.6:
            steps += _cut(chance)
        elif what < 0.75:
            steps.append({"do": "mend", "at": chance.choice(CABLES)})
        elif what < 0.8:
            steps.append({"do": "minute"})
        else:
            steps += [step for step in _fault(chance) if step.get("who") != "A"]
    if chance.random() < 0.7:
        return [*steps, {"do": "go", "who": "A"}]
    return [*steps, {"do": "kill", "who": "A", "moments": chance.randrange(40)}]


def _run(chance: random.Random, who: str) -> Step:
    playbook = chance.choices(list(PLAYBOOKS), list(PLAYBOOKS.values()))[0]
    step: Step = {"do": "run", "who": who, "playbook": playbook}
    options = chance.choice(OPTIONS[playbook])
    return {**step, "options": options} if options else step
