# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a host could not be looked at. What Ansible and SSH say was recorded with ansible-core 2.17 and 2.19."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import identify, topology
from ansible_collections.hawq.mirroring.plugins.module_utils.values import reach
from observations import mirrored, mute, silent, standby

SENT = 'Task failed: Data could not be sent to remote host "smdw". Make sure this host can be reached over ssh: '
VIA = "Failed to connect to the host via ssh: "
NO_JSON = "Module result deserialization failed: No start of json char found"
NO_MODULE = "MODULE FAILURE\nSee stdout/stderr for the exact error"
CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:tyR4vmM2yuu71odL61OuoZbNrcxqP+tCW+0D8uuNC44.
Offending ED25519 key in /home/ops/known:1
  remove with:
  ssh-keygen -f "/home/ops/known" -R "smdw"
Host key for smdw has changed and you have requested strict checking.
Host key verification failed."""

#: what the task has answered, why that is, and what mends it; None: the host does not answer
TOLD: dict[str, tuple[dict[str, t.Any], str, str | None]] = {
    "wrong key": (
        {"msg": f"{SENT}root@smdw: Permission denied (publickey,password)."},
        "the login by SSH is refused (root@smdw: Permission denied (publickey,password))",
        "ssh -p 2222 ops@smdw true must work",
    ),
    "wrong key, without pipelining": (
        {"msg": f"{VIA}Warning: Permanently added 'smdw' (ED25519).\nroot@smdw: Permission denied (publickey)."},
        "the login by SSH is refused (root@smdw: Permission denied (publickey))",
        "ansible_ssh_private_key_file",
    ),
    "no key": (
        {
            "msg": f"{SENT}no such identity: /home/ops/missing: No such file or directory\n"
            "root@smdw: Permission denied (publickey)."
        },
        "the controller has no private key /home/ops/missing",
        "ansible_ssh_private_key_file",
    ),
    "host key unknown": (
        {"msg": f"{SENT}No ED25519 host key is known for smdw.\nHost key verification failed."},
        "the controller does not know its SSH host key",
        "compare the key's fingerprint: ssh -p 2222 ops@smdw",
    ),
    "host key changed": (
        {"msg": SENT + CHANGED},
        "its SSH host key is another one than the controller knows",
        'ssh-keygen -f "/home/ops/known" -R "smdw"',
    ),
    "no such name": (
        {"msg": f"{SENT}ssh: Could not resolve hostname nowhere: Temporary failure in name resolution"},
        "the controller cannot resolve its name nowhere (Temporary failure in name resolution)",
        "getent hosts nowhere",
    ),
    "sudo password missing": (
        {"msg": "Task failed: Missing sudo password"},
        "sudo asks for a password there, and none is given",
        "--ask-become-pass",
    ),
    "sudo password wrong": ({"msg": "Incorrect sudo password"}, "the password for sudo is wrong", "--ask-become-pass"),
    "not in the sudoers file": (
        {"msg": NO_JSON, "module_stderr": "ops is not in the sudoers file.\nThis incident will be reported."},
        "may not become root (ops is not in the sudoers file",
        "ansible_user",
    ),
    "no user to become": (
        {"msg": NO_MODULE, "module_stderr": "sudo: unknown user nosuch\nsudo: error initializing audit plugin"},
        "ansible_become_user names nosuch, a user that it does not have",
        "leave ansible_become_user out",
    ),
    "no user to become, without pipelining": (
        {"msg": "Task failed: Failed to change ownership of the temporary files Ansible (via chmod nor setfacl) needs"},
        "ansible_become_user names a user that it does not have",
        "leave ansible_become_user out",
    ),
    "su waits": (
        {"msg": "Task failed: Timeout (7s) waiting for privilege escalation prompt:"},
        "becoming root there has waited for an answer in vain",
        "ansible_become_method",
    ),
    "no Python": (
        {"msg": "The module interpreter '/usr/bin/python9' was not found.", "module_stderr": "x"},
        "it has no Python at /usr/bin/python9",
        "ansible smdw -b -m ansible.builtin.raw -a 'apt-get install -y python3'",
    ),
    "no Python, ansible-core 2.17": (
        {
            "msg": "The module failed to execute correctly, you probably need to set the interpreter.",
            "module_stdout": "/bin/sh: 1: /usr/bin/python9: not found\r\n",
        },
        "it has no Python at /usr/bin/python9",
        "ansible_python_interpreter",
    ),
    "no program sudo": (
        {"msg": NO_JSON, "module_stderr": "/bin/sh: 1: /nonexistent: not found\n"},
        "it has no program /nonexistent",
        "ansible_become_exe",
    ),
    "no shell": (
        {"msg": NO_JSON, "module_stdout": "This account is currently not available.\n"},
        "the login shell of the user that logs in lets nobody in",
        "ansible_user",
    ),
    "no temporary directory": (
        {"msg": "Task failed: Failed to create temporary directory. In some cases, you may have been able to"},
        "Ansible can make no temporary directory there",
        "ansible_remote_tmp",
    ),
    "no such connection": (
        {"msg": "Task failed: the connection plugin 'nosuch' was not found"},
        "ansible_connection names nosuch",
        "ansible_connection",
    ),
    "no ssh on the controller": (
        {"msg": "Unable to execute ssh command line on a controller: [Errno 2] No such file or directory: b'/x/ssh'"},
        "the controller cannot run SSH (No such file or directory",
        "ansible_ssh_executable",
    ),
    "no sshpass": (
        {"msg": "to use the 'ssh' connection type with passwords, you must install the sshpass program"},
        "the controller has no program sshpass",
        "apt-get install sshpass",
    ),
    "off": (
        {"msg": f"{SENT}ssh: connect to host smdw port 22: No route to host"},
        "connect to host smdw port 22: No route to host",
        None,
    ),
    "no SSH server": (
        {"msg": f"{VIA}ssh: connect to host smdw port 2: Connection refused"},
        "connect to host smdw port 2: Connection refused",
        None,
    ),
    "lost": (
        {"msg": 'Data could not be sent to remote host "smdw". Make sure this host can be reached over ssh: '},
        "the connection was lost",
        None,
    ),
    "slow": (
        {"msg": "The instance_info action failed to execute in the expected time frame (60) and was terminated"},
        "it has not answered within 60 s",
        None,
    ),
    "a fault of a module": (
        {"msg": NO_JSON, "module_stderr": "Traceback (most recent call last):\n  File x\nKeyError: 'y'\n"},
        "KeyError: 'y'",
        None,
    ),
    "a fault of a module, as it is registered": (
        {"msg": NO_JSON, "module_stderr": "Traceback:\n  File x\nKeyError: 'y'\n", "failed": True},
        "looking at it has failed: KeyError: 'y'",
        "-vvv",
    ),
    "a module's own words": (
        {"msg": "postgres must be another user than root, so set become to true", "failed": True},
        "looking at it has failed: postgres must be another user than root, so set become to true",
        "-vvv",
    ),
    "nothing": ({}, "not looked at", None),
}


@pytest.mark.parametrize(("answer", "error", "mend"), TOLD.values(), ids=TOLD)
def test_n5_each_is_told_as_what_it_is(answer: dict[str, t.Any], error: str, mend: str | None) -> None:
    seen = t.cast("t.Any", reach.away("smdw", answer, "-p 2222 ops@smdw"))
    assert error in seen["error"]
    assert "{" not in seen["error"] + seen.get("mend", "")
    if mend is None:
        assert "mend" not in seen
        assert topology.describe(seen) == f"not reachable by SSH ({seen['error']})"
    else:
        assert mend in seen["mend"]
        assert topology.describe(seen) == f"closed to the controller ({seen['error']})"


CLOSED = [name for name, (_answer, _error, mend) in TOLD.items() if mend]


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("both", [True, False], ids=["both", "one"])
def test_n5_nobody_says_then_that_there_is_no_master(name: str, both: bool) -> None:
    away: t.Any = reach.away("mdw", TOLD[name][0], "mdw")
    hosts: t.Any = {"mdw": away, "smdw": away if both else standby()}
    state = cases.state(hosts)
    assert [row["kind"] for row in state["problems"]][:1] == ["cannot-look"]
    assert state["exit_code"] == 14
    assert away["mend"].split(":")[0] in state["problems"][0]["command"]
    for refusals in (identify.master_of(hosts)[1], cases.resync(hosts, {}).refusals):
        assert {refusal.kind for refusal in refusals} == {"cannot-look"}
        assert away["mend"] in refusals[0].command
        assert "no host accepts writes" not in refusals[0].sentence()
    (refusal,) = cases.failover(hosts, {}).refusals[:1]
    assert (refusal.kind == "cannot-look") is both
    assert away["error"] in refusal.found


def test_nobody_answers() -> None:
    away: t.Any = reach.away("mdw", TOLD["off"][0])
    (refusal,) = identify.not_looked_at({"mdw": away, "smdw": away})
    assert refusal.found.startswith("no host can be looked at: mdw is not reachable by SSH (connect to host")
    assert identify.not_looked_at({"mdw": away, "smdw": standby()}) == []


def test_n8_a_server_that_cannot_be_asked_is_told_with_the_command_that_mends_it() -> None:
    """As it was seen on a host of Debian's PostgreSQL without python3-psycopg2."""
    missing = "Python's psycopg2 is missing on this host: install the package python3-psycopg2"
    mute = silent("mdw", {"binaries.client_library": False, "server_error": missing})
    hosts: t.Any = {"mdw": mute, "smdw": standby()}
    install = "ansible mdw -b -m ansible.builtin.package -a name=python3-psycopg2"
    (problem,) = [row for row in cases.state(hosts)["problems"] if row["kind"] == "cannot-look"]
    assert install in problem["command"]
    (refusal,) = identify.master_of(hosts)[1]
    assert (refusal.kind, install in refusal.command) == ("cannot-look", True)
    assert missing in refusal.found


def test_another_python_than_the_one_that_packages_are_for() -> None:
    """The package is there, and installing it again would lead into a circle."""
    mute = silent("mdw", {"binaries.client_library": False, "binaries.other_python": "/opt/tools/bin/python3"})
    (refusal,) = identify.master_of({"mdw": mute, "smdw": standby()})[1]
    assert "not /opt/tools/bin/python3: set ansible_python_interpreter for mdw, then run this again" in refusal.command


def test_n8_a_standby_that_cannot_be_asked_is_no_reason_for_a_resynchronisation() -> None:
    missing = "Python's psycopg2 is missing on this host: install the package python3-psycopg2"
    lacks = {"binaries.client_library": False, "server_error": missing}
    seen = mute("smdw", {**lacks, "credentials.login": "not asked: Python's psycopg2 is missing on this host"})
    hosts: t.Any = {"mdw": mirrored(), "smdw": seen}
    problems = cases.state(hosts)["problems"]
    assert [row["kind"] for row in problems if row["host"] == "smdw"] == ["no-session"]
    assert "ansible smdw -b -m ansible.builtin.package -a name=python3-psycopg2" in problems[0]["command"]
    assert identify.master_of(hosts) == ("mdw", [])
