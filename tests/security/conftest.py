"""Make the tools importable that these tests are about."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("security", "docs", "setup"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / folder))
