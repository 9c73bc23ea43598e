"""The commands of Markdown pages: of bash blocks, of indented blocks, and inline ones."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "src" / "kprl_fake_hardware" / "README.md"]
MESSAGES = "docs/troubleshooting.md"
PROGRAMS = ("kprl", "ros2", "make", "docker", "python", "mkdocs", "tensorboard", "torchrun")  # of inline commands
DRAWING = re.compile("[─│└┌<>^]{2}|──")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SEPARATORS = {";", "&&", "||", "|", "&", "\n"}
WORDS_OF_BASH = {"do", "done", "then", "fi", "else"}


@dataclass(frozen=True)
class Command:
    """One simple command; `whole` is false for one in running text, which may leave out what it does not speak of."""

    page: str
    line: int
    words: tuple[str, ...]
    whole: bool = True

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {shlex.join(self.words)}"


def blocks(text: str) -> tuple[list[tuple[int, str, str]], str]:
    """Line number, language and code of each block ('' fenced without one, 'indented'), and the page without them."""
    found: list[tuple[int, str, str]] = []
    prose: list[str] = []
    lines = text.splitlines()
    fence, language, begin, code = "", "", 0, []
    blank_before = True
    for number, line in enumerate([*lines, ""], 1):
        mark = re.match(r"\s*(`{3,})(\w*)", line)
        if fence:
            if mark and mark[1] == fence:
                found.append((begin, language, "\n".join(code)))
                fence = ""
            else:
                code.append(line)
            prose.append("")
            continue
        if mark:
            fence, language, begin, code = mark[1], mark[2], number + 1, []
            prose.append("")
            continue
        is_indented = line.startswith("    ") and (blank_before or (found and found[-1][1] == "indented open"))
        if is_indented and found and found[-1][1] == "indented open":
            start, _, before = found.pop()
            found.append((start, "indented open", f"{before}\n{line[4:]}"))
        elif is_indented:
            found.append((number, "indented open", line[4:]))
        elif found and found[-1][1] == "indented open":
            start, _, before = found.pop()
            found.append((start, "indented", before))
        prose.append("" if is_indented else line)
        blank_before = not line.strip()
    return found, "\n".join(prose)


def commands_of(page: Path) -> list[Command]:
    """Every command of a page, inline ones included."""
    name = page.relative_to(ROOT).as_posix()
    found: list[Command] = []
    parts, prose = blocks(page.read_text())
    for line, language, code in parts:
        if language in ("bash", "sh", "console") or (language == "indented" and not DRAWING.search(code)):
            found += [Command(name, line + at, words) for at, words in simple_commands(code)]
    for number, text in enumerate(prose.splitlines(), 1):
        if name == MESSAGES and text.startswith("| "):
            text = text.split(" | ", 1)[-1]  # the first cell is what a program says
        for span in INLINE.findall(text):
            if span.split(" ")[0] in PROGRAMS and " " in span and "…" not in span and "COMMAND" not in span:
                words = [words for _, words in simple_commands(span)]
                found += [Command(name, number, one, whole=False) for one in words]
    return found


def simple_commands(code: str) -> list[tuple[int, tuple[str, ...]]]:
    """Line (from 0) and words of each simple command; comments, redirections and loops are taken apart."""
    found: list[tuple[int, tuple[str, ...]]] = []
    pending, begun = "", 0
    for number, line in enumerate(code.splitlines()):
        if not pending:
            begun = number
        pending += line if not pending else f"\n{line}"
        if line.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        try:
            words = split(pending)
        except ValueError:  # a quotation goes on
            continue
        found += [(begun, one) for one in separate(words)]
        pending = ""
    if pending:
        raise AssertionError(f"a quotation without an end: {pending}")
    return _without_loops(found)


def split(text: str) -> list[str]:
    """Words and operators of a line."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def separate(words: list[str]) -> list[tuple[str, ...]]:
    """Simple commands between operators, without redirections."""
    commands: list[list[str]] = [[]]
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in SEPARATORS:
            commands.append([])
        elif set(word) <= set("<>"):
            commands[-1].append(">")  # what follows is kept for who wants to look at it
        else:
            commands[-1].append(word)
    return [tuple(command) for command in commands if command]


def _without_loops(found: list[tuple[int, tuple[str, ...]]]) -> list[tuple[int, tuple[str, ...]]]:
    """`for NAME in VALUES` gives $NAME its first value; the words do and done go."""
    values: dict[str, str] = {}
    result = []
    for line, words in found:
        if words[0] == "for" and words[2] == "in":
            values[words[1]] = words[3]
            continue
        while words and words[0] in WORDS_OF_BASH:
            words = words[1:]
        if words:
            result.append((line, tuple(re.sub(r"\$(\w+)", lambda m: values.get(m[1], m[0]), word) for word in words)))
    return result


def all_commands() -> list[Command]:
    """Every command of every page."""
    return [command for page in PAGES for command in commands_of(page)]
