# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let this witness promise a timeline to a standby, or take that back."""

from __future__ import annotations

from ..host import promises
from ..host.module import only, run_module


def main(module):
    """Keep it on the disk before it is answered."""
    options, act = module.params, not module.check_mode
    asked = promises.Asked(options["system"], options["timeline"], options["candidate"], options["run"])
    if options["state"] == "withdrawn":
        rest = {"seconds": options["timeout"], **only(options, "anyway")}
        return promises.withdraw(options["path"], asked, act, **rest)
    return promises.promise(options["path"], asked, act, seconds=options["timeout"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: str(options["user"]),
        seconds=60,
        supports_check_mode=True,
        argument_spec={
            "user": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["promised", "withdrawn"], "default": "promised"},
            "system": {"type": "str", "required": True},
            "timeline": {"type": "int", "required": True},
            "candidate": {"type": "str", "required": True},
            "run": {"type": "str", "required": True},
            "anyway": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 10},
        },
    )
