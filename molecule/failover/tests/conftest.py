# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from pairs import disk, ledger, made, pair, segments  # noqa: F401
