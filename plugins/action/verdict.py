# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import functools
import hashlib
import os
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    guarded,
    identify,
    init_master,
    init_segments,
    init_standby,
    inventory,
    removal,
    renamed,
    rollback,
    startable,
    switchover,
    takeover,
    topology,
    uninstall,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import judge as failover
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import promised, promising
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.options import Options
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal, Verdict, decide
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import clusters
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import judge as state
from ansible_collections.hawq.mirroring.plugins.module_utils.report import layout, sources
from ansible_collections.hawq.mirroring.plugins.module_utils.report import refusal as refusal_text
from ansible_collections.hawq.mirroring.plugins.module_utils.values import phases, reach, shape
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import inventory_in_use, playbook
from ansible_collections.hawq.mirroring.plugins.module_utils.values.observation import Hosts, Observation, Observations
from ansible_collections.hawq.mirroring.plugins.module_utils.values.places import UNIT
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _run

ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")
#: the collection's own programs on a host, each with the role that has it
PROGRAMS = {"interlock": "server", "peer": "ssh_keys", "virtual-ip": "virtual_ip"}
ANSWER_SECONDS = 120
WORKFLOWS = {
    "init_standby": init_standby.judge,
    "init_master": init_master.judge,
    "init_segments": init_segments.judge,
    "resync_standby": resync.judge,
    "switchover": switchover.judge,
    "failover": failover.judge,
    "remove_standby": removal.judge,
    "uninstall": uninstall.judge,
}
#: variables that observing tasks register
OBSERVED, PLACES, TRIAL, SEEN_AGAIN = "server_observed", "places", "standby_trial", "server_seen_again"
#: judgements in the middle of a workflow
MIDDLE = ("salvage", "rollback", "trial")
#: the one of a failover, when the witnesses have promised what they were asked for
PROMISED, PROMISE_MADE = "promised", "promise_made"
#: no place has to be looked at first
NOWHERE: dict[str, list[str]] = {"directories": [], "libraries": []}
#: those that make a copy, and so ask for the places of tablespaces
COPYING = ("init_standby", "resync_standby")


