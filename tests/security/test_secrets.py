"""No tracked file holds a key, a password or a token."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOKS_LIKE = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY"),
    "a key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    "a token of a package index": re.compile(r"\bpypi-[A-Za-z0-9_-]{40,}"),
    "a token of another service": re.compile(r"\b(?:xox[abprs]-[A-Za-z0-9-]{20,}|AIza[A-Za-z0-9_-]{30,}|hf_\w{30,})"),
    "a web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"),
    "an address with a password": re.compile(r"://[^/\s:@'\"{}$]+:[^/\s:@'\"{}$]+@"),
    # A value with a digit: words after a colon are prose.
    "a secret with its name": re.compile(
        r"(?i)(?:password|passwd|secret|token|api_?key|credential)s?['\"]?\s*[:=]\s*['\"]?"
        r"(?=[a-z+/_=-]*\d)[A-Za-z0-9+/_=-]{20,}"
    ),
}
KEY_FILES = {".pem", ".key", ".p12", ".pfx", ".jks", ".p7s", ".keystore"}
KEY_NAMES = {".env", ".netrc", ".pypirc", "id_rsa", "id_ed25519", "credentials"}


def secrets_in(text: str) -> list[str]:
    """What in the text looks like a secret."""
    return [kind for kind, pattern in LOOKS_LIKE.items() if pattern.search(text)]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Of git, or that it would take with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_tracked_file_looks_like_it_holds_a_secret(tracked: list[Path]) -> None:
    assert len(tracked) > 300
    found = {}
    for path in tracked:
        if kinds := secrets_in(path.read_bytes().decode("latin-1")):
            found[path.relative_to(ROOT).as_posix()] = kinds
    assert found == {}


def test_no_tracked_file_is_a_key(tracked: list[Path]) -> None:
    assert [path for path in tracked if path.suffix in KEY_FILES or path.name in KEY_NAMES] == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC " + "PRIVATE KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----",
        "id = AKIA" + "A1B2" * 4,
        "ghp_" + "a1B2" * 9,
        "https://name:" + "word@example.com/simple",
        "API_KEY='" + "0123456789abcdef" * 2 + "'",
        "token: " + "dGhpcyBpcyBub3QgYSB0b2tlbg1" + "==",
    ],
)
def test_each_kind_is_found(text: str) -> None:
    assert secrets_in(f"before\n{text}\nafter")


@pytest.mark.parametrize("text", ["OWN_TOKEN = secrets.token_hex(32)", "password: the one of your user account"])
def test_words_about_secrets_are_none(text: str) -> None:
    assert secrets_in(text) == []
