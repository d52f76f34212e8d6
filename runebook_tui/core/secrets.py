"""Secrets: what looks like one is left out of a text before anything is stored.

It recognises what is named or shaped like a secret, what the plan's own patterns match, and the values that
the plan gives to variables named like secrets. It cannot know a password that stands there like a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

HIDDEN = "[hidden]"

_WORDS = (
    r"passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_-]?key|apikey|private[_-]?key|access[_-]?key|"
    r"account[_-]?key|auth[_-]?key|encryption[_-]?key|signing[_-]?key|shared[_-]?access[_-]?key|master[_-]?key|"
    r"credential|license[_-]?key|webhook[_-]?url|(?:connection|conn)[_-]?str(?:ing)?|"
    r"sas[_-]?(?:token|key)|session[_-]?key|client[_-]?key|dsn\b|cookie"
)
_NAME = rf"[\w.-]{{0,80}}(?:{_WORDS})[\w-]{{0,40}}"
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\"(?:[^"\\]|\\[^"])*\\"|\[hidden\]|[^\s'"&|;]+)"""
_LONG_LINE = r"[A-Za-z0-9+/]{60,76}={0,2}\r?$"
_NAMED = re.compile(rf"(?i)(?:{_WORDS})")

_SHAPES = (
    r"gh[pousr]_\w{20,}",  # GitHub
    r"github_pat_\w{20,}",
    r"gl(?:pat|ptt|dt|rt|soat|cbt|imt|agent|ft|oas|feat|ffct)-[\w-]{16,}(?:\.[\w.-]+)?",  # GitLab
    r"sk-[\w-]{16,}",  # OpenAI, Anthropic, OpenRouter, and their like
    r"sess-\w{30,}",
    r"xox[abeoprs]-[\w-]{10,}",  # Slack
    r"xapp-\d-[\w-]{10,}",
    r"xoxe\.xox[bp]-[\w-]{10,}",
    r"(?<=hooks\.slack\.com/services/)[\w/]{20,}",
    r"(?<=hooks\.slack\.com/workflows/)[\w/]{20,}",
    r"(?<=discord\.com/api/webhooks/)[\w/-]{20,}",
    r"(?<=discordapp\.com/api/webhooks/)[\w/-]{20,}",
    r"(?<=webhook\.office\.com/)[\w@/-]{20,}",
    r"(?:sk|rk|pk)_(?:live|test)_\w{10,}",  # Stripe
    r"whsec_[\w+/=]{16,}",
    r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}",  # AWS
    r"AIza[\w-]{30,}",  # Google
    r"GOCSPX-[\w-]{20,}",
    r"ya29\.[\w-]{20,}",
    r"1//0[\w-]{30,}",
    r"npm_\w{30,}",
    r"pypi-[\w-]{30,}",
    r"eyJ[\w-]{8,4000}\.[\w-]{8,}(?:\.[\w-]*){0,3}",  # JSON web tokens
    r"dop_v1_\w{40,}|doo_v1_\w{40,}|dor_v1_\w{40,}",  # DigitalOcean
    r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    r"key-[0-9a-f]{32}",  # Mailgun
    r"(?:AC|SK)[0-9a-f]{32}",  # Twilio
    r"hf_\w{30,}",  # Hugging Face
    r"hv[sbr]\.[\w-]{20,}",  # Vault
    r"dapi[0-9a-f]{32}(?:-\d)?",  # Databricks
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",  # Shopify
    r"sq0(?:atp|csp|idp)-[\w-]{20,}|EAAA[\w-]{50,}",  # Square
    r"ATATT3[\w=-]{30,}|ATCTT3[\w=-]{30,}|ATBB\w{24,}",  # Atlassian
    r"lin_(?:api|oauth)_\w{30,}",  # Linear
    r"ntn_\w{30,}|secret_\w{40,}",  # Notion
    r"figd_[\w-]{30,}",  # Figma
    r"NRAK-[A-Z0-9]{20,}|NRJS-\w{15,}|NRII-[\w-]{30,}",  # New Relic
    r"glsa_\w{30,}|glc_[\w+/=]{30,}",  # Grafana
    r"sntrys_[\w+/=-]{30,}|sntryu_\w{30,}",  # Sentry
    r"dckr_(?:pat|oat)_[\w-]{20,}",  # Docker
    r"pul-[0-9a-f]{40}",  # Pulumi
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}",  # Doppler
    r"[\w-]{10,20}\.atlasv1\.[\w-]{40,}",  # Terraform
    r"fo1_[\w-]{30,}|fm[12][ar]?_[\w+/=,-]{40,}",  # Fly.io
    r"rubygems_[0-9a-f]{40,}",
    r"cio\w{30,}",  # Cargo
    r"oy2[a-z0-9]{43}",  # NuGet
    r"AGE-SECRET-KEY-1[A-Z0-9]{40,}",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",  # Postman
    r"r8_\w{30,}|gsk_\w{30,}|xai-\w{30,}|pplx-\w{30,}|nvapi-[\w-]{30,}|co_\w{38,}",  # models
    r"sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,}",  # Supabase
    r"pscale_(?:tkn|pw|oauth)_[\w.-]{30,}",  # PlanetScale
    r"\d{8,10}:AA[\w-]{32,}",  # Telegram
    r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}",  # Discord
    r"AccountKey=[\w+/=]{20,}",  # Azure
    r"[\w~.-]{3}8Q~[\w~.-]{31,}",
    r"EAACEdEose0cBA\w+|EAA[A-Z]\w{80,}",  # Facebook
    r"tk-us-[\w-]{40,}|airtable_pat\w{14}\.\w+|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    r"[0-9a-f]{32}-us\d{1,2}",  # Mailchimp
    r"xkeysib-[0-9a-f]{64}-\w{16}",  # Brevo
    r"(?<=\bBasic )[A-Za-z0-9+/]{12,}={0,2}",
)

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
            r".*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
        HIDDEN,
    ),
    # What a cut has left of one: its last line, and rows of long ones.
    (re.compile(r"(?m)(?:^[A-Za-z0-9+/=]{1,76}\r?\n)?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z -]*"), HIDDEN),
    (
        re.compile(
            rf"(?m)^[ \t]*{_LONG_LINE}(?:\n[ \t]*{_LONG_LINE})*(?:\n[ \t]*[A-Za-z0-9+/]{{4,59}}={{0,2}}\r?$)?"
        ),
        HIDDEN,
    ),
    (
        re.compile(
            r"(?i)((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|digest|bot)\s+)?)[^\s'\"]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:x-api-key|x-auth-token|x-access-token|private-token|set-cookie|cookie)\s*:\s*)[^'\"\r\n]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(rf"(?i)(?<![\w./-])(-{{0,2}}\\?[\"']?{_NAME}\\?[\"']?\]?\s*(?:=>|:=|[=:])\s*){_VALUE}"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"(?i)(?<!\S)(--?{_NAME}\s+)(?!-){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(\bset\s+(?:-\w+\s+)*{_NAME}\s+){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?im)(\b(?:machine\s+\S+\s+)?login\s+\S+\s+password\s+){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=://)([^/\s:@]{0,200}):[^\s@]{1,500}@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"(?i)(?<!\S)((?:-u|--user)\s*=?\s*['\"]?[^\s:'\"]{1,200}):[^\s'\"]+"), rf"\1:{HIDDEN}"),
    (
        re.compile(r"(\b(?:mysql|mysqldump|mariadb|sshpass)\b[^|;&\n]{0,200}?\s-p)(?=\S)[^\s'\"]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\bredis-cli\b[^|;&\n]{0,200}?\s-a\s+)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)([?&](?:sig|signature|x-amz-signature|x-amz-credential|key|code|auth)=)[^&\s'\"]{8,}"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(?:" + "|".join(_SHAPES) + ")"), HIDDEN),
)
_SHORTEST_VALUE = 6


def is_named_secret(name: str) -> bool:
    """Whether a variable of that name holds a secret, as its name says."""
    return _NAMED.search(name) is not None


def without_secrets(text: str, limit: int = 2000) -> str:
    """`text` with what looks like a secret replaced by `[hidden]`, at most `limit` characters of it."""
    text = _hidden(text[: 4 * limit])
    return text if len(text) <= limit else text[:limit] + "…"


def _hidden(text: str) -> str:
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


class Secrets:
    """What is a secret in one plan: what looks like one, what `patterns` match, and `values` themselves.

    A value of fewer than six characters is too common to be looked for.
    """

    def __init__(self, patterns: Sequence[str] = (), values: Iterable[str] = ()) -> None:
        self._patterns = [re.compile(each) for each in patterns]
        longest = sorted({each for each in values if len(each) >= _SHORTEST_VALUE}, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest))) if longest else None

    def hide(self, text: str) -> str:
        """`text` with each of them replaced by `[hidden]`."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        for pattern in self._patterns:
            text = pattern.sub(HIDDEN, text)
        return _hidden(text)

    def hide_variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Variables with their secrets left out; a name may say that the whole value is one."""
        return {
            name: HIDDEN if is_named_secret(name) and value else self.hide(value)
            for name, value in variables.items()
        }

    def hide_words(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words of a command line, one of which may name the next."""
        kept: list[str] = []
        for before, word in zip(("", *words), words, strict=False):
            named = before.startswith("-") and "=" not in before and is_named_secret(before)
            kept.append(HIDDEN if named and not word.startswith("-") else self.hide(word))
        return tuple(kept)
