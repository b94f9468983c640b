# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Try whether the other master hosts answer this one's user by SSH."""

from __future__ import annotations

from ..host import peer_login
from ..host.errors import MirroringError
from ..host.module import run_module
from ..host.run import Runner

PEER = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int"},
    "ssh_port": {"type": "int", "default": 22},
    "unit": {"type": "str", "required": True},
}


def main(module):
    """Ask each, and say all that is wrong at once."""
    user, peers = module.params["user"], [] if module.check_mode else module.params["peers"]
    wrong = peer_login.refused(Runner(), user, peers)
    if wrong:
        raise MirroringError("; ".join(wrong))
    return {"changed": False, "tried": [peer["name"] for peer in peers]}


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["user"],
        supports_check_mode=True,
        argument_spec={
            "user": {"type": "str", "required": True},
            "peers": {"type": "list", "elements": "dict", "required": True, "options": PEER},
        },
    )
