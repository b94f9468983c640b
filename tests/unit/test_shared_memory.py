# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When systemd takes a user's shared memory away: the files of a host, and what comes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.hawq.mirroring.plugins.module_utils.host import shared_memory

ROOT = Path(__file__).resolve().parents[2]
PAM = {"pam.d/common-session": "session\toptional\tpam_systemd.so\n"}
#: the user's number, files; whether it is taken away
HOSTS: dict[str, tuple[int, dict[str, str], bool]] = {
    "an ordinary user": (1000, PAM, True),
    "a system user": (999, PAM, False),
    "a host with other numbers": (1000, {**PAM, "login.defs": "SYS_UID_MIN 100\nSYS_UID_MAX\t1999\n"}, False),
    "root": (0, PAM, False),
    "the module is not installed": (1000, {**PAM, "away": ""}, False),
    "it lingers": (1000, {**PAM, "linger/gpadmin": ""}, False),
    "another one lingers": (1000, {**PAM, "linger/other": ""}, True),
    "told not to": (1000, {**PAM, "logind.conf": "[Login]\nRemoveIPC=no\n"}, False),
    "a default as a comment": (1000, {**PAM, "logind.conf": "[Login]\n#RemoveIPC=no\n"}, True),
    "told not to in a further file": (1000, {**PAM, "etc/pg.conf": "[Login]\nRemoveIPC = no\n"}, False),
    "told otherwise by a later one": (
        1000,
        {**PAM, "etc/a.conf": "[Login]\nRemoveIPC=no\n", "lib/b.conf": "[Login]\nRemoveIPC=yes\n"},
        True,
    ),
    "the host's own file wins over the distribution's": (
        1000,
        {**PAM, "etc/a.conf": "[Login]\nRemoveIPC=no\n", "lib/a.conf": "[Login]\nRemoveIPC=yes\n"},
        False,
    ),
    "nobody tells systemd of sessions": (1000, {"pam.d/common-session": "# session optional pam_systemd.so\n"}, False),
    "of Red Hat": (1000, {"pam.d/password-auth": "-session     optional      pam_systemd.so\n"}, True),
}


@pytest.mark.parametrize(("number", "files", "removed"), HOSTS.values(), ids=HOSTS)
def test_what_is_taken_away(
    number: int, files: dict[str, str], removed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"seats/seat0": "", **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(shared_memory, "FOLDERS", tuple(str(tmp_path / each) for each in ("etc", "run", "lib")))
    for name, place in (("MAIN", "logind.conf"), ("LOGIN", "login.defs"), ("PAM", "pam.d/*"), ("LINGER", "linger")):
        monkeypatch.setattr(shared_memory, name, str(tmp_path / place))
    monkeypatch.setattr(shared_memory, "RUNS", str(tmp_path / "seats"))
    monkeypatch.setattr(shared_memory, "MODULES", (str(tmp_path / ("none" if "away" in files else "seats")),))
    assert shared_memory.is_removed("gpadmin", number) is removed


def test_without_logind_nothing_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "RUNS", str(tmp_path / "none"))
    assert not shared_memory.is_removed("gpadmin", 1000)


def test_it_is_kept_before_anybody_logs_in() -> None:
    """The login that is tried when the keys are exchanged ends on a host whose server works."""
    tasks = yaml.safe_load((ROOT / "playbooks/tasks/prepare.yml").read_text())
    roles = [next((each for key, each in task.items() if key.endswith("_role")), {}) for task in tasks]
    order = [(role.get("name", "").rpartition(".")[2], role.get("tasks_from")) for role in roles]
    assert order.index(("server", "linger")) < order.index(("ssh_keys", None))
