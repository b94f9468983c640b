# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The callback that ends ansible-playbook with the code of the state: by itself, and in a real run."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.callback.exit_code import CallbackModule

ROOT = Path(__file__).resolve().parents[2]
REPORT = "hawq.mirroring.report"


def result(action: str, **answer: t.Any) -> t.Any:
    """Return the result of a task as a callback gets it."""
    task = type("Task", (), {"action": action})
    return type("Result", (), {"_result": {"failed": True, **answer}, "_task": task})


def stats(failures: int, dark: int = 0) -> t.Any:
    """Return the statistics of a run."""
    return type("Stats", (), {"failures": {"mdw": failures} if failures else {}, "dark": {"mdw": 1} if dark else {}})


#: failed tasks, failed and unreachable hosts as the run counts them, and the exit code; None: as Ansible ends
RUNS: dict[str, tuple[list[t.Any], t.Any, int | None]] = {
    "well": ([], stats(0), None),
    "a problem": ([result(REPORT, exit_code=12)], stats(1), 12),
    "several clusters": ([result(REPORT, exit_code=13), result(REPORT, exit_code=10)], stats(2), 10),
    "the worst is no matter of numbers": (
        [result(REPORT, exit_code=11), result(REPORT, exit_code=14)],
        stats(2),
        11,
    ),
    "another task has failed, too": ([result(REPORT, exit_code=12), result("ping")], stats(2), None),
    "another task alone, with a code": ([result("ansible.builtin.command", exit_code=12)], stats(1), None),
    "a report of another playbook": ([result(REPORT)], stats(1), None),
    "a host was lost on the way": ([result(REPORT, exit_code=12)], stats(1, dark=1), None),
}


@pytest.mark.parametrize(("failed", "counted", "code"), RUNS.values(), ids=RUNS)
def test_how_a_run_ends(failed: list[t.Any], counted: t.Any, code: int | None) -> None:
    callback = CallbackModule()
    for each in failed:
        callback.v2_runner_on_failed(each)
    if code is None:
        callback.v2_playbook_on_stats(counted)
        return
    with pytest.raises(SystemExit) as ended:
        callback.v2_playbook_on_stats(counted)
    assert ended.value.code == code


def test_a_failure_that_is_ignored_is_none() -> None:
    callback = CallbackModule()
    callback.v2_runner_on_failed(result(REPORT, exit_code=12), ignore_errors=True)
    callback.v2_playbook_on_stats(stats(0))


#: a port that nothing listens on, so that no host can be looked at
NOWHERE = "[masters]\nmdw ansible_host=127.0.0.1 ansible_port=1\n"
PLAIN = {
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
    "ANSIBLE_HOST_KEY_CHECKING": "false",
}
ENABLED = {"ANSIBLE_CALLBACKS_ENABLED": "hawq.mirroring.exit_code"}
REAL: dict[str, tuple[dict[str, str], list[str], int]] = {
    "enabled": (ENABLED, [], 14),
    "not enabled": ({}, [], 2),
    "only looked": (ENABLED, ["-e", "state_fail=false"], 0),
    "refused options": (ENABLED, ["-e", "state_accept=nonsense"], 2),
}


@pytest.mark.parametrize(("environment", "arguments", "code"), REAL.values(), ids=REAL)
def test_how_ansible_playbook_ends(
    environment: dict[str, str], arguments: list[str], code: int, tmp_path: Path
) -> None:
    (tmp_path / "hosts").write_text(NOWHERE)
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", str(tmp_path / "hosts"), "-e", "ansible_python_interpreter=/usr/bin/python3", *arguments),
            "hawq.mirroring.state",
        ],
        cwd=ROOT,
        env={**os.environ, **PLAIN, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "PLAY RECAP" in said
    if "nonsense" in str(arguments):
        assert "state_accept names nonsense, and what can be accepted is: address-configured" in " ".join(said.split())
    else:
        assert "no host can be looked at: mdw is not reachable by SSH" in " ".join(said.split())
