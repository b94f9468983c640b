# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator has typed beside the inventory, for the commands that reports name. No secret is taken along."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible.parsing.splitter import parse_kv
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import Typed
from ansible_collections.hawq.mirroring.plugins.module_utils.values.options import PLAY_OPTIONS

#: switches of ansible-playbook that ask, what they are typed as, and the setting that asks without them
ASKING = (
    ("become_ask_pass", "--ask-become-pass", "DEFAULT_BECOME_ASK_PASS"),
    ("ask_pass", "--ask-pass", "DEFAULT_ASK_PASS"),
    ("ask_vault_pass", "--ask-vault-pass", "DEFAULT_ASK_VAULT_PASS"),
)
#: options with a value, or several: they name a place or a user, never a secret itself
NAMING = (
    ("vault_ids", "--vault-id", None),
    ("vault_password_files", "--vault-password-file", None),
    ("become_password_file", "--become-password-file", "BECOME_PASSWORD_FILE"),
    ("connection_password_file", "--connection-password-file", "CONNECTION_PASSWORD_FILE"),
    ("remote_user", "-u", "DEFAULT_REMOTE_USER"),
    ("private_key_file", "--private-key", "DEFAULT_PRIVATE_KEY_FILE"),
    ("connection", "-c", "DEFAULT_TRANSPORT"),
    ("become_method", "--become-method", "DEFAULT_BECOME_METHOD"),
    ("ssh_common_args", "--ssh-common-args", None),
    ("ssh_extra_args", "--ssh-extra-args", None),
)
#: a variable that may hold a secret: its value is not shown again
SECRET = re.compile(r"pass|secret|token|credential|private_key$", re.IGNORECASE)
#: a value that may have one in it: a word for it, or a user with a password in an address
TELLS = re.compile(r"pass|secret|token|credential|access_?key|://[^/\s@]*:[^/\s@]*@", re.IGNORECASE)
#: Ansible's own variables that say how a host is reached
ANSIBLE = re.compile(
    r"ansible_(user|port|host|connection|become\w*|ssh_\w+|python_interpreter|private_key_file|timeout)$"
)
#: what may have a secret in it, and what stands for it
HIDDEN = {"fence_command": "COMMAND"}


def of(
    arguments: t.Mapping[str, t.Any],
    settings: t.Any,
    load: t.Callable[[str], t.Any],
    known: t.Container[str],
) -> Typed:
    """Return it. ``arguments`` are those of ansible-playbook, and ``settings`` what they are when nothing is typed.

    ``known`` are our variables.
    """
    words = [word for name, word, setting in ASKING if arguments.get(name) and not getattr(settings, setting, None)]
    for name, word, setting in NAMING:
        value = arguments.get(name)
        if name.startswith("ssh_") and TELLS.search(str(value)):
            continue
        if value and value != (getattr(settings, setting, None) if setting else None):
            words += [
                each for one in (value if isinstance(value, (list, tuple)) else [value]) for each in (word, str(one))
            ]
    describing: dict[str, t.Any] = {}
    deciding: dict[str, t.Any] = {}
    for word in arguments.get("extra_vars") or ():
        if word.startswith("@"):
            words += ["-e", word]
            continue
        for name, value in _variables(word, load).items():
            if SECRET.search(name) and not name.endswith("_file"):
                continue
            # a command that fetches archived WAL, options of SSH: they may log in somewhere themselves
            if name not in HIDDEN and TELLS.search(str(value)) and not name.endswith(("_file", "_path", "passfile")):
                continue
            # what is left empty goes without something this once: by another command it would be taken away for good
            if (name in PLAY_OPTIONS and name != "cluster") or (name in known and value in ("", None)):
                deciding[name] = HIDDEN.get(name, value)
            elif (name in known and name not in PLAY_OPTIONS) or ANSIBLE.match(name):
                describing[name] = value
    named = " ".join(shlex.quote(str(each)) for each in arguments.get("args") or ())
    return Typed(tuple(words), tuple(describing.items()), named, tuple(deciding.items()))


def _variables(word: str, load: t.Callable[[str], t.Any]) -> dict[str, t.Any]:
    found = load(word) if word[:1] in "[{" else parse_kv(word)
    return {str(name): _plain(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _plain(value: t.Any) -> t.Any:
    """Return a value without what Ansible has put around its text."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value
