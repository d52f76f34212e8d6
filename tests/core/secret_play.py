"""Secrets as they are met, made up from a fixed seed: what stands around one, and the secret itself.

Nothing here is anybody's. Each is put together when the test runs, so that no scanner takes one for real.
"""

from __future__ import annotations

import random
import string

_DICE = random.Random(20260131)
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + string.digits
_BASE62 = string.ascii_letters + string.digits


def _some(alphabet: str, count: int) -> str:
    return "".join(_DICE.choice(alphabet) for _ in range(count))


_TOKENS = {
    "aws id": lambda: "AKIA" + _some(_UPPER, 16),
    "aws session id": lambda: "ASIA" + _some(_UPPER, 16),
    "github": lambda: "ghp" + "_" + _some(_BASE62, 36),
    "github app": lambda: "ghs" + "_" + _some(_BASE62, 36),
    "github oauth": lambda: "gho" + "_" + _some(_BASE62, 36),
    "github fine": lambda: "github" + "_pat_" + _some(_BASE62, 22) + "_" + _some(_BASE62, 59),
    "gitlab": lambda: "glpat" + "-" + _some(_BASE62, 20),
    "gitlab runner": lambda: "glrt" + "-" + _some(_BASE62, 20),
    "slack bot": lambda: (
        "xoxb" + f"-{_some(string.digits, 11)}-{_some(string.digits, 12)}-{_some(_BASE62, 24)}"
    ),
    "slack user": lambda: "xoxp" + f"-{_some(string.digits, 11)}-{_some(_BASE62, 32)}",
    "slack app": lambda: "xapp" + f"-1-{_some(_UPPER, 11)}-{_some(string.digits, 13)}-{_some(_HEX, 64)}",
    "stripe": lambda: "sk" + "_live_" + _some(_BASE62, 24),
    "stripe restricted": lambda: "rk" + "_live_" + _some(_BASE62, 24),
    "stripe hook": lambda: "whsec" + "_" + _some(_BASE62, 32),
    "openai": lambda: "sk" + "-" + _some(_BASE62, 48),
    "openai project": lambda: "sk-proj" + "-" + _some(_BASE62 + "-_", 60) + "x",
    "anthropic": lambda: "sk-ant" + "-api03-" + _some(_BASE62, 93) + "AA",
    "npm": lambda: "npm" + "_" + _some(_BASE62, 36),
    "pypi": lambda: "pypi" + "-AgEIcHlwaS5vcmc" + _some(_BASE62, 70),
    "google": lambda: "AIza" + _some(_BASE62, 35),
    "google oauth": lambda: "GOCSPX" + "-" + _some(_BASE62, 28),
    "jwt": lambda: "eyJ" + _some(_BASE62, 30) + ".eyJ" + _some(_BASE62, 60) + "." + _some(_BASE62, 43),
    "sendgrid": lambda: "SG" + "." + _some(_BASE62, 22) + "." + _some(_BASE62, 43),
    "hugging face": lambda: "hf" + "_" + _some(string.ascii_letters, 34),
    "vault": lambda: "hvs" + "." + _some(_BASE62, 90),
    "digitalocean": lambda: "dop" + "_v1_" + _some(_HEX, 64),
    "databricks": lambda: "dapi" + _some(_HEX, 32),
    "shopify": lambda: "shpat" + "_" + _some(_HEX, 32),
    "twilio": lambda: "SK" + _some(_HEX, 32),
    "docker": lambda: "dckr" + "_pat_" + _some(_BASE62, 27),
    "telegram": lambda: _some(string.digits[1:], 10) + ":AA" + _some(_BASE62, 33),
    "grafana": lambda: "glsa" + "_" + _some(_BASE62, 32) + "_" + _some(_HEX, 8),
    "linear": lambda: "lin" + "_api_" + _some(_BASE62, 40),
    "age": lambda: "AGE-SECRET" + "-KEY-1" + _some(_UPPER, 58),
}
_AROUND = (
    "using {0} for this",
    "curl -s 'https://api.example.com/v1?q=1' -H 'X-Any: {0}'",
    'remote: rejected "{0}" (expired)',
)
_NAMED = (
    "PASSWORD={0}",
    "export DB_PASSWORD='{0}'",
    'api_key: "{0}"',
    '{{"client_secret": "{0}", "id": 7}}',
    '"{{\\"access_token\\": \\"{0}\\"}}"',
    "curl -H 'Authorization: Bearer {0}' https://example.com",
    "Authorization: Basic {0}",
    "X-Api-Key: {0}",
    "deploy --token {0} --force",
    "deploy --password={0}",
    "git clone https://someone:{0}@git.example.com/x.git",
    "postgres://app:{0}@db.internal:5432/app?sslmode=require",
    "mongodb+srv://root:{0}@cluster0.example.net/admin",
    "redis://:{0}@cache:6379/0",
    "amqp://guest:{0}@mq:5672//",
    "Server=db;Database=x;User Id=sa;Password={0};Encrypt=true",
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={0};EndpointSuffix=core.windows.net",
    "curl -u someone:{0} https://example.com",
    "mysql -h db -u root -p{0} shop",
    "machine example.com login someone password {0}",
    "//registry.example.com/:_authToken={0}",
    "aws_secret_access_key = {0}",
    "Set-Cookie: session={0}; HttpOnly",
    "https://hooks.slack.com/services/T0000/B0000/{0}",
    "https://x.blob.core.windows.net/c?sv=2022&sig={0}&se=2026",
    "sshpass -p{0} ssh host",
    "MY_PRIVATE_KEY={0}",
    "config['secret'] = '{0}'",
    "set -gx GITHUB_TOKEN {0}",
)


def _key(kind: str) -> tuple[str, str]:
    lines = [_some(_BASE62 + "+/", 64) for _ in range(6)] + [_some(_BASE62, 30) + "=="]
    body = "\n".join(lines)
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----\n", body


def _all() -> list[tuple[str, str]]:
    found = []
    for make in _TOKENS.values():
        for around in _AROUND:
            secret = make()
            found.append((around.format(secret), secret))
    for around in _NAMED:
        for _ in range(3):
            secret = _some(_BASE62, 24)
            found.append((around.format(secret), secret))
    found += [_key(kind) for kind in ("RSA ", "EC ", "OPENSSH ", "", "DSA ", "ENCRYPTED ", "RSA ", "EC ")]
    for name in ("PGPASSWORD", "NPM_TOKEN", "SECRET_KEY_BASE", "TWINE_PASSWORD", "JWT_SECRET", "VAULT_TOKEN"):
        secret = _some(_BASE62 + "!%#", 20)
        found.append((f"{name}={secret} make deploy", secret))
    return found


SECRETS = _all()
