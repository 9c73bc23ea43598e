"""The manual builds as a web site, without a broken link; and what its pages quote is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TROUBLES = ROOT / "docs" / "troubleshooting.md"
SOURCES = [ROOT / "setup.bash", ROOT / "Makefile", *(ROOT / "tools").rglob("*.py"), *(ROOT / "src").rglob("*.py")]
LEAST = 8  # letters of a piece of a message that tell it apart


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def test_it_builds_strictly_and_has_the_cards(tmp_path: Path) -> None:
    done = build(ROOT / "mkdocs.yml", tmp_path)
    assert done.returncode == 0, done.stderr
    for page in ("index.html", "tutorial/index.html", "models/grasp-env1/index.html", "models/grasp-env1/curves.png"):
        assert (tmp_path / page).is_file(), page
    unread_list = re.compile(r"^(- |\| |\d\. )", re.MULTILINE)  # Markdown that the site takes for text
    assert [page for page in tmp_path.rglob("index.html") if unread_list.search(page.read_text())] == []


def test_a_broken_link_fails(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    with (tmp_path / "docs" / "index.md").open("a") as page:
        page.write("\n[nowhere](nowhere.md)\n")
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0 and "nowhere.md" in done.stdout + done.stderr


def test_the_navigation_has_every_page() -> None:
    def pages(part: object) -> list[str]:
        if isinstance(part, str):
            return [part]
        values = part.values() if isinstance(part, dict) else part
        return [page for value in values for page in pages(value)]  # type: ignore[attr-defined]

    listed = set(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} == {name for name in listed if "/" not in name}


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", (ROOT / "README.md").read_text())
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def messages() -> list[str]:
    rows = [line for line in TROUBLES.read_text().splitlines() if line.startswith("| `")]
    return [re.match(r"\| `([^`]+)`", row)[1] for row in rows]  # type: ignore[index]


@pytest.fixture(scope="module")
def code() -> str:
    """All sources, with the pieces of a split string joined."""
    text = "\n".join(path.read_text() for path in SOURCES if "site-packages" not in str(path))
    return re.sub(r"""["']\s*\\?\n\s*(?:\+ )?f?["']""", "", text)


@pytest.mark.parametrize("message", messages())
def test_a_message_of_the_page_is_one_of_the_code(message: str, code: str) -> None:
    pieces = [piece.strip() for piece in message.split("…") if len(piece.strip()) >= LEAST]
    assert pieces and [piece for piece in pieces if piece not in code] == []


def test_the_paper_page_names_files_that_are_there() -> None:
    named = re.findall(r"`([\w/.-]+/[\w.-]*)`", (ROOT / "docs" / "paper.md").read_text())
    places = (ROOT, ROOT / "src" / "kprl_core" / "kprl")
    assert len(named) > 30
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def results() -> list[tuple[str, str, str]]:
    """What, figure and page of each row of the results."""
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs" / "results.md").read_text().splitlines()]
    figures = [row for row in rows if len(row) == 3 and "![" not in row[1] and re.search(r"\d", row[1])]
    return [(row[0], row[1], row[2]) for row in figures]


@pytest.mark.parametrize(("what", "figures", "where"), results(), ids=lambda part: part[:30])
def test_a_figure_of_the_results_is_on_the_page_that_it_names(what: str, figures: str, where: str) -> None:
    link = re.search(r"\]\(([^)#]+)", where)
    page = (ROOT / "docs" / link[1] if link else ROOT / "README.md").resolve()
    text = re.sub(r"(\d) %", r"\1%", page.read_text())
    numbers = re.findall(r"\d[\d.,]*\d|\d", re.sub(r"(\d) %", r"\1%", figures))
    there = {number for number in numbers if re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", text)}
    assert numbers and set(numbers) == there
