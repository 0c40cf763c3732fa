"""The ways to reach people: Apprise for every service, and a log and a file for demonstrations and tests.

Apprise (170 services, 25 MB) is imported with the first delivery, in the delivering thread: a guard with nothing to
say does not carry it. Every request it makes is bounded in time and follows no redirect, so that an alert's text goes
where the operator said and nowhere else.
"""

import json
import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

from standfast.alerts.threads import Threads
from standfast.model.secret import Secret, redact
from standfast.ports import AlertSink

BOUNDS = {"cto": "2", "rto": "2", "redirect": "no"}
"""Apprise's own words: seconds to connect, seconds to read, and whether redirects are followed."""
REASON_LENGTH = 300


class NotDelivered(Exception):
    """The service did not take the message."""


def sink_for(url: Secret, name: str) -> AlertSink:
    """The sink an address asks for: `log://`, `file:///path`, or any address Apprise knows."""
    scheme = url.reveal().partition(":")[0].lower()
    if scheme == "log":
        return LogSink(name)
    if scheme == "file":
        return FileSink(Path(unquote(urlsplit(url.reveal()).path)), name)
    return AppriseSink(url, name)


class LogSink:
    """Alerts as lines of the log."""

    def __init__(self, name: str = "log") -> None:
        self.name = name
        self._log = logging.getLogger("standfast.alert")

    async def send(self, severity: str, title: str, text: str) -> str:
        level = {"critical": logging.CRITICAL, "warning": logging.WARNING}.get(severity, logging.INFO)
        self._log.log(level, "%s", text, extra={"title": title, "severity": severity})
        return self.name


class FileSink:
    """Alerts as JSON Lines at the end of a file."""

    def __init__(self, file: Path, name: str = "file") -> None:
        self.file = file
        self.name = name
        self._threads = Threads()

    async def send(self, severity: str, title: str, text: str) -> str:
        line = json.dumps({"severity": severity, "title": title, "text": text}, ensure_ascii=False) + "\n"

        def append() -> None:
            with self.file.open("a", encoding="utf-8") as opened:
                opened.write(line)

        await self._threads.run(append)
        return self.name


class AppriseSink:
    """One Apprise address."""

    def __init__(self, url: Secret, name: str) -> None:
        self.name = name
        self._url = url
        self._threads = Threads()

    async def send(self, severity: str, title: str, text: str) -> str:
        """The channel's name once the service said yes; `NotDelivered` with its reason otherwise."""
        await self._threads.run(lambda: _notify(self._url, severity, title, text))
        return self.name


def is_understood(url: Secret) -> bool:
    """Whether the address has what its service needs. Asks nobody, and imports Apprise."""
    import warnings

    if url.reveal().partition(":")[0].lower() in ("log", "file"):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what its services import, which is not ours to mend
        import apprise

        return apprise.Apprise.instantiate(bounded(url.reveal()), suppress_exceptions=True) is not None


def bounded(url: str) -> str:
    """The address with our bounds, where the operator has set none."""
    written = {part.partition("=")[0].lower() for part in url.partition("?")[2].split("&")}
    missing = "&".join(f"{key}={value}" for key, value in BOUNDS.items() if key not in written or key == "redirect")
    return f"{url}{'&' if '?' in url else '?'}{missing}"


def _notify(url: Secret, severity: str, title: str, text: str) -> None:
    import apprise  # with the first delivery, not with the guard

    kinds = {
        "critical": apprise.NotifyType.FAILURE,
        "warning": apprise.NotifyType.WARNING,
    }
    asset = apprise.AppriseAsset(
        app_id="Standfast",
        app_desc="Standfast",
        async_mode=False,  # one thread is enough
        secure_logging=True,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,  # nothing of ours in its cache on disk
    )
    service = apprise.Apprise(asset=asset)
    capture = apprise.LogCapture(level=logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call]  # it has none
    with capture as said:
        taken = service.add(bounded(url.reveal())) and service.notify(
            title=title, body=text, notify_type=kinds.get(severity, apprise.NotifyType.INFO)
        )
        if not taken:
            raise NotDelivered(_reason(said.getvalue()))


def _reason(said: str) -> str:
    """What Apprise wrote into its log, in one line and without the address."""
    words = redact(" ".join(said.split()))
    return words[:REASON_LENGTH] or "the service did not take it"
