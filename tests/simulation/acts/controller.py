# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done on the controller: options, judgement, and what a run says when it ends."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.report import failure as failures
from ansible_collections.hawq.mirroring.plugins.module_utils.report import sources

from .. import judging, promises
from ..failure import ActFailed, RunFailed
from ..playbook import Task
from .call import Result

if t.TYPE_CHECKING:
    from ..run import Run


#: registers of a judgement that holds only when a later task says so
AGAIN = ("judged_again", "judged_compared")


def on_controller(run: Run, task: Task) -> Result:
    """Do it."""
    return {
        "options": _options,
        "verdict": _verdict,
        "report": _report,
        "set_fact": _set_fact,
        "fail": _fail,
        "meta": _nothing,
    }[task.module](run, task)


def _options(run: Run, task: Task) -> Result:
    run.workflow = task.args["workflow"]
    given = {name: value for name, value in run.given.items() if name in judging.DEFAULTS}
    run.options = {**judging.DEFAULTS, **given}
    if run.after_swap and run.options["standby_host"] is None:
        run.options["standby_host"] = run.swapped
    return {"options": run.options, "run": run.identity, "masters": list(run.world.hosts)}


def _observed(run: Run, names: t.Iterable[str]) -> dict[str, t.Any]:
    found = {}
    for name in names:
        answer = run.read(name, "server_observed")
        found[name] = answer.get("observation") or {"reachable": False, "error": answer.get("msg") or "not looked at"}
    return found


def _verdict(run: Run, task: Task) -> Result:
    workflow = task.args["workflow"]
    if workflow == "salvage":
        judged = judging.salvage(run.plan, run.read, bool(run.options["accept_data_loss"]))
        run.salvaged = _answer(run, judged)
        return run.salvaged
    observations = _observed(run, run.world.hosts)
    if workflow == "rollback":
        seen = {name: _seen_again(run, name) for name in run.judged["steps"]["rollback_look"]}
        run.rolled_back = _answer(run, judging.rolled_back(run.plan, seen))
        return run.rolled_back
    if workflow == "trial":
        return {}  # every server of the model would start
    if workflow == "state":
        run.document = judging.document(observations, run.options, _observed(run, run.world.segments))
        run.judged = {"steps": {}, "state": run.document}
        return run.judged
    options = {**run.options, "witnesses": _observed(run, run.world.segments), **_learnt(run, workflow)}
    options["run"] = run.identity
    if workflow == "remove_standby" and run.workflow == "init_standby":
        options.update(standby_host=run.read("", "item")["item"], existing_data="refuse")
    if task.register in AGAIN:
        run.judged_again = {}
    if task.args.get("started"):
        return {}  # no data of the model is ever damaged
    answer = _answer(run, judging.verdict(workflow, observations, options))
    if task.register in AGAIN:
        run.judged_again = answer
    else:
        run.judged = answer
    return answer


def _seen_again(run: Run, name: str) -> dict[str, t.Any]:
    answer = run.read(name, "server_seen_again")
    return answer.get("observation") or {"reachable": False, "error": answer.get("msg") or "not looked at"}


def _learnt(run: Run, workflow: str) -> dict[str, t.Any]:
    """What a resynchronisation has found out itself until now, as the action ``verdict`` collects it."""
    before = run.plan
    if workflow != "resync_standby" or before.get("workflow") != workflow:
        return {"divergence": None, "failed_routes": {}}
    found = run.read(before["standby"], "standby_divergence").get("divergence") or before["divergence"]
    failed = dict(before["failed_routes"])
    reason = run.read(before["standby"], judging.IN_PLACE.get(before["route"], "")).get("reason")
    if reason:
        failed[before["route"]] = reason
    return {"divergence": found, "failed_routes": failed}


def _answer(run: Run, judged: t.Any) -> Result:
    if judged.refusals:
        run.refusals = list(judged.refusals)
        raise RunFailed([row.sentence() for row in judged.refusals], refused=not run.plan)
    return {"plan": judged.plan, "steps": judged.plan["steps"], "directories": [], "libraries": []}


def _set_fact(run: Run, task: Task) -> Result:
    if "judged" in task.args:
        run.judged = run.judged_again
    if "switchover_old" in task.args:
        run.swapped = run.plan["old"]
    return {}


def _nothing(_run: Run, _task: Task) -> Result:
    return {}


def _fail(_run: Run, task: Task) -> Result:
    raise ActFailed(str(task.args.get("msg")))


def _report(run: Run, task: Task) -> Result:
    """Say how it ended; a report of a bad end ends the run, with the advice that the plan has for that."""
    if task.args.get("bill"):
        promises.bill(run)
    elif task.args.get("failed"):
        told: list[str] = []
        if task.args.get("given_up"):
            back = failures.Back(**sources.rollback(run.plan, run.read))
            run.advice = failures.after_that(run.plan, back)
            told = failures.given_up(run.plan, {}, back)
        else:
            run.advice = failures.follow(run.plan, again=not task.args.get("taken_back"))
        raise RunFailed(told)
    return {}
