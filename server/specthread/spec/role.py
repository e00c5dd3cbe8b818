"""The roles that tasks name, and how a role may be called: any words will do, but these have words of their own for their agents."""

from __future__ import annotations

import re
from typing import Final

ROLES: Final = ("implementer", "database", "backend", "frontend", "integration", "tester", "reviewer", "writer", "refactorer")
NAMED: Final = re.compile(r"[a-z][a-z-]{0,29}")
