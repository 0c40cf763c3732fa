"""Broker addresses: what each broker's paper and live sides are called, and which addresses never leave this machine.

A key is sent where an address points, so an address is checked before anything is: live only where the operator said
so, in the clear only on the loopback.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from standfast.settings.report import Unfit

KINDS = ("rest_url", "stream_url", "data_url", "data_stream_url")
STREAMS = ("stream_url", "data_stream_url")

HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+", re.ASCII)
"""A name (lower case, as it is parsed) or an IPv6 address. Whatever else the network would take for one of these (a dot
at the end, letters of other widths, %61) is refused, because live and paper are told apart by name."""

HTTP = ("https", "http")
WEBSOCKET = ("wss", "ws")


@dataclass(frozen=True, slots=True)
class Venue:
    """One broker's addresses, in the order of KINDS; none: its library knows them."""

    paper: tuple[str, ...] = ("", "", "", "")
    live: tuple[str, ...] = ("", "", "", "")

    @property
    def live_hosts(self) -> frozenset[str]:
        """Hosts where money is real. A host that serves paper as well (market data) says nothing."""
        return frozenset(host(url) for url in self.live if url) - frozenset(host(url) for url in self.paper if url)

    @property
    def paper_hosts(self) -> frozenset[str]:
        return frozenset(host(url) for url in self.paper if url) - frozenset(host(url) for url in self.live if url)


ALPACA_DATA = ("https://data.alpaca.markets", "wss://stream.data.alpaca.markets")
VENUES: Mapping[str, Venue] = {
    "alpaca": Venue(
        paper=("https://paper-api.alpaca.markets", "wss://paper-api.alpaca.markets", *ALPACA_DATA),
        live=("https://api.alpaca.markets", "wss://api.alpaca.markets", *ALPACA_DATA),
    ),
    "tradier": Venue(
        paper=("https://sandbox.tradier.com", "wss://sandbox-ws.tradier.com", "https://sandbox.tradier.com", ""),
        live=("https://api.tradier.com", "wss://ws.tradier.com", "https://api.tradier.com", "wss://ws.tradier.com"),
    ),
    "ccxt:binanceusdm": Venue(
        paper=("https://testnet.binancefuture.com", "wss://fstream.binancefuture.com", "", ""),
        live=("https://fapi.binance.com", "wss://fstream.binance.com", "", ""),
    ),
    "ccxt:bybit": Venue(
        paper=("https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com", "", ""),
        live=("https://api.bybit.com", "wss://stream.bybit.com", "", ""),
    ),
}


def venue(broker: str) -> Venue:
    return VENUES.get(broker, Venue())


def broker_name(value: object) -> str:
    """`alpaca`, `tradier`, or `ccxt:` and an id of ccxt's."""
    known = isinstance(value, str) and (value in VENUES or (value.startswith("ccxt:") and value[5:].isalnum()))
    if not known:
        raise Unfit("is no broker known here", "Write alpaca, tradier, or ccxt:ID such as ccxt:bybit")
    return str(value)


def address(schemes: tuple[str, ...]) -> Callable[[object], str]:
    """A parser for scheme and host; without path, because the adapter knows its versions."""

    def parse(value: object) -> str:
        remedy = f'Write scheme and host: "{schemes[0]}://host"'
        try:
            parts = urlsplit(value) if isinstance(value, str) else None
            port = parts.port if parts else None
        except ValueError:
            parts, port = None, None
        if parts is None or parts.scheme not in schemes or not parts.hostname:
            raise Unfit(f"is not an address of scheme {' or '.join(schemes)}", remedy)
        if not HOST.fullmatch(parts.hostname):
            raise Unfit(
                "has a host that could be read in two ways", "Write the host in plain letters, without a dot at its end"
            )
        if parts.username or parts.password:
            raise Unfit("carries a user or a password", "Use key_id and secret for them", shown="...")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise Unfit("has a path", f"{remedy}, without path or version")
        if parts.scheme == schemes[1] and not is_loopback(parts.hostname):
            raise Unfit("would send keys in the clear", f"Write {schemes[0]}:// instead of {schemes[1]}://")
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{name}" + (f":{port}" if port else "")

    return parse


def defaults(broker: str, *, live: bool, rest: str) -> dict[str, str]:
    """What is used where an address is not written. Beside a simulator everything is the simulator's: no real quote,
    and no key sent to a real host, because one line was left out."""
    if rest and is_loopback(host(rest)):
        stream = rest.replace("http", "ws", 1)
        return {kind: stream if kind in STREAMS else rest for kind in KINDS}
    return dict(zip(KINDS, venue(broker).live if live else venue(broker).paper, strict=True))


def host(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
