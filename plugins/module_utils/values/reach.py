# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why Ansible could not look at a host, from what it and SSH say of that: the cause, and what mends it. Pure.

A host that answers and lets nobody in is another matter than one that does not answer.
"""

from __future__ import annotations

import re
import typing as t

from .command import adhoc, again

if t.TYPE_CHECKING:
    from .observation import Unreachable


class Cause(t.NamedTuple):
    """One way in which a host cannot be looked at."""

    #: what Ansible or SSH says then
    pattern: str
    #: what that is; {0} is what the pattern has found, {name} the host
    text: str
    #: what mends it; {login} is what SSH is given. Empty for a host that does not answer, or for all that is not known
    mend: str = ""
    #: whether the host itself has not been asked, since nobody knows where it is; the pattern finds its name
    nameless: bool = False


TRY = "ssh {login} true must work on the controller"
#: the first that fits counts
CAUSES = (
    Cause(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED(?:.|\n)*?(ssh-keygen -f (?:\"[^\"]+\"|\S+) -R (?:\"[^\"]+\"|\S+))",
        "its SSH host key is another one than the controller knows",
        "see that it is the right host. If it was installed anew, forget its old key on the controller: {0}",
    ),
    Cause(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its SSH host key is another one than the controller knows",
        "see that it is the right host, and put its key right on the controller: " + TRY,
    ),
    Cause(
        r"Host key verification failed|authenticity of host .* can't be established",
        "the controller does not know its SSH host key",
        "log in once and compare the key's fingerprint: ssh {login}",
    ),
    Cause(
        r"(?:no such identity|Identity file) ?:? ?(\S+?):? (?:not accessible: )?No such file or directory",
        "the login by SSH is refused: the controller has no private key {0}",
        "name the right one in ansible_ssh_private_key_file",
    ),
    Cause(
        r"(\S+: )?(Permission denied \([^)]*\))",
        "the login by SSH is refused ({1}{2})",
        "let the controller's key in there, or name the right user and key in the inventory (ansible_user,"
        " ansible_ssh_private_key_file): " + TRY,
    ),
    Cause(
        r"(Too many authentication failures|[Ii]nvalid/incorrect (?:username/)?password|Authentication failed[^\n]*)",
        "the login by SSH is refused ({0})",
        "name the right user and key in the inventory: " + TRY,
    ),
    Cause(
        r"you must install the sshpass program",
        "a password for SSH is set, and the controller has no program sshpass",
        "install it on the controller (apt-get install sshpass), or log in by key",
    ),
    Cause(
        r"Unable to execute ssh command line on a controller(?:[^\[]*\[Errno \d+\])?:? ?([^\n]*)",
        "the controller cannot run SSH ({0})",
        "install it there, or correct ansible_ssh_executable",
    ),
    Cause(
        r"connection plugin '?([\w.]+)'? was not found",
        "ansible_connection names {0}, which the controller does not have",
        "install the collection that has it, or correct ansible_connection",
    ),
    Cause(
        r"Missing (\w+) password",
        "{0} asks for a password there, and none is given",
        "type the same with --ask-become-pass behind it{with a password}, or set ansible_become_password",
    ),
    Cause(
        r"Incorrect (\w+) password",
        "the password for {0} is wrong there",
        "type the same with --ask-become-pass behind it{with a password}, or correct ansible_become_password",
    ),
    Cause(
        r"(\S+ is not (?:in the sudoers file|allowed to execute [^\n]*|allowed to run sudo[^\n]*))",
        "the user that logs in may not become root ({0})",
        "let him there, or log in as another one (ansible_user)",
    ),
    Cause(
        r"sudo: sorry, you must have a tty to run sudo",
        "sudo wants a terminal there (requiretty)",
        "set ansible_pipelining: false for it in the inventory, or take requiretty out of its sudoers",
    ),
    Cause(
        r"([Pp]assword change required[^\n]*|Your password has expired[^\n]*|Your account has expired[^\n]*"
        r"|You are required to change your password[^\n]*)",
        "the login by SSH is refused ({0})",
        "renew it there (chage -l shows what has expired), or log in as another user (ansible_user)",
    ),
    Cause(
        r"sudo: (?:unknown user:?|unknown uid:?) (\S+)|su: user (\S+) does not exist",
        "ansible_become_user names {1}{2}, a user that it does not have",
        "leave ansible_become_user out: the playbooks need root",
    ),
    Cause(
        r"Failed to change ownership of the temporary files",
        "ansible_become_user names a user that it does not have, or one that may read no file of the user that logs in",
        "leave ansible_become_user out: the playbooks need root",
    ),
    Cause(
        r"Timeout \(\d+s\) waiting for privilege escalation prompt",
        "becoming root there has waited for an answer in vain",
        "correct ansible_become_method, or give a password with --ask-become-pass",
    ),
    Cause(
        r"(?:/bin/sh: (?:\d+: )?|bash: line \d+: |module interpreter ')(\S*python[\w.]*)'?(?::| was) (?:command )?not"
        r" found|(/\S*python[\w.]*): No such file or directory",
        "it has no Python at {1}{2}",
        "install it there, or correct ansible_python_interpreter: {install python}",
    ),
    Cause(
        r"[Nn]o python interpreters found|you probably need to set the interpreter|interpreter .*was not found",
        "it has no Python",
        "install it there: {install python}",
    ),
    Cause(
        r"account is currently not available",
        "the login shell of the user that logs in lets nobody in",
        "log in as another user (ansible_user), or give this one a shell",
    ),
    Cause(
        r"Failed to create temporary directory",
        "Ansible can make no temporary directory there (remote_tmp)",
        "name one in ansible_remote_tmp that the user that logs in may write to, or make room there",
    ),
    Cause(
        r"No space left on device",
        "a disk is full there, so that Ansible cannot work",
        "make room there (ssh {login} df -h)",
    ),
    Cause(
        r"(?:/bin/sh: (?:\d+: )?|bash: line \d+: )(\S+): (?:command )?not found",
        "it has no program {0}",
        "install it there, or correct what names it in the inventory (ansible_become_exe)",
    ),
    Cause(
        r"[Cc]ould not resolve hostname (\S+?): ([^\n]*)",
        "the controller cannot resolve its name {1} ({2})",
        "correct the name, or give its address in ansible_host: getent hosts {1}",
        nameless=True,
    ),
    Cause(r"expected time frame of (\d+)|expected time frame \((\d+)", "it has not answered within {1}{2} s"),
)
LOST = "the connection was lost"
AGAIN = "type the same with -vvv behind it, which shows more of that{with more words}"


def away(name: str, answer: t.Mapping[str, t.Any], login: str = "") -> Unreachable:
    """Return the observation of a host that could not be looked at, from what the task has answered."""
    told = "\n".join(str(answer.get(key) or "") for key in ("msg", "module_stderr", "module_stdout"))
    for cause in CAUSES:
        found = re.search(cause.pattern, told)
        if found:
            words = {
                **_again(),
                "login": login or name,
                "install python": adhoc(name, "raw", "apt-get install -y python3"),
            }
            error, mend = (_fill(text, found, words) for text in (cause.text, cause.mend))
            seen: Unreachable = {"reachable": False, "error": error}
            if mend:
                seen["mend"] = mend
            if cause.nameless:
                seen["unresolved"] = found[1]
            return seen
    reason = _reason(str(answer.get("msg") or "not looked at"), told)
    if answer.get("failed") and not answer.get("unreachable"):
        return {
            "reachable": False,
            "error": f"looking at it has failed: {reason}",
            "mend": _fill(AGAIN, None, _again()),
        }
    return {"reachable": False, "error": reason}


def _again() -> dict[str, str]:
    """Return what the operator has typed, with what is to be added."""
    same = again()
    added = {"with a password": "--ask-become-pass", "with more words": "-vvv"}
    return {
        name: f": {same}{'' if word in same.split() else f' {word}'}" if same else "" for name, word in added.items()
    }


def _reason(message: str, told: str) -> str:
    """Return why a host could not be looked at, without the words that Ansible puts around it."""
    behind = re.search(r"(?:reached|connect to the host) (?:over|via) ssh: *((?:.|\n)*)", message, re.I)
    if "Data could not be sent" in message and not (behind and behind[1].strip()):
        return LOST
    words = " ".join((behind[1] if behind and behind[1].strip() else message).split()).rpartition("ssh: ")[2]
    lines = [line for line in told.strip().splitlines() if line.strip()]
    module = re.search(r"MODULE FAILURE|deserialization failed", message)
    return lines[-1].strip() if module and lines else words.removeprefix("Task failed: ")


def _fill(text: str, found: re.Match[str] | None, words: dict[str, str]) -> str:
    groups = [each or "" for each in (found.groups() if found else ())]
    values = {"0": groups[0] if groups else "", **{str(number): each for number, each in enumerate(groups, 1)}, **words}
    return re.sub(r"\{([\w ]+)\}", lambda place: values.get(place[1], ""), text).strip()