def _programs() -> dict[str, str]:
    """Return the digest of each program of this collection, as it would be installed now."""
    found = {}
    for name, role in PROGRAMS.items():
        path = os.path.join(ROLES, role, "files", f"hawq-mirroring-{name}")
        with open(path, "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def _planned(plan: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a plan as the tasks read it: who does which step, who has a part in which phase, who is looked at more."""
    steps = plan["steps"]
    return {"plan": plan, "steps": steps, "phases": phases.of(steps), "closer": steps.get("trial") or [], **NOWHERE}


class ActionModule(ActionBase):
    """Judge on the controller what the hosts' observations mean."""

    _requires_connection = False

    @_guard.sentence("what was found could not be judged, and nothing was changed by that")
    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the topology and the plan; fail with every refusal."""
        variables = task_vars or {}
        result = super().run(tmp, task_vars)
        result["changed"] = False
        run, workflow = _run.Run(variables, self._task.check_mode), self._task.args.get("workflow", "state")
        with inventory_in_use(run.sources, run.cluster, run.typed):
            if workflow in MIDDLE:
                middle = {"salvage": self._salvage, "rollback": self._rollback, "trial": self._trial}[workflow]
                return {**result, **self._go_on(middle(run), commands=workflow == "trial")}
            if workflow == PROMISED:
                return {**result, **self._promised(run)}
            if workflow == "state":
                return {**result, "mark": time.time(), "state": self._states(run)}
            observations, options = self._judged_by(run, workflow)
            if self._task.args.get("started") and not options["damaged"]:
                return result
            options["witnesses"] = self._witnesses(run)
            places = self._places(run, workflow, observations, options)
            if places:
                return {**result, **places}
            judged = self._judge(workflow, observations, options)
            answer = self._answer(run, workflow, judged, options.get("failed_routes") or {})
            if judged.plan:
                found = self._state(run, observations, options, judged.plan.get("standby"))
                answer.update(mark=time.time(), state=found)
        return {**result, **answer}

    def _states(self, run: _run.Run) -> dict[str, t.Any]:
        """Return the state, or that of every cluster."""
        if not run.clusters():
            return self._state(run, *self._judged_by(run, "state"))
        found = {}
        for name, one in run.clusters().items():
            with inventory_in_use(run.sources, name):
                found[name] = self._state(one, *self._judged_by(one, "state"))
        return clusters.together(found)

    def _judged_by(self, run: _run.Run, workflow: str) -> tuple[Observations, Options]:
        """Return what is judged, with the names that hosts have now, and with which options."""
        observations, names = renamed.translated(self._observations(run, run.masters))
        options = t.cast("Options", {**self._options(run, workflow), "renamed": names})
        return observations, guarded.resolved(observations, options, workflow)

    def _witnesses(self, run: _run.Run) -> Observations:
        """Return what was seen of the segments, and of hosts that only bear witness.

        Of another cluster one of the latter may be a segment: what it remembers of that one is not asked for.
        """
        found = self._observations(run, [*run.segments, *run.only_witnesses])
        for name in run.only_witnesses:
            if "programs" in found[name]:
                programs = {key: each for key, each in found[name]["programs"].items() if key != "segment"}
                nothing = {"witness": None, "witness_damage": None, "programs": programs}
                found[name] = t.cast("t.Any", {**found[name], **nothing})
        return found

    def _state(
        self, run: _run.Run, observations: Observations, options: Options, settled: str | None = None
    ) -> dict[str, t.Any]:
        # of a playbook that does not look at segments nothing is said of them
        found = {name: seen for name, seen in self._witnesses(run).items() if run.read(name, OBSERVED)}
        options = t.cast(Options, {**options, "witnesses": found})
        return state.document(observations, self._endpoints(observations), options, settled)

    def _judge(self, workflow: str, observations: Observations, options: Options) -> Verdict:
        hosts = self._endpoints(observations)
        judged = inventory.judged(WORKFLOWS[workflow], observations, hosts, options)
        if len(judged.refusals) == 1 and judged.refusals[0].asks and self._told(workflow, judged.refusals[0]):
            options = t.cast(Options, {**options, judged.refusals[0].asks[0]: True})
            judged = inventory.judged(WORKFLOWS[workflow], observations, hosts, options)
        return judged

    @staticmethod
    def _go_on(judged: Verdict, commands: bool = False) -> dict[str, t.Any]:
        """Return the plan of the rest of a workflow, or why it ends here: much was done, so the report tells that."""
        if judged.refusals:
            told = [row.sentence() if commands else f"{row.found}: {row.why}" for row in judged.refusals]
            return {"failed": True, "msg": (" " if commands else "; ").join(told)}
        return _planned(judged.plan)

    @staticmethod
    def _answer(run: _run.Run, workflow: str, judged: Verdict, tried: dict[str, str] | None = None) -> dict[str, t.Any]:
        """Return the plan, or say why there is none: to people at once, to programs in the report."""
        if not judged.refusals:
            return _planned(judged.plan)
        rows = [
            {"kind": row.kind, "found": row.found, "why": row.why, "command": row.command} for row in judged.refusals
        ]
        _run.refuse(run, workflow, rows)
        Display().display(refusal_text.text(workflow, rows, tried, run.after_swap))
        if run.after_swap:
            command = playbook("resync_standby", standby_host=run.options["standby_host"])
            Display().display(layout.item("Next", f"when that is mended, let it follow: {command}"))
        reasons = "the reason" if len(rows) == 1 else f"the {len(rows)} reasons"
        return {
            "failed": True,
            "refused": True,
            "kinds": [row.kind for row in judged.refusals],
            "msg": f"{workflow} is refused: {reasons} can be read above",
        }

    def _options(self, run: _run.Run, workflow: str) -> Options:
        """Return what the workflow is told beside the observations, and what it has found out itself until now."""
        here = {"check": run.check, "programs": _programs(), "inventory": run.inventory}
        here["only_witnesses"] = run.only_witnesses
        told = t.cast(Options, {**run.options, **here, **self._task.args.get("options", {})})
        before = run.judged.get("plan") or {}
        if workflow != "resync_standby" or before.get("workflow") != workflow:
            return told
        found = run.read(before["standby"], "standby_divergence").get("divergence") or before["divergence"]
        failed = dict(before["failed_routes"])
        done = {"rewind": "standby_rewound", "delta": "standby_compared"}.get(before["route"])
        reason = run.read(before["standby"], done).get("reason") if done else None
        if reason:
            failed[before["route"]] = reason
        damage = self._damage(run, before, failed) if self._task.args.get("started") else None
        if damage:  # and so a start without mending it would fail as well
            failed = {"start": damage, **failed, before["route"]: damage}
        return {**told, "divergence": found, "failed_routes": failed, "damaged": bool(damage)}

    @staticmethod
    def _damage(run: _run.Run, plan: dict[str, t.Any], failed: dict[str, str]) -> str | None:
        """Return what the server that was started last has said of damaged data, and did not say before."""
        told = run.read(plan["standby"], "ansible_failed_result").get("damaged")
        seen = run.read(plan["standby"], OBSERVED).get("observation") or {}
        return told if told and told not in failed.values() else seen.get("server_damage")

    @staticmethod
    def _places(
        run: _run.Run, workflow: str, observations: Observations, options: Options
    ) -> dict[str, list[str]] | None:
        """Return what must be looked at first: where the master's tablespaces go, and libraries by their path."""
        if workflow not in COPYING or any(run.read(name, PLACES) for name in observations):
            return None
        if identify.master_of(observations)[0] is None:
            return None
        servers = [server for seen in observations.values() if (server := seen.get("server"))]
        found = [row["location"] for server in servers for row in server["tablespaces"]]
        needs = [needed for server in servers if (needed := server.get("needs"))]
        places = {
            # what is replayed knows nothing of the mapping
            "directories": list(
                dict.fromkeys([*(options["tablespace_mapping"].get(each, each) for each in found), *found])
            ),
            "libraries": list(dict.fromkeys(row["path"] for each in needs for row in each["libraries"] if row["path"])),
        }
        closer = [*places["directories"], *places["libraries"]]
        return {**places, "closer": closer} if closer else None

    @staticmethod
    def _salvage(run: _run.Run) -> Verdict:
        """Judge, when the old master stands still, what the standby lacks."""
        plan = run.judged["plan"]
        old, new = plan["old"], plan["new"]
        started = run.read(new, "standby_observed_started")
        again = run.read(new, "standby_observed_again")
        seen = next((each for each in (started, again, run.read(new, OBSERVED)) if "observation" in each), {})
        last = again if plan.get("again") else seen
        observation = last.get("observation")
        found = takeover.Found(
            standby=observation,
            trouble=str(last.get("msg") or (topology.describe(observation) if observation else "")),
            started="observation" in started,
            offered=sources.offered(plan, run.read),
            unfetched="msg" in run.read(new, "standby_fetched"),
            port=_run.ssh_port(functools.partial(run.value, old)) if old else 22,
            unit=str(run.value(old, "server_service") or UNIT) if old else "",
        )
        return takeover.salvage(plan, found, {"check": run.check, "accept_data_loss": run.options["accept_data_loss"]})

    def _promised(self, run: _run.Run) -> dict[str, t.Any]:
        """Judge a failover by what its witnesses have told with their promises.

        At first it says who has a promise to take back when it does not go on; then it is the plan, or the refusal.
        """
        plan, workflow = run.judged["plan"], "failover"
        observations, options = self._judged_by(run, workflow)
        results = {name: run.read(name, PROMISE_MADE) for name in plan["promise"]["asked"]}
        answers = promising.heard({name: each for name, each in results.items() if "kept" in each})
        known = promised.records(self._witnesses(run), options.get("ignore_witness") or [])
        judged, withdraw = promised.concluded(plan, answers, known, observations, options)
        if not self._task.args.get("settled"):
            return {"withdraw": withdraw if judged.refusals else []}
        before: dict[str, t.Any] = {name: run.judged[name] for name in ("mark", "state") if name in run.judged}
        return {**before, **self._answer(run, workflow, judged)}

    def _trial(self, run: _run.Run) -> Verdict:
        """Judge, when the programs are there, whether the copy would start."""
        plan = run.judged["plan"]
        seen = self._observations(run, [plan["master"], plan["standby"]])
        refusals = startable.refusals(plan["standby"], seen[plan["standby"]], plan["master"], seen[plan["master"]])
        return decide(plan, refusals)

    def _rollback(self, run: _run.Run) -> Verdict:
        """Judge, when a switchover is given up, whether the old master may serve again."""
        plan = run.judged["plan"]
        return rollback.judge(plan, self._observations(run, plan["steps"]["rollback_look"], SEEN_AGAIN))

    @staticmethod
    def _told(workflow: str, refusal: Refusal) -> bool:
        """On a terminal the operator may say there and then what a refusal waits for; elsewhere it stays one."""
        if refusal.asks is None:
            return False
        question = (
            f"{workflow}: {refusal.found}: {refusal.why}. {refusal.command}.\n"
            f"If it is certain, type {refusal.asks[1]} and Enter within {ANSWER_SECONDS} s; Enter alone refuses"
        )
        try:
            answer = Display().prompt_until(question, seconds=ANSWER_SECONDS)
        except AnsibleError:  # there is no terminal, or the operator interrupts
            return False
        return isinstance(answer, bytes) and answer.decode(errors="replace").strip() == refusal.asks[1]

    @staticmethod
    def _endpoints(observations: Observations) -> Hosts:
        """Address and port of each host; of one that could not be looked at, as its peers know them."""
        known: Hosts = {name: {"address": name, "port": 5432} for name in observations}
        for seen in observations.values():
            for name, probe in (seen.get("probes") or {}).items():
                known[name] = {"address": probe["address"], "port": probe["port"]}
        known.update({name: seen["endpoint"] for name, seen in observations.items() if seen.get("endpoint")})
        return known

    @staticmethod
    def _observations(run: _run.Run, names: list[str], register: str = OBSERVED) -> Observations:
        """Collect what the observing tasks registered on each of these hosts, in the inventory's order."""
        found: dict[str, t.Any] = {}
        for name in names:
            answer, later = run.read(name, register), run.read(name, PLACES)
            if "observation" in answer:
                found[name] = {**answer["observation"]}
                if "observation" in later:
                    found[name].update({part: later["observation"].get(part) for part in ("directories", "offers")})
                tried = run.read(name, TRIAL)
                if tried.get("trial"):
                    found[name]["trial"] = tried["trial"]
                elif tried.get("msg"):  # no reason not to copy
                    Display().warning(f"whether the copy would start on {name} could not be tried: {tried['msg']}")
                wrong = shape.misfits(found[name], Observation)
                if wrong:  # it is judged all the same: at night a field that nobody reads must stop nothing
                    Display().warning(
                        f"the observation of {name} is not what this version of the collection expects"
                        f" ({'; '.join(wrong[:3])}). Report this line to its authors"
                    )
            else:
                found[name] = reach.away(name, answer, run.login(name))
        return found
