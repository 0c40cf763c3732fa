"""The checks of `doctor`, each its own function: a name, whether it is well, what was found, what to do.

1. A check never raises: what it could not find out is a finding.
2. Every finding that is not well carries a remedy.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.cli import doors, render
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, GOOD, Cell, Column
from standfast.desk import ledger, stored
from standfast.model.errors import SettingsError, StandfastError
from standfast.model.ids import AccountId
from standfast.model.secret import redact

if TYPE_CHECKING:
    from standfast.settings.shapes import AccountSettings, Settings, TrackerSettings

SKEW_SECONDS = 2.0
"""A machine further than this from the broker's clock judges ages wrongly."""
REFERENCES = ("env:", "file:", "keyring:")

COLUMNS = (Column(""), Column("CHECK"), Column("FOUND", wraps=True), Column("REMEDY", wraps=True))


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `remedy` is empty where all is well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def doctor(options: Options) -> int:
    """Make every check and print what was found."""
    found = [
        Check(each.name, each.ok, redact(each.detail), redact(each.remedy))
        for each in _checks(Path(options.config), send=options.send)
    ]
    if options.json:
        render.document({"checks": [asdict(each) for each in found]})
    else:
        rows = [
            (Cell("ok", GOOD) if each.ok else Cell("WRONG", BAD), each.name, each.detail, each.remedy or "-")
            for each in found
        ]
        render.table(COLUMNS, rows, empty="")
    return 0 if all(each.ok for each in found) else 1


def _checks(config: Path, *, send: bool) -> Iterator[Check]:
    settings, problems = _load(config)
    yield configuration(settings, problems)
    yield secrets(settings, problems)
    yield file_modes(config)
    yield ledger_file(config)
    if settings is None:
        return
    for account in settings.accounts:
        yield lease(config, account.name)
        yield bots_own_sells(account)
        if account.tracker is not None:
            yield tracker(config, account.name, account.tracker)
        yield from broker(config, account)
    yield alerts(config, settings, send=send)


def _load(config: Path) -> "tuple[Settings | None, list[str]]":
    from standfast.app import load

    try:
        return load(config), []
    except SettingsError as error:
        return None, str(error).splitlines()


def configuration(settings: "Settings | None", problems: list[str]) -> Check:
    """Whether the file says something that can be used."""
    if settings is not None:
        said = "; ".join(settings.warnings)
        return Check(
            "configuration", ok=True, detail=f"{len(settings.accounts)} account(s)" + (f"; {said}" if said else "")
        )
    wrong = [line for line in problems if not _is_about_a_secret(line)]
    if not wrong:
        return Check("configuration", ok=True, detail="readable")
    return Check(
        "configuration", ok=False, detail="; ".join(wrong), remedy="correct the lines named, then run it again"
    )


def secrets(settings: "Settings | None", problems: list[str]) -> Check:
    """Whether every reference leads to a value."""
    wrong = [line for line in problems if _is_about_a_secret(line)]
    if wrong:
        return Check(
            "secrets", ok=False, detail="; ".join(wrong), remedy="put each secret where the settings look for it"
        )
    if settings is None:
        return Check("secrets", ok=False, detail="not looked at", remedy="correct the configuration first")
    return Check("secrets", ok=True, detail="every reference leads to a value")


def _is_about_a_secret(line: str) -> bool:
    return any(f"= {each}" in line for each in REFERENCES)


def file_modes(config: Path) -> Check:
    """Settings decide where keys are sent: nobody else may change them, and nobody else needs to read them."""
    from standfast.settings.modes import exposed

    found = exposed(config, _ledger_path(config))
    if not found:
        return Check("file modes", ok=True, detail="settings, ledger and what is beside it are their owner's alone")
    detail = "; ".join(str(each) for each in found)
    return Check("file modes", ok=False, detail=detail, remedy="; ".join(each.cure for each in found))


def _ledger_path(config: Path) -> Path | None:
    try:
        return ledger.path_of(str(config))
    except SettingsError:
        return None


