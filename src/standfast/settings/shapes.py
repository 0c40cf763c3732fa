"""What settings become: frozen values for the composition root. Strings of the file do not leave this room."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from standfast.core.policy import Rules
from standfast.model.alert import Severity
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.model.tracked import RecordMap

NO_SECRET = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Where the HTTP interface listens; without a token only the open pages answer."""

    host: str = "127.0.0.1"
    port: int = 8787
    token: Secret = NO_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """The bot's own record, read-only: a third book."""

    kind: str
    """`json`, `csv` or `sql`."""
    path: str
    """A file (absolute), or a database as it is shown."""
    address: Secret = NO_SECRET
    """A database's address, where it is no file."""
    symbols: str
    """As written."""
    every: timedelta
    record: RecordMap


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """One account: how it is reached, and what the operator decided about it."""

    name: AccountId
    broker: str
    live: bool
    key_id: Secret = NO_SECRET
    secret: Secret = NO_SECRET
    passphrase: Secret = NO_SECRET
    """A third word that some exchanges want beside key and secret."""
    account_id: str = ""
    rest_url: str = ""
    """Scheme and host, no path, no trailing slash; empty: the broker library's own default."""
    stream_url: str = ""
    data_url: str = ""
    data_stream_url: str = ""
    feed: str = ""
    is_simulator: bool = False
    """Every address is on this machine's loopback."""
    follows_exchange: bool = False
    """`clock = "exchange"`: the guard's clock runs at the simulated exchange's speed."""
    tracker: TrackerSettings | None = None
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChannel:
    """One way to reach people, from this severity on."""

    url: Secret
    least: Severity
    label: str
    """Scheme and place in the list: fit for a log, no secret in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything one guard was told. `warnings` are sentences to show at start; none of them stops it."""

    file: Path
    ledger_url: str
    """`sqlite:////absolute/path` or `postgresql://...`."""
    api: ApiSettings
    accounts: tuple[AccountSettings, ...]
    alerts: tuple[AlertChannel, ...] = ()
    warnings: tuple[str, ...] = ()

    def account(self, name: str) -> AccountSettings | None:
        return next((account for account in self.accounts if account.name == name), None)
