"""Hooks of mkdocs: the site also has what lies beside its subject in the repository, and links find it there.

On a file host `docs/keypoints.md` links `../models/grasp-env1/README.md`; on the site that file is `models/…`.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
BESIDE = ("models/**/*.md", "models/**/*.png", "models/**/*.gif", "src/kprl_fake_hardware/README.md")
LINK = re.compile(r"(\]\()([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add the files beside."""
    for pattern in BESIDE:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links between docs/ and the rest of the repository into links within the site."""
    here = PurePosixPath(page.file.src_uri)
    on_disk = here if here.parts[0] in ("models", "src") else PurePosixPath(DOCS) / here

    def on_site(match: re.Match[str]) -> str:
        target = match[2]
        if "://" in target or target.startswith("/"):
            return match[0]
        goal = normpath(str(on_disk.parent / target))
        goal = goal.removeprefix(f"{DOCS}/")
        return match[1] + relpath(goal, str(here.parent))

    return LINK.sub(on_site, markdown)