def ledger_file(config: Path) -> Check:
    """Whether the ledger opens, its file is sound, and each journal's end is the one that was committed."""
    path = _ledger_path(config)
    if path is None:
        return Check("ledger", ok=False, detail="its address cannot be read", remedy="correct [ledger] url")
    if not path.parent.is_dir():
        remedy = "make the folder, or correct [ledger] url"
        return Check("ledger", ok=False, detail=f"{path}: its folder is not there", remedy=remedy)
    if not path.exists():
        return Check("ledger", ok=True, detail=f"{path}: not there yet; the first guard makes it")
    try:
        stored.check_file(path)
        with ledger.opened(str(config)) as books:
            heads = [f"{account} {books.reader.head(account)[0]} entries" for account in books.accounts]
    except StandfastError as error:
        return Check("ledger", ok=False, detail=str(error), remedy="standfast journal verify; then restore a backup")
    return Check("ledger", ok=True, detail=f"{path}: " + (", ".join(heads) or "empty"))


def lease(config: Path, account: AccountId) -> Check:
    """Who guards the account now."""
    name = f"{account}: guard"
    path = _ledger_path(config)
    if path is None or not path.exists():
        return Check(name, ok=True, detail="no guard has run yet")
    try:
        with ledger.opened(str(config)) as books:
            row = books.reader.lease(account)
    except StandfastError as error:
        return Check(name, ok=False, detail=str(error), remedy="standfast journal verify")
    if row is None or not row.holder:
        return Check(name, ok=True, detail="nobody guards it now")
    if not stored.is_held(row, ledger.now()):
        remedy = "standfast guard: it takes over what the last one left"
        return Check(name, ok=False, detail=f"its last guard ({row.holder}) ended without handing over", remedy=remedy)
    return Check(name, ok=True, detail=f"guarded by {row.holder}")


def bots_own_sells(account: "AccountSettings") -> Check:
    """Say which of the bot's own orders the broker will refuse: no fault, but it must not come as a surprise."""
    name = f"{account.name}: bot's own exits"
    rules = account.rules
    resting = [policy.name for policy in rules.policies if policy.held_by.value != "guard"]
    if rules.mode.value != "repair" or not resting:
        return Check(name, ok=True, detail="no stop of ours rests under a position the bot opened itself")
    if account.broker.startswith("ccxt:"):  # orders that may only reduce take nothing away from others there
        detail = "stops of ours under its positions reserve nothing: its own exits go through, ours shrink after them"
        return Check(name, ok=True, detail=detail)
    which = "adopted positions" if rules.foreign.value == "adopt" else "what you adopt"
    detail = f"stops resting under {which} (policy {', '.join(resting)}) reserve their quantity: the broker"
    detail += ' refuses the bot\'s own sells of them and its plain buys; exits_held_by = "guard" leaves the bot free'
    return Check(name, ok=True, detail=detail)


def tracker(config: Path, account: AccountId, told: "TrackerSettings") -> Check:
    """Whether the bot's own record can be read as the settings say, and what is in it now."""
    name = f"{account}: bot's own record"
    try:
        with doors.quietly():
            read = doors.probing().record(config, account)
    except StandfastError as error:
        remedy = "correct [accounts.tracker]; a bot that has not begun yet has no record"
        return Check(name, ok=False, detail=f"{told.path} {error}", remedy=remedy)
    entries = read.entries if read is not None else ()
    instruments = {leg.holding for entry in entries for leg in entry.legs}
    detail = f"{told.path}: {len(entries)} entries, {len(instruments)} instruments"
    if not told.record.quantity:
        detail += "; names only: of two positions in one instrument, one may be dropped unnoticed"
    return Check(name, ok=True, detail=detail)


def broker(config: Path, account: "AccountSettings") -> Iterator[Check]:
    """What the broker says: that it answers, what time it is, and what the key may do."""
    try:
        with doors.quietly():
            probe = doors.probing().probe(config, account.name)
    except (StandfastError, ModuleNotFoundError) as error:
        yield Check(f"{account.name}: broker", ok=False, detail=str(error), remedy="check keys, addresses and network")
        return
    yield _answers(account, probe)
    yield from _identity(config, account, probe)
    yield _clock(account.name, probe)
    yield _rights(account, probe)
    for each in probe.guarded:
        remedy = each.remedy or "see docs/guides; what is not guarded is watched by nobody"
        yield Check(f"{account.name}: {each.what}", ok=each.ok, detail=each.detail, remedy="" if each.ok else remedy)


