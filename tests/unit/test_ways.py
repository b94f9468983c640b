# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible as people use it: real runs whose host cannot be looked at, so that they need none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.callback import value
from ansible_collections.hawq.mirroring.plugins.module_utils.values import forms
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _run
from test_exit_code import PLAIN, ROOT

BIN = Path(sys.executable).parent
#: a host of this machine whose login opens no shell
CLOSED = "[masters]\nmdw ansible_connection=local ansible_become=false ansible_python_interpreter=/nonexistent/python\n"
EXIT_CODE = {"ANSIBLE_CALLBACKS_ENABLED": "hawq.mirroring.exit_code"}


def run(
    tmp_path: Path, *arguments: str, inventory: str = CLOSED, **environment: str
) -> subprocess.CompletedProcess[str]:
    (tmp_path / "hosts").write_text(inventory)
    (tmp_path / "ansible.cfg").touch()
    there = {"ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp")}
    return subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", str(tmp_path / "hosts"), *arguments],
        cwd=tmp_path,
        env={**os.environ, **PLAIN, **there, **EXIT_CODE, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def test_n5_a_host_without_python_is_told_as_that(tmp_path: Path) -> None:
    done = run(tmp_path, "hawq.mirroring.state", ANSIBLE_ANY_ERRORS_FATAL="true")
    assert "mdw is closed to the controller (it has no Python at /nonexistent/python)" in said(done)
    assert done.returncode == 14, said(done)


SETTINGS = [("ANSIBLE_HASH_BEHAVIOUR", "merge", "replace"), ("ANSIBLE_PRIVATE_ROLE_VARS", "true", "false")]


@pytest.mark.parametrize(("name", "value", "right"), SETTINGS)
def test_a_setting_that_breaks_a_run_half_way_is_refused_first(
    name: str, value: str, right: str, tmp_path: Path
) -> None:
    done = run(tmp_path, "hawq.mirroring.failover", **{name: value})
    assert (done.returncode, f"put {name}={right} in front" in said(done)) == (2, True), said(done)


def test_n9_variables_of_others_and_slips(tmp_path: Path) -> None:
    others = CLOSED + "[masters:vars]\nserver_role=web\nenvironment_name=prod\nserver_prot=1\n"
    done = run(tmp_path, "hawq.mirroring.state", "-e", "server_role=db", inventory=others)
    assert done.returncode == 14, said(done)
    assert "unknown variable in the inventory: server_prot (did you mean server_port?)" in said(done)
    assert "server_role" not in said(done)
    typed = run(tmp_path, "hawq.mirroring.state", "-e", "standby_hots=x", inventory=others)
    assert "unknown variable on the command line: standby_hots (did you mean standby_host?)" in said(typed)
    (tmp_path / "common.yml").write_text("server_prot: 5433\n")
    assert run(tmp_path, "hawq.mirroring.state", "-e", "@common.yml").returncode == 14


def test_n2_a_report_that_cannot_be_written_is_refused_first(tmp_path: Path) -> None:
    done = run(tmp_path, "hawq.mirroring.switchover", "-e", "report_file=/dev/full")
    assert "the report cannot be written: [Errno 28]" in said(done)
    assert "Observe the server" not in said(done)
    assert Path("/dev/full").is_char_device()


def test_n12_a_shell_gets_the_bare_value(tmp_path: Path) -> None:
    shell = {"ANSIBLE_STDOUT_CALLBACK": "hawq.mirroring.value"}
    done = run(tmp_path, "hawq.mirroring.state", "-e", "state_query=hosts.mdw.kind", **shell)
    assert (done.stdout, done.returncode) == ("unreachable\n", 14)
    done = run(tmp_path, "hawq.mirroring.state", "-e", "state_query=nosuch", **shell)
    assert done.stdout == ""
    assert "the report has no nosuch" in done.stderr


BARE = [
    ("mdw", "mdw"),
    (True, "true"),
    (None, ""),
    (7, "7"),
    (["a", "b"], "a\nb"),
    ([], ""),
    ({"a": [1]}, '{"a": [1]}'),
]


@pytest.mark.parametrize(("given", "shown"), BARE)
def test_a_bare_value(given: t.Any, shown: str) -> None:
    assert forms.bare(given) == shown


def test_the_callback_shows_reports_alone(capsys: pytest.CaptureFixture[str]) -> None:
    callback = value.CallbackModule()
    for action, answer in ((value.REPORT, {"value": "x"}), (value.REPORT, {"text": "y"}), ("ping", {"value": "z"})):
        callback.v2_runner_on_ok(type("Result", (), {"_result": answer, "_task": type("Task", (), {"action": action})}))
    assert capsys.readouterr().out == "x\n"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, text: found.append(text))
    return found


def test_n2_a_report_that_cannot_be_written_later_is_a_warning(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "gone" / "report.json"
    _run.write(str(path), {"result": "done"})
    assert "the report cannot be written, and the run goes on: " in told[0]
    with pytest.raises(AnsibleActionFail, match="the report cannot be written"):
        _run.begin(str(path), {"result": "done"})


def test_a_report_of_what_json_does_not_know_is_written(tmp_path: Path, told: list[str]) -> None:
    """Such as a text of a vault, with older versions of Ansible."""
    _run.begin(str(tmp_path / "report.json"), {"text": Path("/x"), "number": 1})
    assert json.loads((tmp_path / "report.json").read_text()) == {"number": 1, "text": "/x"}
    link = tmp_path / "link"
    link.symlink_to("report.json")
    _run.write(str(link), {"number": 2})
    assert (link.is_symlink(), json.loads((tmp_path / "report.json").read_text())) == (True, {"number": 2})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AnsibleActionFail):
        _run.begin(str(tmp_path / "pipe"), {})  # and nobody waits at it for ever
    assert told == []


PORTS = [({"ansible_port": "2222"}, 2222), ({"ansible_ssh_port": 23}, 23), ({"ansible_port": "high"}, 22), ({}, 22)]


@pytest.mark.parametrize(("variables", "port"), PORTS)
def test_the_port_of_a_login(variables: dict[str, t.Any], port: int) -> None:
    assert _run.ssh_port(variables.get) == port


def test_n14_a_fault_of_the_code_is_a_sentence() -> None:
    @_guard.sentence("the report could not be made")
    def broken() -> dict[str, t.Any]:
        return {"x": {}["smdw"]}

    @_guard.sentence("x")
    def refuses() -> dict[str, t.Any]:
        raise AnsibleActionFail("a sentence")

    answer = broken()
    assert answer["failed"]
    assert answer["msg"].startswith(
        "the report could not be made, by a fault of this collection: KeyError: 'smdw' (test_ways.py, line"
    )
    with pytest.raises(AnsibleActionFail, match="a sentence"):
        refuses()


ACTIONS = sorted(path.stem for path in (ROOT / "plugins" / "action").glob("*.py"))


@pytest.mark.parametrize("name", ACTIONS)
def test_n14_every_action_is_guarded(name: str) -> None:
    source = (ROOT / "plugins" / "action" / f"{name}.py").read_text()
    assert '    @_guard.sentence("' in source.split("    def run(self")[0].splitlines()[-1]
