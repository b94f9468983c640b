# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make an empty directory for the server's user."""

from __future__ import annotations

from ..host import account, own_directory
from ..host.module import run_module


def main(module):
    """Do it as the owner; where that user does not exist yet, say what a run would make."""
    options, act = module.params, not module.check_mode
    if not account.is_there(options["owner"], act):
        after = f"{options['owner']}, {options['mode']}\n"
        return {"changed": True, "path": options["path"], "diff": {"before": "", "after": after}}
    return own_directory.keep(options["path"], act, group=options["group"], mode=int(options["mode"], 8))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["owner"],
        named=lambda options: [options["path"]],
        supports_check_mode=True,
        argument_spec={
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "required": True},
            "group": {"type": "str"},
            "mode": {"type": "str", "default": "0700"},
        },
    )
