# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the controller connects: what people say holds, and our bounds stand where they say nothing."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.hawq.mirroring.plugins.module_utils.values import connection
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _connection
from test_options import ROOT

OURS = {"timeout": 5, "pipelining": True, "ssh_extra_args": connection.KEEPALIVE}
#: what the inventory says, what the command line, the environment and ansible.cfg say, and what differs from ours
SAID: dict[str, tuple[dict[str, t.Any], t.Any, dict[str, t.Any]]] = {
    "nothing": ({}, {}, {}),
    "84: arguments for SSH": (
        {"ansible_ssh_extra_args": "-o ProxyJump=gate"},
        {},
        {"ssh_extra_args": f"-o ProxyJump=gate {connection.KEEPALIVE}"},
    ),
    "arguments on the command line": (
        {},
        {"ssh_extra_args": "-v"},
        {"ssh_extra_args": f"-v {connection.KEEPALIVE}"},
    ),
    "arguments in both": (
        {"ansible_ssh_extra_args": "-a"},
        {"ssh_extra_args": "-v"},
        {"ssh_extra_args": f"-a {connection.KEEPALIVE}"},
    ),
    "a keepalive of theirs comes first, and SSH takes the first": (
        {"ansible_ssh_extra_args": "-o ServerAliveInterval=30"},
        {},
        {"ssh_extra_args": f"-o ServerAliveInterval=30 {connection.KEEPALIVE}"},
    ),
    "no pipelining": ({"ansible_pipelining": False}, {}, {"pipelining": False}),
    "no pipelining, by its other name": ({"ansible_ssh_pipelining": False}, {}, {"pipelining": False}),
    "no pipelining in ansible.cfg": ({}, {"pipelining": False}, {"pipelining": False}),
    "pipelining for a host, none in ansible.cfg": ({"ansible_pipelining": True}, {"pipelining": False}, {}),
    "a time-out": ({"ansible_ssh_timeout": 30}, {}, {"timeout": 30}),
    "a time-out by its general name": ({"ansible_timeout": "20"}, {}, {"timeout": "20"}),
    "our own option": ({"ssh_connect_timeout": "7", "ansible_ssh_timeout": 30}, {}, {"timeout": "7"}),
    "a time-out on the command line": ({}, {"timeout": 40}, {"timeout": 40}),
    "a time-out in both": ({"ansible_ssh_timeout": 30}, {"timeout": 40}, {"timeout": 30}),
    "empty values say nothing": ({"ansible_ssh_extra_args": "", "ansible_timeout": None}, {"timeout": None}, {}),
}


@pytest.mark.parametrize(("given", "settings", "differs"), SAID.values(), ids=SAID)
def test_what_is_said_holds(given: dict[str, t.Any], settings: t.Any, differs: dict[str, t.Any]) -> None:
    assert connection.bounds(given, settings) == {**OURS, **differs}


#: the environment, the command line, and what is said by them
ENVIRONMENTS: dict[str, tuple[dict[str, str], list[str], dict[str, t.Any]]] = {
    "nothing": ({}, [], {"timeout": None}),
    "pipelining": ({"ANSIBLE_PIPELINING": "false"}, [], {"timeout": None, "pipelining": False}),
    "extra arguments": ({"ANSIBLE_SSH_EXTRA_ARGS": "-v"}, [], {"timeout": None, "ssh_extra_args": "-v"}),
    "time-out": ({"ANSIBLE_TIMEOUT": "30"}, [], {"timeout": 30}),
    "time-out of SSH": ({"ANSIBLE_SSH_TIMEOUT": "31"}, [], {"timeout": "31"}),
    "time-out on the command line": ({"ANSIBLE_TIMEOUT": "30"}, ["-T", "10"], {"timeout": 10}),
}


@pytest.mark.parametrize(("environment", "words", "said"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_what_the_controller_says(
    environment: dict[str, str], words: list[str], said: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANSIBLE_PIPELINING", "ANSIBLE_SSH_EXTRA_ARGS", "ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_connection.sys, "argv", ["ansible-playbook", *words])
    monkeypatch.setattr(_connection.context, "CLIARGS", {"timeout": int(words[1]) if words else 10})
    monkeypatch.setattr(_connection.constants.config, "_config_file", None)
    assert _connection.settings() == said


def test_a_play_sets_nothing_else_of_ansibles() -> None:
    """What a play sets is over all that the inventory says."""
    found = yaml.safe_load((ROOT / "playbooks/vars/connection.yml").read_text())
    assert sorted(found) == ["ansible_pipelining", "ansible_ssh_extra_args", "ansible_ssh_timeout"]
    for value, name in zip(found.values(), ("pipelining", "timeout", "ssh_extra_args")):
        assert f".connection | default({{}})).{name} | default(" in value
