# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    init_master,
    init_segments,
    init_standby,
    removal,
    state,
    switchover,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import judge as failover
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.options import Options
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from ansible_collections.hawq.mirroring.plugins.module_utils.report import texts
from ansible_collections.hawq.mirroring.plugins.module_utils.values import shape
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import inventory_in_use
from ansible_collections.hawq.mirroring.plugins.module_utils.values.observation import Observation

ANSWER_SECONDS = 120
WORKFLOWS = {
    "init_standby": init_standby.judge,
    "init_master": init_master.judge,
    "init_segments": init_segments.judge,
    "resync_standby": resync.judge,
    "switchover": switchover.judge,
    "failover": failover.judge,
    "remove_standby": removal.judge,
}


class ActionModule(ActionBase):
    """Judge on the controller what the hosts' observations mean."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return the topology and the plan; fail with every refusal. Commands name the inventory that is in use."""
        with inventory_in_use(task_vars.get("ansible_inventory_sources") or []):
            return self._judge(super().run(tmp, task_vars), task_vars)

    def _judge(self, result, task_vars):
        arguments = self._task.args
        groups = task_vars["groups"]
        observations = self._observations(task_vars, groups["masters"], arguments["observed"], arguments.get("places"))
        witnesses = self._observations(task_vars, groups.get("segments", []), arguments["observed"], None)
        workflow = arguments["workflow"]
        result.update(changed=False, mark=time.time())
        if workflow == "state":
            return {**result, "state": state.document(observations)}
        hosts = self._endpoints(observations)
        try:
            options = t.cast(Options, {**arguments["options"], "witnesses": witnesses})
            judged = WORKFLOWS[workflow](observations, hosts, options)
            if len(judged.refusals) == 1 and judged.refusals[0].asks and self._told(workflow, judged.refusals[0]):
                options = t.cast(Options, {**options, judged.refusals[0].asks[0]: True})
                judged = WORKFLOWS[workflow](observations, hosts, options)
        except KeyError as error:
            raise AnsibleActionFail(f"verdict: no workflow or option {error}") from error
        if judged.refusals:
            refusals = [refusal._asdict() for refusal in judged.refusals]
            message = texts.refusals(workflow, refusals, options.get("failed_routes") or {})
            return {**result, "failed": True, "msg": message, "kinds": [refusal.kind for refusal in judged.refusals]}
        return {**result, "plan": judged.plan, "state": state.document(observations, judged.plan.get("standby"))}

    @staticmethod
    def _told(workflow, refusal):
        """On a terminal the operator may say there and then what a refusal waits for; elsewhere it stays one."""
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
    def _endpoints(observations):
        """Address and port of each host; of one that could not be looked at, as its peers know them."""
        known = {name: {"address": name, "port": 5432} for name in observations}
        for seen in observations.values():
            for name, probe in (seen.get("probes") or {}).items():
                known[name] = {"address": probe["address"], "port": probe["port"]}
        known.update({name: seen["endpoint"] for name, seen in observations.items() if seen.get("endpoint")})
        return known

    @staticmethod
    def _observations(task_vars, names, register, places):
        """Collect what the observing task registered on each of these hosts, in the inventory's order."""
        found = {}
        for name in names:
            answer = task_vars["hostvars"][name].get(register) or {}
            if "observation" in answer:
                found[name] = {**answer["observation"]}
                later = (task_vars["hostvars"][name].get(places) or {}) if places else {}
                if "observation" in later:
                    found[name]["directories"] = later["observation"]["directories"]
                wrong = shape.misfits(found[name], Observation)
                if wrong:
                    raise AnsibleActionFail(
                        f"the observation of {name} is not what this version reads ({'; '.join(wrong[:3])}): the"
                        " collection on the controller has changed while the playbook ran, or this is a bug. Run the"
                        " playbook again; if it fails again, report this line"
                    )
            else:
                reason = " ".join(str(answer.get("msg", "not looked at")).split())
                found[name] = {"reachable": False, "error": reason.rpartition("ssh: ")[2]}
        return found
