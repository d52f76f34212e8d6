"""Two hundred secrets, as they stand in files, commands and outputs: none of them is left."""

from __future__ import annotations

import time

import pytest
from secret_play import SECRETS

from runebook_tui.core.secrets import Secrets, without_secrets


def test_there_are_two_hundred():
    assert len({secret for _, secret in SECRETS}) >= 200


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_none_is_left(text: str, secret: str):
    kept = without_secrets(text, 10_000)
    assert not [line for line in secret.split("\n") if line and line in kept], kept
    assert without_secrets(kept, 10_000) == kept


@pytest.mark.parametrize(
    "text",
    [
        "make -j4 test",
        "git commit -m 'Tokens are counted once'",
        "cargo build --release --features tokenizer",
        "src/auth/token.py:12: error: missing return",
        "commit 2f98438d4e1c0b6f6d7d6a5c4b3a291807f6e5d4",
        "https://example.org/path?page=2",
        "npm ERR! code ELIFECYCLE",
        "user@host:/srv/data",
        "2026-01-02T03:04:05Z 12:34 a=b",
    ],
)
def test_what_is_none_stays(text: str):
    assert without_secrets(text) == text


def test_the_plans_own_patterns_and_values_count():
    secrets = Secrets([r"CASE-\d+"], ["plain words", "abc"])
    assert secrets.hide("CASE-77 has plain words, abc") == "[hidden] has [hidden], abc"


def test_a_key_that_is_cut_is_hidden_too():
    line = "MIIEpAIBAAKCAQEA" + "b" * 48
    assert "b" * 48 not in without_secrets(f"{line}\n{line}\nabcd==\n-----END RSA PRIVATE KEY-----\n")
    assert "abcd==" not in without_secrets("abcd==\n-----END RSA PRIVATE KEY-----\n")


@pytest.mark.parametrize("piece", ["a-", "a.b.", "mysql ", "-----BEGIN ", "passwd", "://a:", "A" * 70 + "\n"])
def test_hostile_text_takes_no_time(piece: str):
    text = piece * (30_000 // len(piece))
    before = time.process_time()
    without_secrets(text, len(text))
    assert time.process_time() - before < 3.0
