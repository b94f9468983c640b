# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A simulated life: on a small model of hosts the real judges and the real playbooks live through random faults.

Nothing here touches a host. What is real: the judges, the rule of the boot interlock, and the playbooks, which are read
from their files and played task by task. What is a model: hosts and servers (``world``, ``postgresql``, ``units``),
what a module does to them (``acts``), and what is seen of them (``seen``). A schedule is a list of steps with a seed;
after each step the promises of ``promises`` are checked. ``python -m simulation --help`` says how to run it. That the
model is as real servers are is shown by schedules that are played on both (``molecule/replay.py``).
"""
