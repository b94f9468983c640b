# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import re
import time
import traceback
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils.report import (
    clusters,
    document,
    failover,
    failure,
    removal,
    resync,
    segments,
    sources,
    state,
    switchover,
    uninstall,
    work,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.values import forms
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import inventory_in_use, playbook
from ansible_collections.hawq.mirroring.plugins.module_utils.values.text import sentence
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _run

try:
    import jmespath

    HAS_JMESPATH = True
except ImportError:
    HAS_JMESPATH = False

#: shows a shell nothing but the value that was asked for
VALUE_CALLBACK = "hawq.mirroring.value"

WORKFLOWS: dict[str, t.Callable[[dict[str, t.Any]], dict[str, t.Any]]] = {
    "init_master": work.init_master,
    "init_standby": work.init_standby,
    "init_segments": segments.report,
    "failover": failover.report,
    "switchover": switchover.report,
    "resync_standby": resync.report,
    "remove_standby": removal.report,
    "uninstall": uninstall.report,
}


class ActionModule(ActionBase):
    """Show what has come of a run to people, and write it for programs, on the controller."""

    _requires_connection = False

    @_guard.sentence("the report could not be made")
    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Print the text (or one value), write the JSON file, fail when it is bad news."""
        result = {**super().run(tmp, task_vars), "changed": False}
        variables, arguments = task_vars or {}, self._task.args
        run = _run.Run(variables, self._task.check_mode)
        with inventory_in_use(run.sources, None if run.clusters() else run.cluster, run.typed):
            if arguments.get("workflow") == "state":
                return {**result, **self._state(run)}
            if arguments.get("failed"):
                return {**result, **self._failed(run, variables)}
            if arguments.get("bill"):
                return {**result, "text": self._bill(run)}
            return {**result, **self._ended_well(run, variables)}

    def _ended_well(self, run: _run.Run, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Report a run that has come to its end. What is done is done: a report that cannot be made does not undo it,
        and keeps nothing that follows from its turn.
        """
        try:
            return self._ended(run, variables)
        except AnsibleError:
            raise
        except Exception as error:
            workflow = self._task.args["workflow"]
            text = (
                f"{workflow} has come to its end, and its report could not be made, by a fault of this collection:"
                f" {_guard.told(error)}. Report this line to its authors. What there is now: {playbook('state')}"
            )
            Display().warning(text)
            Display().vvv(traceback.format_exc())
            document_ = document.envelope(workflow, document.DONE, run.began, time.time(), run.check)
            trouble = {"title": text, "facts": {}, "next": [str(playbook("state"))], "plan": run.judged["plan"]}
            if self._task.args.get("write", True):
                _run.write(run.path(workflow), {**document_, **trouble})
            return {"text": text}

    def _ended(self, run: _run.Run, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Report a run that has come to its end."""
        workflow, now, plan = self._task.args["workflow"], time.time(), run.judged["plan"]
        told = self._told(run, workflow, variables)
        body = WORKFLOWS[workflow](told)
        nothing = body.pop("nothing", False)
        told.pop("notes", None)  # of before the run
        if run.check:
            body = work.checked(body)
        trouble = told.get("trouble")
        outcome = document.FAILED if trouble else document.NOTHING if nothing else document.DONE
        report = {
            **told,
            **document.envelope(workflow, outcome, run.began, now, run.check),
            **body,
            **document.timed(told["marks"], now, run.check),
            "plan": plan,
        }
        text = work.text(report)
        if self._task.args.get("write", True):
            _run.write(run.path(workflow), report)
        Display().display(text)
        return {"text": text, **({"failed": True, "msg": trouble} if trouble else {})}

    def _told(self, run: _run.Run, workflow: str, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the tasks of a workflow have told, and what else its report is made of."""
        plan = run.judged["plan"]
        found = sources.parts(workflow, plan, run.read)
        marks = {"began": run.began, document.LOOK: run.judged["mark"]}
        told: dict[str, t.Any] = {"check": run.check, "plan": plan, "marks": marks, **found}
        if workflow in ("failover", "switchover"):
            told.update(
                offer=sources.offered(plan, run.read), virtual_ip=self._variable(variables, "virtual_ip_address")
            )
            told["trouble"] = told["activation"].get("address_trouble") or ""
            told.pop("asked")
        if workflow == "switchover":
            # text, where Ansible keeps no types
            told["served"] = marks["swap"] = float(self._variable(variables, "switchover_served"))
        if workflow in ("init_standby", "resync_standby", "init_segments"):
            told["changed"] = sources.changed(variables["ansible_play_hosts_all"], run.read)
        if workflow in ("init_standby", "resync_standby"):
            started, finished, deployed = (told.pop(name) for name in ("started", "finished", "deployed"))
            told["left_out"] = told.pop("left_out").get("skipped") or {}
            told["mirroring"] = told.pop("mirrored").get("mirroring") or {}
            told["kept"] = [*(started.get("kept") or []), *(deployed.get("kept") or [])]
            told["notes"] = state.sentences(self._beside(run))
            marks.update({"prepare": started.get("mark"), "copy and verify": finished.get("mark")})
        if workflow == "uninstall":
            told["changed"] = sources.changed(variables["ansible_play_hosts_all"], run.read, sources.UNINSTALLED)
        if workflow == "resync_standby":
            told["relations"] = told.pop("named").get("names") or []
        if workflow == "remove_standby":
            told = {"check": run.check, "plan": plan, "marks": marks, "done": found}
            managed = boolean(self._variable(variables, "server_manage_unit"), strict=False)
            told["unit"] = "" if managed else self._variable(variables, "server_service")
        return told

    def _variable(self, variables: dict[str, t.Any], name: str) -> t.Any:
        return self._templar.template(variables.get(name, ""))

    def _bill(self, run: _run.Run) -> str:
        plan = run.judged["plan"]
        names = sources.part(sources.SOURCES["resync_standby"]["named"], plan, run.read).get("names") or []
        text = resync.bill({"plan": plan, "relations": names})
        Display().display(text)
        return text

    def _failed(self, run: _run.Run, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Report a run that has failed: what Ansible has said of it stands above, and is not said again."""
        plan = run.judged["plan"]
        workflow, names = plan["workflow"], variables["ansible_play_hosts_all"]
        causes = {name: run.read(name, "ansible_failed_result") for name in names}
        told = {name: str(answer.get("msg", "see above")) for name, answer in causes.items() if answer}
        answered = [name for name in names if "ping" in run.read(name, "answered")]
        taken_back, given_up = (bool(self._task.args.get(name)) for name in ("taken_back", "given_up"))
        lost = failure.silent(name for name in names if answered and name not in answered)
        if not taken_back and any(answer.get("refused") for answer in causes.values()):
            return {"failed": True, "msg": f"{workflow} is refused, as told above"}
        if taken_back:
            pair = list(plan["endpoints"])
            undone = {plan[who]: sources.part(source, plan, run.read) for who, source in sources.UNDONE.items()}
            why = failure.sentences(
                {
                    "engine": plan["engine"],
                    "pair": pair,
                    "answered": [name for name in pair if name in answered],
                    "causes": {name: text for name, text in told.items() if name in pair},
                    "undone": {name: undone.get(name, {}) for name in pair},
                }
            )
        elif given_up:
            back = failure.Back(**sources.rollback(plan, run.read))
            why = failure.given_up(plan, told, back)
        else:
            record, active = (
                run.read(plan.get(who), register)
                for who, register in (("old", "server_fenced"), ("new", "master_activated"))
            )
            lost += failure.fenced(plan, record.get("record"), bool(active.get("timeline")))
            why = [*dict.fromkeys(f"{name}: {sentence(text)}" for name, text in told.items()), *lost]
        follow = failure.after_that(plan, back) if given_up else failure.follow(plan, again=not taken_back)
        report = document.failed(workflow, run.began, time.time(), run.check, why, follow)
        run.end_badly({**report, "plan": plan})
        shown = why if taken_back or given_up else lost
        Display().display(failure.text(workflow, shown, follow))
        return {"failed": True, "msg": f"{workflow} has failed, as told above"}

    def _state(self, run: _run.Run) -> dict[str, t.Any]:
        found, options = run.judged["state"], run.options
        query, problems = options["state_query"], found["problems"]
        outcome = document.FAILED if options["state_fail"] and problems else document.DONE
        code = found["exit_code"] if options["state_fail"] else 0
        envelope = document.envelope("state", outcome, run.began, time.time(), run.check)
        report = {**found, **envelope}
        asked = {"value": forms.bare(self._value(report, found, query))} if query else {}
        words = clusters.text if "clusters" in found else state.text
        text = asked["value"] if query else words(found)
        _run.write(run.path("state"), report)
        if not (query and constants.DEFAULT_STDOUT_CALLBACK == VALUE_CALLBACK):  # which prints it itself
            Display().display(text)
        if not (options["state_fail"] and problems):
            return {"text": text, "exit_code": code, **asked}
        number = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        told = "; ".join(state.sentences(problems)) if query else f"the state has {number}, told above"
        return {"failed": True, "exit_code": code, "msg": told, **asked}

    @staticmethod
    def _beside(run: _run.Run) -> list[dict[str, t.Any]]:
        """Return what the state before a run has found that the run does not settle."""
        found, plan = run.judged["state"], run.judged["plan"]
        others = [row for row in found["problems"] if row["host"] not in (None, plan["master"], plan["standby"])]
        return [*found["notes"], *others]

    @staticmethod
    def _value(report: dict[str, t.Any], found: dict[str, t.Any], query: str) -> t.Any:
        if not HAS_JMESPATH:
            raise AnsibleActionFail(
                "state_query needs the Python package jmespath on the controller: pip install jmespath"
            )
        first = re.match(r"\s*([A-Za-z_]\w*)\s*(?!\w|\s*\()", query)
        if first and first[1] not in report:
            raise AnsibleActionFail(f"state_query: the report has no {first[1]}, but {', '.join(sorted(found))}")
        try:
            return jmespath.search(query, report)
        except jmespath.exceptions.JMESPathError as error:
            raise AnsibleActionFail(f"state_query {query!r} is not a JMESPath expression: {error}") from error
