# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One payload for all modules: what is sent, under which name it runs, and how the host's Python takes it."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import typing as t

import pytest
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase
from ansible_collections.hawq.mirroring.plugins.module_utils.modules import packages_info
from ansible_collections.hawq.mirroring.plugins.modules import payload
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _payload


class Action(_payload.Sharing):
    def __init__(self) -> None:
        """Without all that Ansible gives to an action."""

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        return {}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[t.Any]:
    """What Ansible is asked for, in the end."""
    found: list[t.Any] = []
    monkeypatch.setattr(ActionBase, "_configure_module", lambda _self, name, **_rest: found.append(name))
    monkeypatch.setattr(
        ActionBase, "_low_level_execute_command", lambda _self, cmd, in_data=None, **_rest: found.append((cmd, in_data))
    )
    return found


@pytest.mark.parametrize(
    ("named", "sent"),
    [
        ("hawq.mirroring.fence", "hawq.mirroring.payload"),
        ("fence", "hawq.mirroring.payload"),
        ("ansible.legacy.async_wrapper", "ansible.legacy.async_wrapper"),
    ],
)
def test_one_is_sent_for_all_of_ours(named: str, sent: str, asked: list[t.Any]) -> None:
    Action()._configure_module(named, module_args={}, task_vars={})
    assert asked == [sent]


def test_no_garbage_is_looked_for_while_it_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile: list[bool] = []
    monkeypatch.setattr(ActionBase, "_configure_module", lambda _self, _name, **_rest: meanwhile.append(gc.isenabled()))
    # the process of the tests goes on
    monkeypatch.setattr(gc, "freeze", lambda: None)
    Action()._configure_module("fence", module_args={}, task_vars={})
    assert meanwhile == [False]
    assert gc.isenabled()


def test_a_program_that_is_handed_in_is_taken_at_once(asked: list[t.Any]) -> None:
    Action()._low_level_execute_command(sys.executable, in_data=b"print('taken', __name__, __import__('sys').argv)")
    [(command, program)] = asked
    done = subprocess.run(["/bin/sh", "-c", command], input=program, capture_output=True, check=True)
    assert done.stdout == b"taken __main__ ['-c']\n"


def test_a_program_that_is_a_file_is_left_alone(asked: list[t.Any]) -> None:
    Action()._low_level_execute_command("/usr/bin/python3 /tmp/x.py", sudoable=True)
    assert asked == [("/usr/bin/python3 /tmp/x.py", None)]


@pytest.mark.parametrize("named", ["hawq.mirroring.packages_info", "packages_info"])
def test_the_module_that_the_task_names_runs(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    monkeypatch.setattr(basic, "_load_params", lambda: {"_ansible_module_name": named})
    monkeypatch.setattr(packages_info, "run", lambda: runs.append("packages_info"))
    payload.main()
    assert runs == ["packages_info"]


@pytest.mark.parametrize("named", ["hawq.mirroring.payload", "hawq.mirroring.", "", "hawq.mirroring.__init__", "a.b/c"])
def test_another_name_is_refused(
    named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"ANSIBLE_MODULE_ARGS": {"_ansible_module_name": named}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(told).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(SystemExit):
        payload.main()
    assert "name one of those in the task" in json.loads(capsys.readouterr().out)["msg"]
