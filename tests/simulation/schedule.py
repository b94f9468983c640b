# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Schedules: lists of steps, made from a seed, and played on a pair that is in order.

A step is a small dictionary that can be written as JSON, so that a schedule can be kept, shortened and played on real
hosts: ``do`` says what, ``at`` where (``master`` and ``standby`` are whoever that is then).
"""

from __future__ import annotations

import random
import typing as t

from . import faults, life, postgresql, promises, ready, units
from .advice import Operator
from .failure import PromiseBroken
from .run import Run
from .wal import Catalog
from .world import Data, Slot, World

Step = dict[str, t.Any]
HOSTS, SEGMENTS = ("mdw", "smdw"), ("sdw1",)
#: commands that lead home, by the number of faults
MOST = (4, 4, 6)
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
PLAYBOOKS = {"failover": 4, "switchover": 5, "resync_standby": 4, "init_standby": 2}
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


def pair() -> World:
    """Return a pair in order: a master, and its synchronised standby."""
    world = World(HOSTS, SEGMENTS)
    mdw, smdw = (world.hosts[name] for name in HOSTS)
    first = world.append(None, 1, catalog=Catalog(("smdw",), "mdw"))
    mdw.data = Data(first, first, first, slots={"hawq_mirroring_smdw": Slot(first.lsn)})
    smdw.data = Data(first, first, first, signal=True, as_master=False, follows="mdw", slot="hawq_mirroring_smdw")
    for host in (mdw, smdw):
        postgresql.start(world, host)
        host.unit.active = "active"
    life.settle(world)
    life.write(world, 2)
    life.settle(world)
    return world


class Player:
    """Plays the steps of a schedule."""

    def __init__(self, world: World, losses: t.Iterable[str] | None = None) -> None:
        """Begin with a pair; ``losses`` are those that readiness is tried with."""
        self.world = world
        self.losses = tuple(ready.LOSSES) if losses is None else tuple(losses)
        self.runs: dict[str, Run] = {}
        self.faults = 0
        self.master = "mdw"

    def play(self, steps: list[Step]) -> None:
        """Play all steps; PromiseBroken says what went wrong."""
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:
        """Play one, and check what is promised."""
        world = self.world
        self.master = next(iter(world.writers()), self.master)
        if step.get("busy"):
            life.write(world, 1)
        said = self._do(step)
        if said:
            world.say(said)
        promises.one_writer(world)
        life.settle(world, 2.0)
        self._check()

    def _check(self) -> None:
        promises.one_writer(self.world)
        promises.nothing_destroyed(self.world)
        if not any(run.ended is None for run in self.runs.values()) and self.losses:
            ready.check(self.world, self.losses)

    def _do(self, step: Step) -> str | None:
        what = step["do"]
        if what == "run":
            return self._begin(step)
        if what in ("go", "kill"):
            return self._on(step)
        if what == "home":
            return self._home()
        place = self._place(str(step.get("at", "")))
        said = faults.FAULTS[what](self.world, place)
        self.faults += bool(said) and what not in faults.HARMLESS
        return said

    def _place(self, word: str) -> str:
        standby = next(name for name in self.world.hosts if name != self.master)
        names = {"master": self.master, "standby": standby}
        return "-".join(names.get(each, each) for each in word.split("-"))

    def _begin(self, step: Step) -> str | None:
        options = dict(step.get("options") or {})
        if options.get("master_is_down") and any(
            host.on and not host.server for host in self.world.hosts.values()
        ) is False and all(host.on for host in self.world.hosts.values()):
            self.world.wrong.append("master_is_down was said of a host that was on")
        who = step.get("who", "A")
        self._end(who)
        self.runs[who] = Run(self.world, step["playbook"], options)
        words = "".join(f" {name}={value}" for name, value in options.items())
        return f"operator {who} runs {step['playbook']}{words}"

    def _end(self, who: str) -> None:
        run = self.runs.get(who)
        if run and run.ended is None:
            run.go()

    def _on(self, step: Step) -> str | None:
        who = step.get("who", "A")
        run = self.runs.get(who)
        if run is None or run.ended:
            return None
        if step["do"] == "kill":
            run.kill(step.get("moments", 0))
            self.faults += run.ended == "killed"
            return f"the run of {who} is {run.ended}{_where(run)}"
        run.go(step.get("moments"))
        if run.ended:
            return f"the run of {who} is {run.ended}" + "".join(f"; {each}" for each in run.messages)
        return f"the run of {who} has come to{_where(run)}"

    def _home(self) -> str:
        for who in list(self.runs):
            self._end(who)
        promises.one_writer(self.world)
        most = MOST[self.faults] if self.faults < len(MOST) else 2 * self.faults + 2
        found = Operator(self.world).home(most)
        return f"he is home after {len(found.typed)} commands"


def _where(run: Run) -> str:
    if run.moment is None:
        return ""
    inside = f", {run.moment.inside}" if run.moment.inside else ""
    return f" at “{run.moment.task}” on {run.moment.host}{inside}"


def make(seed: int) -> list[Step]:
    """Return the schedule of a seed."""
    chance = random.Random(seed)
    steps: list[Step] = []
    if chance.random() < 0.2:
        steps += [{"do": "copy files", "at": "master"}, {"do": "work"}]
    for _number in range(chance.choice((1, 1, 2, 2, 2, 3))):
        steps += _fault(chance)
        if chance.random() < 0.3:
            steps.append({"do": "work"})
        if chance.random() < 0.3:
            steps.append({"do": chance.choice(("minute", "minute", "checkpoint")), "at": chance.choice(("master", "standby"))})
    steps.append({"do": "home"})
    return steps


def _fault(chance: random.Random) -> list[Step]:
    what = chance.choices(list(FAULT_WEIGHTS), list(FAULT_WEIGHTS.values()))[0]
    if what == "run":
        return _runs(chance)
    if what == "cut":
        cables = ("master-standby", "controller-master", "controller-standby", "sdw1-master")
        place = chance.choice(cables)
        after: list[Step] = [{"do": "minute"}] if chance.random() < 0.5 else []
        return [{"do": "cut", "at": place, "busy": chance.random() < 0.5}, *after, *([{"do": "mend", "at": place}] if chance.random() < 0.5 else [])]
    place = ONLY_AT.get(what) or chance.choice(("master", "master", "standby"))
    step: Step = {"do": what, "at": place}
    if chance.random() < 0.4:
        step["busy"] = True
    before: list[Step] = [{"do": "hold", "at": "standby"}] if chance.random() < 0.1 else []
    after = [{"do": {"power off": "power on", "freeze": "thaw", "unmount": "mount"}.get(what, "start"), "at": place}] if chance.random() < 0.3 else []
    return [*before, step, *after]


def _runs(chance: random.Random) -> list[Step]:
    """A run that is killed, or one that is interrupted by a fault or by another operator's run."""
    first = _run(chance, "A")
    moments = chance.randrange(0, 90)
    if chance.random() < 0.55:
        return [first, {"do": "kill", "who": "A", "moments": moments}]
    inner: list[Step] = []
    if chance.random() < 0.5:
        inner = [_run(chance, "B"), {"do": "go", "who": "B", "moments": chance.choice((None, chance.randrange(60)))}]
    else:
        inner = _fault(chance)
    end: Step = {"do": chance.choice(("go", "go", "kill")), "who": "A"}
    if end["do"] == "kill":
        end["moments"] = chance.randrange(40)
    return [first, {"do": "go", "who": "A", "moments": moments}, *inner, end]


def _run(chance: random.Random, who: str) -> Step:
    playbook = chance.choices(list(PLAYBOOKS), list(PLAYBOOKS.values()))[0]
    return {"do": "run", "who": who, "playbook": playbook}


def fails(steps: list[Step], losses: t.Iterable[str] | None = None) -> tuple[PromiseBroken | None, World]:
    """Play a schedule; return how a promise was broken, if one was, and the world with its story."""
    player = Player(pair(), losses)
    try:
        player.play(steps)
    except PromiseBroken as error:
        return error, player.world
    return None, player.world


__all__ = ["Player", "Step", "fails", "make", "pair", "units"]
