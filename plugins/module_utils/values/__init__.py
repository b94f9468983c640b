# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small values and parsers: LSNs, WAL names, histories, connection strings, places, texts, commands.

Everything here is pure: it reads no file, asks no server and knows no clock.
It may import: nothing of this collection.
"""