def _answers(account: "AccountSettings", probe: doors.Probe) -> Check:
    name = f"{account.name}: broker"
    if probe.failures:
        (what, why), *others = sorted(probe.failures.items())
        detail = f"{what}: {why}" + (f" (and {', '.join(name for name, _ in others)})" if others else "")
        return Check(
            name, ok=False, detail=detail, remedy="check keys, addresses and network; is the key for this side?"
        )
    side = "simulator" if account.is_simulator else "live" if account.live else "paper"
    return Check(name, ok=True, detail=f"{account.broker} ({side}) answers; {probe.positions} position(s)")


def _identity(config: Path, account: "AccountSettings", probe: doors.Probe) -> Iterator[Check]:
    """Whether the keys are of the account the ledger is of, where both are known."""
    name, told = f"{account.name}: account", probe.account.number if probe.account is not None else ""
    path = _ledger_path(config)
    if not told or path is None or not path.exists():
        return
    try:
        with ledger.opened(str(config)) as books:
            known = books.book(account.name).state.number
    except StandfastError:
        return  # the check of the ledger says it
    if known in ("", told):
        yield Check(name, ok=True, detail=f"the keys are of {told}" + (", as the ledger" if known else ""))
        return
    remedy = f"the keys of {known}; or another name for {told} under [[accounts]], with a journal of its own"
    yield Check(name, ok=False, detail=f"the keys are of {told}, the ledger is of {known}", remedy=remedy)


def _clock(account: AccountId, probe: doors.Probe) -> Check:
    name = f"{account}: clock"
    if probe.clock is None:
        return Check(name, ok=False, detail="the broker's clock was not read", remedy="see the check before")
    skew = (probe.asked_at - probe.clock.at).total_seconds()
    detail = f"ours is {abs(skew):.1f} s {'ahead of' if skew >= 0 else 'behind'} the broker's"
    if abs(skew) > SKEW_SECONDS:
        return Check(name, ok=False, detail=detail, remedy="set this machine's clock (chrony or systemd-timesyncd)")
    return Check(name, ok=True, detail=detail)


def _rights(account: "AccountSettings", probe: doors.Probe) -> Check:
    name = f"{account.name}: rights"
    if probe.account is None:
        return Check(name, ok=False, detail="the account was not read", remedy="see the check before")
    if probe.account.blocked:
        detail = f"trading is blocked{': ' + probe.account.reason if probe.account.reason else ''}"
        return Check(name, ok=False, detail=detail, remedy="a guard that may not trade cannot close: ask the broker")
    detail = f"trading is allowed; equity {probe.account.equity} {probe.account.currency}"
    if probe.rights is None:
        return Check(name, ok=True, detail=f"{detail}; whether the key may move money out is not told by this broker")
    detail += f"; withdrawals: {probe.rights.detail}"
    if probe.rights.may_withdraw:
        remedy = "take the addresses off the list at the broker, or guard with an account that has none"
        return Check(name, ok=False, detail=detail, remedy=remedy)
    return Check(name, ok=True, detail=detail)


def alerts(config: Path, settings: "Settings", *, send: bool) -> Check:
    """Whether anybody would be told; with `send`, whether the message arrives."""
    if not settings.alerts:
        return Check("alerts", ok=False, detail="nobody is told", remedy="add [[alerts]] with a url to the settings")
    labels = ", ".join(f"{channel.label} from {channel.least.value}" for channel in settings.alerts)
    with doors.quietly():
        lame = doors.probing().misunderstood(settings)
    if lame:
        detail = f"{', '.join(lame)}: the address lacks something this service needs"
        return Check("alerts", ok=False, detail=detail, remedy="write it as the service's page at Apprise shows it")
    if not send:
        return Check("alerts", ok=True, detail=f"{labels}; not tried: standfast doctor --send")
    with doors.quietly():
        failed = [f"{label}: {why}" for label, why in doors.probing().send_test_alert(config) if why]
    if failed:
        return Check("alerts", ok=False, detail="; ".join(failed), remedy="check the addresses under [[alerts]]")
    return Check("alerts", ok=True, detail=f"{labels}; a test message was taken by each")
