"""`[[accounts]]`: how each account is reached, and how far the guard may go on it.

Invariants: a live address needs `live = true`; a literal key only ever goes to the loopback; no account is configured
twice, by name or by key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from standfast.core.policy import BotRecord, Confirm, Every, Foreign, Limits, Mode, Policy, Rules
from standfast.model.breaks import BreakKind
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.settings.addresses import (
    HTTP,
    KINDS,
    STREAMS,
    WEBSOCKET,
    address,
    broker_name,
    defaults,
    host,
    is_loopback,
    venue,
)
from standfast.settings.environment import account_key
from standfast.settings.report import Report, Unfit
from standfast.settings.shapes import NO_SECRET, AccountSettings
from standfast.settings.table import Table
from standfast.settings.tracker import read_tracker
from standfast.settings.values import (
    duration,
    flag,
    glob,
    instrument_list,
    no_longer,
    one_of,
    optional_text,
    request_share,
    some_time,
    text,
    up_to,
    word,
)
from standfast.settings.vault import REMEDY, Vault

NAME = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", re.ASCII)
LONGEST_NAME = 64
SELDOM = timedelta(hours=1)
"""An interval beyond it guards nothing."""
READS_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all accounts have in common while they are read."""

    vault: Vault
    report: Report
    folder: Path
    policies: tuple[Policy, ...]
    limits: Limits


def read_accounts(tables: list[Table], shared: Shared) -> tuple[AccountSettings, ...]:
    accounts = []
    for table in tables:
        accounts.append(_account(table, shared))
        table.close()
    _refuse_doubles(tables, accounts)
    return tuple(accounts)


def _account(table: Table, shared: Shared) -> AccountSettings:
    name = table.need("name", _name, "", remedy='Give the account a name: name = "paper"')
    shared.report.names[table.path] = name or str(table.path[-1])
    broker = table.need("broker", broker_name, "", remedy='Name the broker: broker = "alpaca"')
    live = table.read("live", flag, default=False)
    urls = _addresses(table, broker, live=live)
    simulated = all(is_loopback(host(url)) for url in urls.values())
    key_id, secret = _keys(table, broker, shared.vault, simulated=simulated)
    tracker, record = read_tracker(table, shared.folder, shared.vault)
    return AccountSettings(
        name=AccountId(name),
        broker=broker,
        live=live,
        key_id=key_id,
        secret=secret,
        passphrase=_passphrase(table, shared.vault, simulated=simulated),
        account_id=_account_id(table, broker),
        **urls,
        feed=table.read("feed", text, ""),
        is_simulator=simulated,
        follows_exchange=_follows_exchange(table, urls["rest_url"]),
        tracker=tracker,
        rules=_rules(table, AccountId(name), shared, record),
    )


def _name(value: object) -> str:
    name = text(value)
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Unfit(
            "is no name for an account", f"Use letters and digits, parted by single - or _, {LONGEST_NAME} at most"
        )
    return name


def _addresses(table: Table, broker: str, *, live: bool) -> dict[str, str]:
    parse = {kind: address(WEBSOCKET if kind in STREAMS else HTTP) for kind in KINDS}
    rest = table.read("rest_url", parse["rest_url"], "")
    urls = {
        kind: table.read(kind, parse[kind], default) for kind, default in defaults(broker, live=live, rest=rest).items()
    }
    for kind, url in urls.items():
        if not live and host(url) in venue(broker).live_hosts:
            table.wrong(kind, "is a live address, and live is false", "Write live = true, or use the paper address")
        if live and host(url) in venue(broker).paper_hosts:
            table.wrong(kind, "is a paper address, and live is true", "Write live = false, or use the live address")
    loose = [kind for kind, url in urls.items() if is_loopback(host(rest)) and not is_loopback(host(url))]
    for kind in loose:
        table.wrong(kind, "leaves this machine, and rest_url is a simulator", "Use the simulator's address for both")
    return urls


def _keys(table: Table, broker: str, vault: Vault, *, simulated: bool) -> tuple[Secret, Secret]:
    read = vault.secret_or_literal if simulated else vault.secret
    if broker.startswith("ccxt:"):
        called = broker.removeprefix("ccxt:").upper()
        key_id = table.need("key_id", read, NO_SECRET, remedy=f'{REMEDY}: key_id = "env:{called}_KEY"')
        return key_id, table.need("secret", read, NO_SECRET, remedy=f'{REMEDY}: secret = "env:{called}_SECRET"')
    secret = table.need("secret", read, NO_SECRET, remedy=f'{REMEDY}: secret = "env:APCA_API_SECRET_KEY"')
    if broker == "tradier":
        return table.read("key_id", read, NO_SECRET), secret
    return table.need("key_id", read, NO_SECRET, remedy=f'{REMEDY}: key_id = "env:APCA_API_KEY_ID"'), secret


