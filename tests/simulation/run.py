# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run of a playbook: its tasks in their order, on the hosts that the plan names, stopped wherever one likes.

The rules are Ansible's: a task is done on all its hosts before the next begins; one that fails or is lost ends the
block for all of them (``any_errors_fatal``), and then comes the rescue, on the hosts that are left.
"""

from __future__ import annotations

import itertools
import typing as t

from . import acts, judging, playbook, promises
from .failure import ActFailed, RunFailed
from .playbook import Block, Condition, Play, Task
from .seen import observe
from .world import CONTROLLER, World

WORKFLOWS = ("state", "failover", "switchover", "resync_standby", "init_standby", "remove_standby")
PLAYS: dict[str, tuple[Play, ...]] = {name: playbook.load(name) for name in WORKFLOWS}
#: modules that act on the controller, which no cable is needed for
CONTROLLERS = ("verdict", "report", "options", "set_fact", "fail", "meta")
#: a number for each run of this process
NUMBERS = itertools.count(1)


class Moment(t.NamedTuple):
    """Where a run is: before a task on a host, or inside of a module."""

    task: str
    host: str
    inside: str = ""


class Run:
    """One run, which goes on when it is told to."""

    def __init__(self, world: World, workflow: str, options: dict[str, t.Any] | None = None) -> None:
        """Begin."""
        self.world, self.first = world, workflow
        self.workflow, self.given = workflow, dict(options or {})
        self.number = next(NUMBERS)
        self.identity = f"{workflow}-{self.number:08x}"
        self.options: dict[str, t.Any] = {}
        self.judged: dict[str, t.Any] = {}
        self.judged_again: dict[str, t.Any] = {}
        self.salvaged: dict[str, t.Any] = {"steps": {}}
        self.rolled_back: dict[str, t.Any] = {"steps": {}}
        self.registered: dict[tuple[str, str], dict[str, t.Any]] = {}
        self.after_swap = False
        self.swapped: str | None = None
        self.document: dict[str, t.Any] = {}
        #: what it says when it refuses or fails: commands of refusals, messages of modules
        self.refusals: list[t.Any] = []
        self.advice: list[str] = []
        self.messages: list[str] = []
        self.ended: str | None = None
        self.moment: Moment | None = None
        self.inside: str | None = None
        #: whether the standby that it makes had been removed on purpose
        self.was_alone = False
        #: when it looked last
        self.looked = world.now
        self._life = self._live()

    def go(self, most: int | None = None) -> None:
        """Go on for so many moments, or to the end; a module is not left half-way."""
        done = 0
        while self.ended is None and (most is None or done < most or self.inside):
            self.step()
            done += 1

    def step(self) -> None:
        """Go on to the next moment."""
        try:
            self.moment = next(self._life)
        except StopIteration:
            self.ended = self.ended or "done"
        promises.one_writer(self.world)

    def kill(self, after: int) -> None:
        """Go on for so many moments, then end where it is; the modules of it end as well."""
        for _each in range(after):
            if self.ended is None:
                self.step()
        if self.ended is None:
            self._life.close()
            self.ended = "killed"
            for host in self.world.hosts.values():
                if host.lock is self:
                    host.lock = None

    def read(self, host: str | None, register: str) -> dict[str, t.Any]:
        """Return what a task has registered."""
        return self.registered.get((host or "", register), {})

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.ended is not None

    @property
    def plan(self) -> dict[str, t.Any]:
        """The plan that holds now."""
        return self.judged.get("plan") or {}

    # how a run lives

    def _live(self) -> t.Generator[Moment, None, None]:
        for play in PLAYS[self.first]:
            names = [*self.world.hosts, *(self.world.segments if play.segments else ())]
            self.after_swap = play.variables.get("resync_reports") is False
            try:
                yield from self._all(play.tasks, names)
            except RunFailed as failure:
                self._note(failure)
                self.ended = "refused" if failure.refused else "failed"
                return
        self.ended = "done"

    def _note(self, failure: RunFailed) -> None:
        self.messages += [each for each in failure.messages if each not in self.messages]

    def _all(self, nodes: t.Iterable[t.Any], names: list[str]) -> t.Iterator[Moment]:
        for node in nodes:
            if isinstance(node, Task):
                yield from self._task(node, names)
            else:
                yield from self._block(node, names)

    def _block(self, block: Block, names: list[str]) -> t.Iterator[Moment]:
        mine = [name for name in names if self._does(block.when, name)]
        if not mine:
            return
        for item in acts.items(self, block.loop):
            self.registered["", "item"] = {"item": item}
            yield from self._once(block, mine)

    def _once(self, block: Block, names: list[str]) -> t.Iterator[Moment]:
        failed: RunFailed | None = None
        try:
            yield from self._all(block.later() if block.later else block.tasks, names)
        except RunFailed as failure:
            failed = failure
        if failed and block.rescue:
            self._note(failed)
            failed = None
            try:
                yield from self._all(block.rescue, names)
            except RunFailed as failure:
                failed = failure
        yield from self._all(block.always, names)
        if failed:
            raise failed

    def _task(self, task: Task, names: list[str]) -> t.Iterator[Moment]:
        mine = [name for name in names if self._does(task.when, name)]
        mine = mine[:1] if task.once else mine
        failures: list[str] = []
        lost: list[str] = []
        for name in mine:
            yield Moment(task.name, name)
            try:
                result = yield from self._on(task, name)
            except ActFailed as error:
                result = {"failed": True, "msg": str(error)}
                if error.unreachable and not task.ignore_unreachable:
                    lost.append(f"{name} does not answer by SSH any more")
                elif not error.unreachable and not self._may_fail(task):
                    failures.append(str(error))
            except RunFailed:  # a judgement that may be a refusal
                if task.may_fail != "always":
                    raise
                result = {"failed": True}
            for each in names if task.once else [name]:
                if task.register:
                    self.registered[each, task.register] = result
        if failures or lost:
            raise RunFailed([*failures, *lost])

    def _on(self, task: Task, name: str) -> t.Generator[Moment, None, dict[str, t.Any]]:
        if task.module in CONTROLLERS:
            return acts.on_controller(self, task)
        self._must_answer(name)
        if name in self.world.segments:
            return acts.on_segment(self, task, name)
        host, work = self.world.hosts[name], acts.begin(self, task, name)
        if isinstance(work, dict):
            return work
        boots = host.boots
        while True:
            self.inside = name
            try:
                inner = next(work)
            except StopIteration as end:
                self.inside = None
                return t.cast("dict[str, t.Any]", end.value or {})
            except ActFailed:
                self.inside = None
                raise
            yield Moment(task.name, name, inner)
            if not host.on or host.boots != boots:
                self.inside = None
                work.close()
                raise ActFailed("no answer", unreachable=True)
            if not self.world.reaches(CONTROLLER, name):
                for _rest in work:  # the module goes on without its controller
                    pass
                self.inside = None
                raise ActFailed("no answer", unreachable=True)

    def _must_answer(self, name: str) -> None:
        if not self.world.reaches(CONTROLLER, name):
            raise ActFailed("Connection timed out", unreachable=True)

    def _may_fail(self, task: Task) -> bool:
        if task.may_fail == "always":
            return True
        return "accept_data_loss" in task.may_fail and bool(self.options["accept_data_loss"])

    def _does(self, when: tuple[Condition, ...], name: str) -> bool:
        return all(self._holds(each, name) for each in when)

    def _holds(self, condition: Condition, name: str) -> bool:
        if condition.kind == "text":
            rule = acts.CONDITIONS.get(condition.text)
            return True if rule is None else rule(self, name)
        named = [host for where, step in condition.steps for host in self._steps(where).get(step, [])]
        return bool(named) if condition.kind == "any" else (name in named) == (condition.kind == "in")

    def _steps(self, where: str) -> dict[str, list[str]]:
        if where == "differing":  # of all that a host has outside of its data the model knows the interlock
            asked = self.judged["steps"]["interlock"]
            without = [name for name in asked if not self.world.hosts[name].interlock]
            return {"programs": without, "bring_up": without}
        judged = {"judged": self.judged, "standby_salvage": self.salvaged, "server_rollback": self.rolled_back}[where]
        return t.cast("dict[str, list[str]]", judged.get("steps") or {})


def execute(world: World, workflow: str, **options: t.Any) -> Run:
    """Run a playbook to its end."""
    run = Run(world, workflow, options)
    run.go()
    return run


def observations(world: World) -> dict[str, t.Any]:
    """Return what all master hosts look like."""
    return {name: observe(world, name) for name in world.hosts}


def state(world: World) -> dict[str, t.Any]:
    """Return what ``state.yml`` says, without a run of it."""
    witnesses = {name: observe(world, name) for name in world.segments}
    return judging.document(observations(world), judging.DEFAULTS, witnesses)


__all__ = ["PLAYS", "Moment", "Run", "execute", "observations", "state"]
