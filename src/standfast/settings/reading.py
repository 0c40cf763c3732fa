"""The whole file, checked (the contract of design.md §7): settings to trust, or one error with every problem."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from standfast.model.alert import Severity
from standfast.model.secret import MASK, Secret, remember
from standfast.settings.accounts import Shared, read_accounts
from standfast.settings.addresses import host, is_loopback
from standfast.settings.environment import override
from standfast.settings.ledger import DEFAULT, ledger_address
from standfast.settings.policies import judge_accounts, judge_sessions, read_limits, read_policies
from standfast.settings.quick import parsed, source
from standfast.settings.report import Report, Unfit, line_numbers
from standfast.settings.services import SERVICES
from standfast.settings.shapes import NO_SECRET, AccountSettings, AlertChannel, ApiSettings, Settings
from standfast.settings.table import Table
from standfast.settings.values import text, word
from standfast.settings.vault import Vault

LISTEN = "127.0.0.1:8787"
US_SESSIONS = frozenset({"alpaca", "tradier"})
TOKEN_LIKE = re.compile(r"[A-Za-z0-9_\-.~]{16,}")
"""A part of an alert's address that may be its secret: webhooks carry theirs in the path."""


def load(file: Path | str, environ: Mapping[str, str], named: Callable[[str], None] = lambda _: None) -> Settings:
    """Read `standfast.toml`, put the environment's overrides in, resolve secrets, check everything.

    `named` hears the name of each variable that a secret was read from.
    Raises `SettingsError` whose text has one line for each problem: place, key, value, what is wrong, what to do.
    """
    file = Path(file)
    written = source(file)
    data = parsed(file, written)
    variables, unplaced = override(data, environ)
    report = Report(str(file), line_numbers(written), variables)
    report.problems.extend(unplaced)
    settings = _settings(Table(data, (), report), file, Vault(environ, file.absolute().parent, named))
    report.close()
    return settings


def _settings(table: Table, file: Path, vault: Vault) -> Settings:
    folder = file.absolute().parent
    report = table.report
    rules = list(table.tables("policies"))
    policies = read_policies(rules, report)
    limits = read_limits(table.table("limits"))
    shared = Shared(vault=vault, report=report, folder=folder, policies=policies, limits=limits)
    accounts = read_accounts(list(table.tables("accounts")), shared)
    if not accounts and not isinstance(table.values.get("accounts"), str | int):
        report.missing(("accounts",), "Write at least one [[accounts]] section, or start with `standfast init`")
    judge_accounts(rules, policies, [account.rules for account in accounts], report)
    if all(account.broker in US_SESSIONS for account in accounts):
        judge_sessions(rules)
    ledger = table.table("ledger")
    ledger_url = ledger.read("url", lambda value: ledger_address(value, folder), ledger_address(DEFAULT, folder))
    ledger.close()
    _remember_password(ledger_url)
    api = _api(table.table("api"), vault, simulated=bool(accounts) and all(each.is_simulator for each in accounts))
    alerts = tuple(_channel(each, vault) for each in table.tables("alerts"))
    table.close()
    _warn(report, accounts, alerts)
    return Settings(
        file=file,
        ledger_url=ledger_url,
        api=api,
        accounts=accounts,
        alerts=alerts,
        warnings=tuple(report.warnings),
    )


def _api(table: Table, vault: Vault, *, simulated: bool) -> ApiSettings:
    name, port = table.read("listen", _listen, _listen(LISTEN))
    token = table.read("token", vault.secret_or_literal if simulated else vault.secret, NO_SECRET)
    if not is_loopback(name) and "token" not in table:
        table.wrong("listen", "can be reached from other machines, and there is no token", "Write a token beside it")
    table.close()
    return ApiSettings(host=name, port=port, token=token)


def _listen(value: object) -> tuple[str, int]:
    remedy = f'Write address and port: "{LISTEN}"'
    try:
        parts = urlsplit(f"//{text(value)}")
        name, port = parts.hostname, parts.port
        if name is not None and name != "localhost":
            ipaddress.ip_address(name)
    except ValueError:
        name, port = None, None
    if name is None or port is None or _has_more(value):
        raise Unfit("is not an address with a port", remedy)
    return name, port


def _has_more(value: object) -> bool:
    return any(mark in str(value) for mark in "/@?#")


def _channel(table: Table, vault: Vault) -> AlertChannel:
    position = table.path[-1]
    url = table.need("url", lambda value: _alert_address(value, vault), NO_SECRET, remedy='Write url = "env:ALERT_URL"')
    least = table.read("from", word(Severity), Severity.INFO)
    table.close()
    return AlertChannel(url=url, least=least, label=f"{url.reveal().partition(':')[0] or 'none'}#{position}")


def _alert_address(value: object, vault: Vault) -> Secret:
    """Any Apprise address, by reference or as it stands; its parts are kept out of the log either way."""
    found = vault.referenced(value)
    url = (found if found is not None else Secret(str(value))).reveal()
    scheme = re.match(r"(?P<name>[A-Za-z0-9]+)://", url)
    if scheme is None or not url.isprintable():
        raise Unfit("is not the address of a service", 'Write env:NAME or an address: "ntfy://topic"', shown=MASK)
    if scheme["name"].lower() not in SERVICES:
        from difflib import get_close_matches  # only where there is something to say

        near = get_close_matches(scheme["name"].lower(), sorted(SERVICES), n=1)
        remedy = f'Did you mean "{near[0]}://"?' if near else 'Write an Apprise address: "ntfy://topic"'
        raise Unfit("is of no service that is known", remedy, shown=f"{scheme['name']}://{MASK}")
    for part in TOKEN_LIKE.findall(url.partition("://")[2]):
        if part != host(url):
            remember(part)
    return found if found is not None else Secret(url)


def _remember_password(ledger_url: str) -> None:
    password = urlsplit(ledger_url).password if ledger_url.startswith("postgresql") else None
    if password:
        remember(password)


def _warn(report: Report, accounts: tuple[AccountSettings, ...], alerts: tuple[AlertChannel, ...]) -> None:
    if not alerts:
        report.warn(("alerts",), "there is none: what goes wrong is only in the log and the ledger")
    elif all(channel.least is Severity.CRITICAL for channel in alerts):
        report.warn(("alerts",), "no channel carries warnings")
    for account in accounts:
        if account.is_simulator and account.live:
            report.warn(("accounts",), f"{account.name} is marked live and its addresses are a simulator's")