def _passphrase(table: Table, vault: Vault, *, simulated: bool) -> Secret:
    return table.read("passphrase", vault.secret_or_literal if simulated else vault.secret, NO_SECRET)


def _account_id(table: Table, broker: str) -> str:
    if broker == "tradier":
        return table.need("account_id", text, "", remedy="Tradier needs the number of the account: account_id = ...")
    return table.read("account_id", optional_text, "")


def _follows_exchange(table: Table, rest: str) -> bool:
    follows = table.read("clock", one_of("real", "exchange"), "real") == "exchange"
    if follows and not is_loopback(host(rest)):
        table.wrong(
            "clock",
            "follows a simulated exchange, and rest_url is none",
            "Leave clock out, or set rest_url to the exchange on this machine",
        )
    return follows


def _rules(table: Table, name: AccountId, shared: Shared, record: BotRecord | None) -> Rules:
    modes = table.table("modes")
    strategies = table.table("foreign_strategies")
    return Rules(
        account=name,
        mode=table.read("mode", word(Mode), Mode.ALERT),
        modes=dict(_modes(modes)),
        foreign=table.read("foreign", word(Foreign), Foreign.ALERT),
        foreign_ignore=table.read("foreign_ignore", instrument_list, ()),
        foreign_strategies={name: strategies.read(name, text, "") for name in _globs(strategies)},
        policies=shared.policies,
        limits=shared.limits,
        every=_every(table.table("every")),
        confirm=_confirm(table.table("confirm")),
        rate_share=table.read("rate_share", request_share, Decimal("0.25")),
        record=record,
    )


def _globs(table: Table) -> list[str]:
    """The table's keys, each a pattern of client order ids."""
    for key in table.values:
        try:
            glob(key)
        except Unfit as unfit:
            table.wrong(key, unfit.trouble, unfit.remedy)
    return list(table.values)


def _modes(table: Table) -> Iterator[tuple[BreakKind, Mode]]:
    for kind in BreakKind:
        mode = table.read(kind.value, word(Mode), None)
        if mode is not None:
            yield kind, mode
    table.close()


def _every(table: Table) -> Every:
    usual = Every()
    often = no_longer(SELDOM, some_time, "nobody would look meanwhile")
    every = Every(
        positions=table.read("positions", often, usual.positions),
        orders=table.read("orders", often, usual.orders),
        fills=table.read("fills", often, usual.fills),
        full=table.read("full", often, usual.full),
        status=table.read("status", often, usual.status),
    )
    for key, period in (("positions", every.positions), ("orders", every.orders)):
        if period > usual.full:
            table.warn(key, f"is longer than {usual.full}: what goes wrong is noticed later than promised")
    table.close()
    return every


def _confirm(table: Table) -> Confirm:
    usual = Confirm()
    confirm = Confirm(
        reads=table.read("reads", up_to(READS_MOST), usual.reads),
        orphan=table.read("orphan", no_longer(SELDOM, duration, "nobody would be told meanwhile"), usual.orphan),
    )
    if confirm.reads < usual.reads:
        table.warn("reads", "lets a single read of the broker decide; a stale one is then acted on")
    table.close()
    return confirm


def _refuse_doubles(tables: list[Table], accounts: list[AccountSettings]) -> None:
    names: set[str] = set()
    keys: dict[tuple[str, str, str, str], str] = {}
    for table, account in zip(tables, accounts, strict=True):
        called = account_key(account.name)
        if account.name and called in names:
            table.wrong(
                "name", "is taken by another account", "Give each account a name of its own; case does not count"
            )
        names.add(called)
        key = (
            account.broker,
            host(account.rest_url),
            account.key_id.reveal() or account.secret.reveal(),
            account.account_id,
        )
        if key[2] and keys.setdefault(key, account.name) != account.name:
            shown = Unfit(
                f"is the key of account {keys[key]} too", "One account, one guard: remove one", shown="the same"
            )
            table.report.wrong((*table.path, "key_id"), None, shown)
