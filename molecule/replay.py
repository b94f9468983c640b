# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays a schedule of the simulated life in the model and on the lab's hosts, side by side, and compares them.

After each step the model and the hosts must come to say the same. The model's clock follows the lab's, so that what
takes its time (a silent connection that is given up) has the same time in both.

What is not compared, and why:

- Positions in the WAL: a real server writes records of its own. Which rows a server shows is compared instead, and
  which timeline it is on, counted from the one with which the test begins.
- The checkpoint's timeline in the control file while a server runs: just after a promotion that changes by itself. The
  newest timeline that control file and history files tell of is compared.
- A row that is on its way when a fault comes (``busy``): on real hosts nobody can place it so exactly. It is committed,
  and has come over, before the fault.
- A kill inside of a module: a module is killed by its own tests. A run is held or killed just before its next task.
- ``failed`` and ``inactive`` of a unit that is down: it depends on what it was before, and nothing asks for it.
- A host that the controller does not reach: nobody can ask it.
- Segments: the scenario has none. Schedules are played without.
- What depends on ``stale_seconds``: the machine of the tests may be slow, so both get an hour.
- Problems of the kinds in OWN_PROBLEMS, which the model has not.
- What a server without a free session has replayed: nobody can ask it.
- A query that holds replay up, before something comes that it holds up: on hosts the one comes with the other.
- The words of a refusal, and what the operator types on the way home: unit tests and the simulated life have these.
"""

from __future__ import annotations

import collections
import json
import subprocess
import time
import typing as t
from pathlib import Path

from advice import Operator
from harness import DATA, SERVICE, Pair, lab, on, sql
from held import Held
from replay_steps import CABLES, ON_HOST, commit, end_clients
from simulation import life
from simulation.play import ALONE, THREE, Player, Step
from simulation.play import pair as simulated_pair
from simulation.playbook import Task
from simulation.run import Moment, Run, state
from simulation.wal import bits
from simulation.world import CONTROLLER, Host, World

#: seconds within which the hosts must come to what the model says
AGREE = 60
#: seconds for which both believe what they have heard
STALE = 3600
#: problems of what the model has not: the address that follows the master, and the setting that lets a query hold
#: replay up for ever
OWN_PROBLEMS = ("address-elsewhere", "address-program", "address-taken", "settings-harmful")
#: commands that lead home on the lab; how many are needed at most is for the rounds to say
MOST = 12
View = dict[str, t.Any]


class Stopping(Run):
    """A run of the model that stops only before a task of which nothing is done yet."""

    def __init__(self, world: World, workflow: str, options: dict[str, t.Any] | None = None) -> None:
        """Begin."""
        self._begun: collections.Counter[str] = collections.Counter()
        #: the task before which it stands and how often it was done before, when a real run can be held there
        self.gate: tuple[str, int] | None = None
        super().__init__(world, workflow, options)

    def _task(self, task: Task, names: list[str]) -> t.Iterator[Moment]:
        shows = not task.module.startswith("role ") and task.module != "meta" and "{{" not in task.name
        first = True
        for moment in super()._task(task, names):
            self.gate = (task.name, self._begun[task.name]) if first and shows else None
            self._begun[task.name] += first
            first = False
            yield moment

    def go(self, most: int | None = None) -> None:
        """Go on for so many moments, and then to the next task."""
        super().go(most)
        self._to_a_task(most is not None)

    def kill(self, after: int) -> None:
        """Kill it there."""
        self.go(after)
        super().kill(0)

    def _to_a_task(self, stops: bool) -> None:
        while stops and self.ended is None and self.gate is None:
            self.step()


class Both(Player):
    """Plays in the model, on a pair without segments."""

    make = Stopping

    def __init__(self, master: str) -> None:
        """Begin with a pair; readiness is for the simulated life to try."""
        super().__init__(simulated_pair(2, segments=False, master=master), losses=())


class Replay:
    """One schedule, in the model and on the lab."""

    def __init__(self, pair: Pair, operator: Operator, folder: Path) -> None:
        """Begin with a pair that state.yml calls well."""
        self.model, self.operator, self._folder = Both(pair.master), operator, folder
        self._pair = pair
        self._runs: dict[str, Held] = {}
        self._number = 0
        for host in pair:
            end_clients(host)
        sql(pair.master, "DROP TABLE IF EXISTS replayed, held; CREATE TABLE held (n int)")
        sql(pair.master, "CREATE TABLE replayed (n int PRIMARY KEY)")
        for number in range(len(self.model.world.rows)):
            commit(pair.master, number)
        self._timelines = int(sql(pair.master, "SELECT timeline_id FROM pg_control_checkpoint()")) - 1
        self._clock = time.monotonic()

    def play(self, steps: list[Step]) -> None:
        """Play all steps, and compare after each."""
        self._agree({"do": "nothing yet"})
        try:
            for step in prepared(steps, self._pair):
                self._step(step)
        finally:
            for run in self._runs.values():
                run.kill()

    def _step(self, step: Step) -> None:
        world, before = self.model.world, len(self.model.world.rows)
        self.model.step(step)
        done = self.model.record[-1]
        self.operator.world.say(f"step {json.dumps(step)}: {done['said'] or 'nothing happens'}")
        for number, row in enumerate(world.rows[before:], before):
            if any(each.server and each.server.blocked for each in world.hosts.values()):
                sql(row.host, "TRUNCATE held")  # what the query holds up; the row comes after that
            commit(row.host, number)
        answer = self._do(step, done)
        if answer:
            self._same(step, answer)
        nothing = done["said"] is None and step["do"] != "take over"
        if not nothing and step["do"] not in (ALONE, "block replay"):
            self._agree(step)

    def _do(self, step: Step, done: Step) -> View | None:
        """Do it on the lab; return how a run has ended there."""
        what, host = step["do"], str(done.get("host") or "")
        if what == "run":
            self._begin(step)
        elif what in ("go", "kill"):
            return self._go(step)
        elif what == "home":
            self._home()
        elif what == "take over":
            self.operator.take_over()
        elif done["said"] and what in CABLES:
            lab(CABLES[what], *host.split("-"))
        elif done["said"] and what in ON_HOST:
            ON_HOST[what](host)
        return None

    def _begin(self, step: Step) -> None:
        self._number += 1
        options = {name: json.dumps(value).strip('"') for name, value in (step.get("options") or {}).items()}
        words = [word for name, value in options.items() for word in ("-e", f"{name}={value}")]
        self._runs[step.get("who", "A")] = Held(self._folder / f"run{self._number}", step["playbook"], *words)

    def _go(self, step: Step) -> View | None:
        who = step.get("who", "A")
        run, model = self._runs.get(who), self.model.runs.get(who)
        if run is None or not isinstance(model, Stopping):
            return None
        held = model.gate if model.ended in (None, "killed") else None
        at = run.go(held)
        assert bool(at) == bool(held), f"the run on the lab has ended before it came to {held}: {run.report()}"
        if model.ended is None:
            return None
        del self._runs[who]
        if model.ended == "killed":
            run.kill()
            return None
        return _end_of(run)

    def _home(self) -> None:
        for who in list(self._runs):
            run = self._runs.pop(who)
            run.go()
            run.report()
        self.operator.home(MOST)

    def _same(self, step: Step, answer: View) -> None:
        """A run must end in the same way, and be refused for the same."""
        run = self.model.runs[step.get("who", "A")]
        said = {"done": run.ended == "done", "refusals": {row.kind for row in run.refusals}}
        if said != answer:
            self.differ(step, f"the run in the model: {said} {run.messages}; on the lab: {answer}")

    def differ(self, step: Step, what: str) -> None:
        """Fail with a difference; what comes after it says nothing."""
        print(what, flush=True)
        raise AssertionError("\n".join([f"after {json.dumps(step)}: {what}", *self.operator.world.story]))

    def _agree(self, step: Step) -> None:
        """Wait until the hosts say what the model says, while time passes in both."""
        deadline = time.monotonic() + AGREE
        while True:
            real = {name: on_lab(name, self._timelines) for name in self._pair}
            self._pass_time()
            said = {name: in_model(self.model.world, host) for name, host in self.model.world.hosts.items()}
            found = _differences(said, real)
            if not found and not self._runs:
                found = self._state()
            if not found:
                return
            if time.monotonic() > deadline:
                self.differ(step, "; ".join(found))
            time.sleep(1)

    def _pass_time(self) -> None:
        now = time.monotonic()
        left, self._clock = now - self._clock, now
        while left > 0:
            life.settle(self.model.world, min(10, left))
            left -= 10

    def _state(self) -> list[str]:
        """Compare what state.yml says."""
        seen = self.operator.look()
        self._pass_time()
        said = state(self.model.world)
        here, there = _verdict(said), _verdict(seen)
        return [
            f"{key}: the model's state says {here[key]}, state.yml says {there[key]}"
            for key in here
            if here[key] != there[key]
        ]


def _end_of(run: Held) -> View:
    done, report = run.report()
    return {"done": done, "refusals": {row["kind"] for row in report.get("refusals") or []}}


def prepared(steps: list[Step], pair: Pair) -> t.Iterator[Step]:
    """Yield the steps of a schedule as they are played here; who is the master when it begins is called mdw in it."""
    names = dict(zip(("mdw", "smdw"), pair))
    yield {"do": ALONE}
    for step in steps:
        if step["do"] == ALONE or "sdw1" in str(step.get("at", "")):
            continue
        assert step["do"] != THREE
        if step.get("busy"):
            yield {"do": "work"}
        found = {name: value for name, value in step.items() if name != "busy"}
        if "at" in step:
            found["at"] = "-".join(names.get(each, each) for each in step["at"].split("-"))
        yield found
        if step["do"] == "block replay":
            yield {"do": "work"}


def _verdict(document: View) -> View:
    kinds = {row["kind"] for row in document["problems"]}
    return {
        "masters": sorted(map(str, document["masters"])),
        "standbys": sorted(map(str, document["standbys"])),
        "healthy": not kinds - {*OWN_PROBLEMS},
        "problems": sorted(kinds - {*OWN_PROBLEMS}),
    }


def in_model(world: World, host: Host) -> View:
    """Return what the model says of a host."""
    if not world.reaches(CONTROLLER, host.name):
        return {"reached": False}
    data, server, unit = host.data, host.server, host.unit.active
    found: View = {
        "reached": True,
        "unit": unit if unit in ("active", "activating") else "down",
        "enabled": host.unit.enabled,
        "data": data is not None,
    }
    if data:
        found.update(signal=data.signal, fence=data.fence is not None, timeline=data.newest, unfinished=data.unfinished)
    if server and data:
        mute = "frozen" if server.frozen else "mute" if server.crowded else ""
        found["server"] = mute or ("standby" if server.standby else "master")
        found["rows"] = [] if mute else bits(data.replayed.rows)
    else:
        found["server"] = "none"
    return found


LOOK = f"""cd /; d={DATA}
echo unit $(systemctl is-active {SERVICE}); echo enabled $(systemctl is-enabled {SERVICE})
[ -e $d/PG_VERSION ] && echo data yes
[ -e $d/standby.signal ] && echo signal yes
[ -e $d/hawq_mirroring.fence ] && echo fence yes
[ -e $d.hawq-unfinished ] && echo unfinished yes
ls $d/pg_wal 2>/dev/null | sed -n 's/^\\([0-9A-F]*\\)\\.history$/history \\1/p'
$(ls -d /usr/lib/postgresql/*/bin | tail -1)/pg_controldata $d 2>/dev/null |
  sed -n 's/.*\\(TimeLineID\\|timeline\\): */timeline /p'
pid=$(head -1 $d/postmaster.pid 2>/dev/null)
[ "$pid" ] && grep -q postgres /proc/$pid/comm 2>/dev/null && sed -n 's/^State:[[:space:]]*/state /p' /proc/$pid/status
ask() {{ timeout 5 runuser -u gpadmin -- psql -h /tmp -XAtqd postgres -c "$1" 2>/dev/null; }}
echo recovery $(ask 'SELECT pg_is_in_recovery()'); echo rows $(ask 'SELECT n FROM replayed ORDER BY n')
true"""


def on_lab(host: str, timelines: int) -> View:
    """Return what a host says, in the same words; timelines count from the one with which the test began."""
    said: dict[str, list[str]] = collections.defaultdict(list)
    try:
        printed = on(host, LOOK, seconds=60)
    except (AssertionError, subprocess.TimeoutExpired):
        return {"reached": False}
    for line in printed.splitlines():
        word, _space, rest = line.partition(" ")
        said[word] += [rest] if word != "rows" else rest.split()
    unit = said["unit"][0]
    found: View = {
        "reached": True,
        "unit": unit if unit in ("active", "activating") else "down",
        "enabled": said["enabled"] == ["enabled"],
        "data": bool(said["data"]),
    }
    if said["data"]:
        newest = max([*(int(each) for each in said["timeline"]), *(int(each, 16) for each in said["history"])])
        found.update(
            {word: bool(said[word]) for word in ("signal", "fence", "unfinished")}, timeline=newest - timelines
        )
    recovery = said["recovery"][0]
    if not said["state"]:
        found["server"] = "none"
    elif said["state"][0].startswith("T"):
        found["server"] = "frozen"
        found["rows"] = []
    else:
        found["server"] = {"t": "standby", "f": "master"}.get(recovery, "mute")
        found["rows"] = [int(each) for each in said["rows"]]
    return found


def _differences(said: dict[str, View], real: dict[str, View]) -> list[str]:
    return [
        f"{name}: {word} is {said[name].get(word)} in the model and {real[name].get(word)} on the lab"
        for name in said
        for word in {**said[name], **real[name]}
        if said[name].get(word) != real[name].get(word)
    ]
