# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playing a schedule on a pair that is in order, and checking after each step what is promised."""

from __future__ import annotations

import typing as t

from . import faults, life, postgresql, promises, ready, seen
from .advice import Operator
from .failure import PromiseBroken
from .run import Run
from .stories import is_known
from .wal import Catalog
from .world import Data, Slot, World

Step = dict[str, t.Any]
HOSTS, SEGMENTS = ("mdw", "smdw", "sdw2"), ("sdw1",)
#: steps of schedules with a second standby, and without a segment that remembers anything
THREE, ALONE = "two standbys", "no segment"
#: commands that lead home, by the number of faults
MOST = (4, 4, 6)


def pair(number: int = 2, segments: bool = True, master: str = HOSTS[0]) -> World:
    """Return hosts in order: a master, and its synchronised standby, or two of them."""
    world = World(HOSTS[:number], SEGMENTS if segments else ())
    standbys = tuple(name for name in HOSTS[:number] if name != master)
    first = world.append(None, 1, catalog=Catalog(tuple(sorted(standbys)), master))
    slots = {life.slot_name(name): Slot(first.lsn) for name in standbys}
    world.hosts[master].data = Data(first, first, first, slots=slots)
    for name in standbys:
        slot = life.slot_name(name)
        world.hosts[name].data = Data(first, first, first, signal=True, as_master=False, follows=master, slot=slot)
    for host in world.hosts.values():
        if host.data:
            host.data.access = seen.lines(world.hosts)
        postgresql.start(world, host)
        host.unit.active = "active"
    life.settle(world)
    life.write(world, 2)
    life.settle(world)
    return world


class Player:
    """Plays the steps of a schedule."""

    #: how a run is made
    make: type[Run] = Run

    def __init__(self, world: World, losses: t.Iterable[str] | None = None, known: bool = False) -> None:
        """Begin with a pair; ``losses`` are those that readiness is tried with; known faults may be passed over."""
        self.world, self.known = world, known
        self.passed: list[str] = []
        self.record: list[Step] = []
        self.losses = tuple(ready.LOSSES) if losses is None else tuple(losses)
        self.runs: dict[str, Run] = {}
        self.faults, self.number = 0, 0
        self.master = next(iter(world.writers()))

    def play(self, steps: list[Step]) -> None:
        """Play all steps; PromiseBroken says what went wrong. After a known fault the rest says nothing."""
        try:
            for step in steps:
                self.step(step)
        except PromiseBroken as error:
            self._pass_over(error)

    def step(self, step: Step) -> None:
        """Play one, and check what is promised."""
        world = self.world
        self.master = next(iter(world.writers()), self.master)
        if step.get("busy"):
            life.write(world, 1)
        said = self._do(step)
        self.record.append({**step, **self._where(step), "said": said})
        if said:
            world.say(said)
        promises.one_writer(world)
        life.settle(world, 2.0)
        self._check()

    def _check(self) -> None:
        promises.one_writer(self.world)
        promises.nothing_destroyed(self.world)
        if not any(run.ended is None for run in self.runs.values()) and self.losses:
            try:
                ready.check(self.world, self._some_losses())
            except PromiseBroken as error:
                self._pass_over(error)

    def _pass_over(self, error: PromiseBroken) -> None:
        """Note a fault that is known; raise any other."""
        if not self.known or not is_known(error.what):
            raise error
        self.passed.append(error.what)

    def _some_losses(self) -> tuple[str, ...]:
        """Try another loss after each step, and all at the end: a failover is the dearest of all checks."""
        if not self.known:
            return self.losses
        self.number += 1
        last = self.record and self.record[-1]["do"] == "home"
        return self.losses if last else (self.losses[self.number % len(self.losses)],)

    def _do(self, step: Step) -> str | None:
        what = step["do"]
        if what in (THREE, ALONE):
            return "there are two standbys, smdw and sdw2" if what == THREE else "there is no segment"
        if what == "run":
            return self._begin(step)
        if what in ("go", "kill"):
            return self._on(step)
        if what == "home":
            return self._home()
        if what == "advised":
            told = Operator(self.world).advised(step.get("moments", 0))
            self.faults += bool(told)
            return told or None
        if what == "take over":
            Operator(self.world).take_over()
            return None
        place = self._place(str(step.get("at", "")))
        said = faults.FAULTS[what](self.world, place)
        self.faults += bool(said) and what not in faults.HARMLESS
        return said

    def _where(self, step: Step) -> Step:
        """Return what the lab must know of a step: whose host it was, and where a run has stopped."""
        run = self.runs.get(step.get("who", "A"))
        if step["do"] in ("go", "kill") and run and run.moment and run.ended in (None, "killed"):
            return {"until": run.moment._asdict()}
        return {"host": self._place(step["at"])} if step.get("at") else {}

    def _place(self, word: str) -> str:
        standby, *further = (name for name in self.world.hosts if name != self.master)
        names = {"master": self.master, "standby": standby, "further": next(iter(further), standby)}
        return "-".join(names.get(each, each) for each in word.split("-"))

    def _begin(self, step: Step) -> str | None:
        options = dict(step.get("options") or {})
        if options.get("master_is_down") and all(host.on for host in self.world.hosts.values()):
            self.world.wrong.append("master_is_down was said of a host that was on")
        who = step.get("who", "A")
        self._end(who)
        # two who do not know of each other are a fault as well
        self.faults += any(not run.over for run in self.runs.values())
        self.runs[who] = self.make(self.world, step["playbook"], options)
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
        said = "".join(f"; {each}" for each in run.messages)
        return f"the run of {who} is {run.ended}{said}" if run.over else f"the run of {who} has come to{_where(run)}"

    def _home(self) -> str:
        for who in list(self.runs):
            self._end(who)
        promises.one_writer(self.world)
        most = MOST[self.faults] if self.faults < len(MOST) else 2 * self.faults + 2
        found = Operator(self.world).home(most)
        self.faults = 0
        return f"he is home after {len(found.typed)} commands"


def _where(run: Run) -> str:
    if run.moment is None:
        return ""
    inside = f", {run.moment.inside}" if run.moment.inside else ""
    return f" at '{run.moment.task}' on {run.moment.host}{inside}"


def fails(
    steps: list[Step], losses: t.Iterable[str] | None = None, known: bool = False
) -> tuple[PromiseBroken | None, Player]:
    """Play a schedule; return how a promise was broken, if one was, and the player, whose world has the story.

    With ``known`` the faults that are known already are passed over.
    """
    words = {step["do"] for step in steps}
    player = Player(pair(3 if THREE in words else 2, ALONE not in words), losses, known)
    try:
        player.play(steps)
    except PromiseBroken as error:
        return error, player
    return None, player
