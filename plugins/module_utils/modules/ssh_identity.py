# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A user's SSH key pair, and the keys that others must know."""

from __future__ import annotations

from ..host import ssh_identity
from ..host.module import run_module
from ..host.run import Runner


def main(module):
    """Find the user, make what is missing, say what others must know."""
    return ssh_identity.ensure(Runner(), not module.check_mode, **module.params)


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["user"],
        supports_check_mode=True,
        argument_spec={
            "user": {"type": "str", "required": True},
            "comment": {"type": "str"},
            "name": {"type": "str"},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "default": 22},
        },
    )
