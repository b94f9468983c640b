# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import dataclasses
import os
import time
import typing as t

import yaml
from ansible import constants, context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document
from ansible_collections.hawq.mirroring.plugins.module_utils.values import (
    clusters,
    connection,
    forms,
    identity,
    options,
    places,
)
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _connection, _guard, _run, _typed

ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")


def role_specs() -> dict[str, dict[str, t.Any]]:
    """Return the options of every role of the collection, by role."""
    specs = {}
    for name in sorted(os.listdir(ROLES)):
        path = os.path.join(ROLES, name, "meta", "argument_specs.yml")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                specs[name] = yaml.safe_load(file)["argument_specs"]["main"].get("options", {})
    return specs


def spec_of(specs: dict[str, dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return the options of playbooks and roles, without what a role says of them beside their type."""
    spec = dict(options.PLAY_OPTIONS)
    for wanted in specs.values():
        for name, option in wanted.items():
            spec[name] = {key: value for key, value in option.items() if key not in ("default", "required")}
    return spec


def checked(given: dict[str, t.Any], spec: dict[str, dict[str, t.Any]]) -> tuple[dict[str, t.Any], list[str]]:
    """Return values as their options want them, and a sentence for each that cannot be one."""
    given = {name: value for name, value in options.convert(given, spec).items() if value is not None}
    wanted = {name: dict(entry, required=False) for name, entry in spec.items()}
    wrong = [name for name, value in given.items() if not _fits(value, wanted[name])]
    if wrong:
        return {}, [forms.sentence(name, given[name], spec[name]) for name in wrong]
    found = ArgumentSpecValidator(wanted).validate(given)
    return found.validated_parameters, found.error_messages or options.numbers(found.validated_parameters)


def _fits(value: t.Any, option: dict[str, t.Any]) -> bool:
    """Whether a value can be one of this option: its type first, since the validator relies on that."""
    fits = forms.fits(value, option.get("type", "str"))
    return fits and not ArgumentSpecValidator({"value": option}).validate({"value": value}).error_messages


class ActionModule(ActionBase):
    """Check every variable of ours, and how the playbook was called, before anything is looked at."""

    _requires_connection = False

    @_guard.sentence("the variables could not be checked")
    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Fail with all that is wrong; return the play's options with their defaults, and begin the report."""
        result = {**super().run(tmp, task_vars), "changed": False, "mark": time.time()}
        variables: dict[str, t.Any] = task_vars or {}
        raw = variables["hostvars"].raw_get(variables["inventory_hostname"])
        own = {name for name in raw if isinstance(name, str)}
        workflow, check = self._task.args.get("workflow", "state"), self._task.check_mode
        # an earlier play of this run has begun the report, and has registered variables since
        later = _run.OPENED in own
        first = variables["inventory_hostname"] == variables["ansible_play_hosts_all"][0]
        path = self._path(workflow, variables) if first and not later else None
        _run.begin(path, document.begun(workflow, result["mark"], check))
        try:
            meant = self._clusters(workflow, variables)
            named = self._named(variables, *meant)
            peers = self._peers(variables, named["masters"], named["cluster"])
            told = self._checked(variables, own, later, self._witnesses(variables, meant[0]))
            bounds = connection.bounds(self._values(connection.NAMES, own, raw), _connection.settings())
        except AnsibleActionFail as error:
            refusal = {
                "kind": "variables",
                "found": str(error),
                "why": "nothing is looked at before that is in order",
                "command": "Correct that, then run this again",
            }
            _run.write(path, document.refused(workflow, result["mark"], time.time(), check, [refusal]))
            raise
        here = {"run": self._identity(workflow, variables), "directory": _directory(), "connection": bounds}
        typed = _typed.of(context.CLIARGS, constants, self._loader.load, spec_of(role_specs()))
        return {**result, **here, "options": told, **named, **peers, "typed": dataclasses.asdict(typed)}

    def _values(self, names: t.Iterable[str], own: t.Container[str], raw: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return these variables where they are set, each as its expression says."""
        found = {}
        for name in names:
            if name in own:
                try:
                    value = self._templar.template(raw[name])
                except AnsibleError as error:
                    raise AnsibleActionFail(f"the value of {name} cannot be put together: {error}") from error
                # what a vault holds is no text with ansible-core 2.17 and 2.18
                found[name] = str(value) if hasattr(value, "vault") else value
        return found

    def _path(self, workflow: str, variables: dict[str, t.Any]) -> str | None:
        """Return the file that gets the report, if any: it must be possible to write it before anything is done."""
        path = _run.path_of(workflow, self._values(("state_file", "report_file"), variables, variables))
        if not path:
            return None
        place = os.path.abspath(os.path.expanduser(str(path)))
        if not os.path.isdir(os.path.dirname(place)):
            raise AnsibleActionFail(f"the report is to be written to {path}, and the controller has no such directory")
        if os.path.isdir(place):
            raise AnsibleActionFail(f"the report is to be written to {path}, which is a directory: name a file in it")
        return str(path)

    @staticmethod
    def _identity(workflow: str, variables: dict[str, t.Any]) -> str:
        """Return the run's identity: a later play goes on with the work of the first."""
        before = variables.get(_run.OPENED)
        known = before.get("run") if isinstance(before, dict) else None
        return str(known) if identity.is_one(known) else identity.of(workflow, _run.PROCESS)

    def _clusters(self, workflow: str, variables: dict[str, t.Any]) -> tuple[list[str | None], bool]:
        """Return the clusters that are meant, and whether none was named, so that these are all.

        Only the command line names one: an inventory may have such a variable for another purpose.
        """
        extra, groups = load_extra_vars(self._loader), variables["groups"]
        given = str(extra.get("cluster") or "") or None
        try:
            found = clusters.chosen(groups, given, every=workflow == "state")
        except clusters.WrongClusterError as error:
            raise AnsibleActionFail(str(error)) from error
        mixed = None if "server_service" in extra else clusters.shared(groups, found)
        if workflow == "init_segments":  # of any other run, such as a failover, that host is no witness
            mixed = mixed or clusters.lost_together(groups, found)
        if mixed:
            raise AnsibleActionFail(mixed)
        self._refuse_parts(variables, found)
        return found, given in (None, clusters.ALL) and found != [None]

    @staticmethod
    def _named(variables: dict[str, t.Any], meant: list[str | None], every: bool) -> dict[str, t.Any]:
        """Return this host's cluster with its hosts; where every cluster is looked at, the hosts of each as well."""
        groups = variables["groups"]
        hosts = {each: clusters.hosts(groups, each) for each in meant}
        mine = clusters.of_host(groups, meant, variables["inventory_hostname"])
        return {
            "cluster": mine,
            **_told(hosts[mine]),
            "clusters": {name: _told(hosts[name]) for name in meant} if every else {},
        }

    @staticmethod
    def _peers(
        variables: dict[str, t.Any], masters: list[str], cluster: str | None
    ) -> dict[str, list[dict[str, t.Any]]]:
        """Return how the servers of the other masters are reached, and as witnesses their hosts, too.

        Role defaults of other hosts cannot be seen, so they are said again: what this host sets for itself is not the
        peer's. A number that is none is told where that host's own variables are checked.
        """
        peers = []
        for name in masters:
            if name != variables["inventory_hostname"]:
                seen = variables["hostvars"][name]
                address = seen.get("server_address") or _run.address_of(name, seen)
                port, ssh_port = _run.number(seen.get("server_port"), 5432), _run.ssh_port(seen.get)
                unit = str(seen.get("server_service") or places.UNIT)
                peers.append({"name": name, "address": address, "port": port, "ssh_port": ssh_port, "unit": unit})
        wrong = options.everywhere({str(peer["name"]): str(peer["address"]) for peer in peers})
        if wrong:
            raise AnsibleActionFail("; ".join(wrong))
        bare = [{key: peer[key] for key in ("name", "address", "port")} for peer in peers]
        # the interlock names commands, too
        named = {"cluster": cluster} if cluster else {}
        return {"peers": bare, "witnesses": [{**peer, **named} for peer in peers]}

    @staticmethod
    def _witnesses(variables: dict[str, t.Any], meant: list[str | None]) -> list[str]:
        kinds = (clusters.SEGMENTS, clusters.WITNESSES)
        hosts = [clusters.hosts(variables["groups"], each) for each in meant]
        return [name for each in hosts for kind in kinds for name in each[kind]]

    def _checked(
        self, task_vars: dict[str, t.Any], own: set[str], later: bool, witnesses: list[str]
    ) -> dict[str, t.Any]:
        """Return the play's options with their defaults; fail with all that is wrong."""
        specs = role_specs()
        spec, extra = spec_of(specs), load_extra_vars(self._loader)
        taken = sorted({_run.OPENED, _run.JUDGED} & set(extra))
        if taken:
            raise AnsibleActionFail(f"{taken[0]} is a name that the playbooks use themselves: leave it out")
        self._refuse_misspelt((own - set(options.COMMAND_LINE)) | set(extra), spec, later)
        told_by = set(extra) | (own - set(options.COMMAND_LINE))
        values, wrong = checked(self._values(spec, told_by, task_vars), spec)
        if wrong:
            raise AnsibleActionFail("; ".join(wrong))
        for name in ("ignore_witness", "state_accept", "accept_settings"):
            values[name] = options.names(values.get(name))
        if values.get("virtual_ip_address") and not values.get("virtual_ip_interface"):
            raise AnsibleActionFail("virtual_ip_address needs virtual_ip_interface, for example eth0")
        wrong = [
            *options.misfits(values),
            *options.unacceptable(values["state_accept"]),
            *options.strangers(values["ignore_witness"], witnesses),
        ]
        if wrong:
            raise AnsibleActionFail("; ".join(wrong))
        told = {name: values.get(name) for name in options.PLAY_OPTIONS if name not in options.COMMAND_LINE}
        for role, name, judged in options.JUDGED:
            told[judged] = specs[role][name]["default"] if values.get(name) is None else values[name]
        if told["standby_host"] is None:
            told["standby_host"] = self._templar.template(task_vars.get("resync_standby_host")) or None
        return told

    def _refuse_misspelt(self, names: set[str], spec: dict[str, t.Any], later: bool) -> None:
        """What is typed for this run is meant for it; an inventory is for other collections as well."""
        typed = self._typed()
        wrong = options.misspelt(typed, spec)
        if wrong:
            raise AnsibleActionFail(options.sentence(wrong, "on the command line"))
        found = options.misspelt(names - typed, spec) if not later else {}
        if found:
            Display().warning(options.sentence(found, "in the inventory"))

    def _typed(self) -> set[str]:
        """Return the names of the variables that stand on the command line itself, in no file."""
        found: set[str] = set()
        for word in context.CLIARGS.get("extra_vars") or ():
            if word.startswith("@"):
                continue
            given = self._loader.load(word) if word[:1] in "[{" else parse_kv(word)
            found.update(given if isinstance(given, dict) else ())
        return found

    def _refuse_parts(self, task_vars: dict[str, t.Any], meant: list[str | None]) -> None:
        """A part of a playbook is not a smaller playbook: observation, judgement and act belong together."""
        arguments = context.CLIARGS
        tags = [tag for tag in arguments.get("tags") or [] if tag != "all"]
        for name, value in (
            ("--tags", tags),
            ("--skip-tags", arguments.get("skip_tags")),
            ("--start-at-task", arguments.get("start_at_task")),
        ):
            if value:
                raise AnsibleActionFail(
                    f"{name} leaves out steps that others rely on: run the playbook without {name}."
                )
        if constants.DEFAULT_HASH_BEHAVIOUR == "merge":
            raise AnsibleActionFail(
                "hash_behaviour=merge mixes what a task has found with what it found before, so that a host that is"
                " lost would seem to answer: put ANSIBLE_HASH_BEHAVIOUR=replace in front of the same command"
            )
        if constants.DEFAULT_PRIVATE_ROLE_VARS:
            raise AnsibleActionFail(
                "private_role_vars hides the variables of a role from the others, which rely on them: put"
                " ANSIBLE_PRIVATE_ROLE_VARS=false in front of the same command"
            )
        groups, looked = task_vars["groups"], task_vars["ansible_play_hosts_all"]
        for cluster in meant:
            group = clusters.group(clusters.MASTERS, cluster)
            hidden = [name for name in groups[group] if name not in looked]
            if hidden:
                raise AnsibleActionFail(
                    f"--limit hides {', '.join(hidden)}, and who is master can only be said when every host of the"
                    f" group {group} is looked at: run the playbook without --limit."
                )


def _told(hosts: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return a cluster's hosts as they are registered: the witnesses of the interlock are the other masters."""
    return {
        "masters": hosts[clusters.MASTERS],
        "segments": hosts[clusters.SEGMENTS],
        "witness_hosts": hosts[clusters.WITNESSES],
    }


def _directory() -> str:
    """Return the directory that the operator is in: a command of his is run there."""
    try:
        return os.getcwd()
    except OSError:  # it was deleted meanwhile
        return "/"
