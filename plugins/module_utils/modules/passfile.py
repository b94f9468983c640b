# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep the replication password in a password file."""

from __future__ import annotations

from ..host import password_file
from ..host.lock import alone
from ..host.module import only, run_module


def main(module):
    """Act alone: of two operators' runs only one may make up the password."""
    options, act = module.params, not module.check_mode
    if options["state"] == "read":
        return password_file.of_role(options["path"], options["role"])
    named = only(options, "role", "database")
    with alone(act):
        if options["state"] == "absent":
            return password_file.take_away(options["path"], act, role=options["role"], ports=options["ports"])
        servers = [(server["address"], server["port"]) for server in options["servers"]]
        return password_file.keep(options["path"], act, **named, servers=servers, like=options["like"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["owner"],
        supports_check_mode=True,
        required_if=[("state", "present", ["servers"])],
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent", "read"], "default": "present"},
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "required": True},
            "role": {"type": "str", "required": True},
            "database": {"type": "str", "default": "replication"},
            "ports": {"type": "list", "elements": "int", "default": []},
            "servers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"address": {"type": "str", "required": True}, "port": {"type": "int", "required": True}},
            },
            "like": {"type": "str", "default": "", "no_log": True},
        },
    )
