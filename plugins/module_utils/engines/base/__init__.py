# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an engine answers and does. Modules know these verbs and no engine; ``postgresql/verbs.py`` has PostgreSQL's.

No host needs this file: a module imports the one function that it calls, through ``choice``.

- ``instance`` says where the host keeps its server, ``run`` runs programs there. Without ``act`` nothing is changed,
  and the answer is what a run would say.
- Places in the WAL are LSNs as text, sizes are bytes, times are seconds, roles and names are the database's.
- A dict that is returned is the module's result: ``changed``, ``diff`` where there is one, and the module's return
  values (RETURN), which are not told again here.
- Each raises MirroringError with one sentence for the operator when it cannot do what it promises; nothing else.
- Each can be killed at any moment and called again, and does nothing when all is as it should be, unless it says so.

It may import: values, host.
"""
