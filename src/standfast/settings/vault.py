"""Where secrets come from: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`, and never the settings file itself.

A file others can read is refused. Below `$CREDENTIALS_DIRECTORY` systemd itself keeps others out and shows the group
bits of an access list, so there only "everybody" counts. The one literal allowed is a simulator's: it opens nothing.
"""

import importlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from standfast.model.secret import MASK, Secret, remember
from standfast.settings.files import read_regular
from standfast.settings.report import Unfit

REMEDY = "Write env:NAME, file:PATH or keyring:SERVICE/NAME"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
LONGEST = 64 * 1024
"""Bytes of a secret file: a key has some dozen."""


class Vault:
    """Resolves references; relative paths are meant beside the settings file."""

    def __init__(self, environ: Mapping[str, str], folder: Path, named: Callable[[str], None] = lambda _: None) -> None:
        """`named` hears the name of each variable that a secret was read from."""
        self.environ = environ
        self.folder = folder
        self.named = named

    def secret(self, value: object) -> Secret:
        """The secret a reference stands for. A literal is refused."""
        found = self.referenced(value)
        if found is None:
            raise Unfit("is a secret written into the file, or no reference at all", REMEDY, shown=MASK)
        return found

    def secret_or_literal(self, value: object) -> Secret:
        """As `secret`, but a literal is taken as it stands: for simulators."""
        found = self.referenced(value)
        return found if found is not None else Secret(str(value))

    def referenced(self, value: object) -> Secret | None:
        """The secret a reference stands for; None where the text is no reference."""
        if not isinstance(value, str) or not value:
            raise Unfit("is not a text", REMEDY, shown=MASK)
        kind, colon, rest = value.partition(":")
        match kind, colon:
            case "env", ":":
                return self._remembered(value, self._from_environment(value, rest))
            case "file", ":" if not rest.startswith("//"):
                return self._remembered(value, self._from_file(value, rest))
            case "keyring", ":":
                return self._remembered(value, _from_keyring(value, rest))
            case _:
                return None

    def _remembered(self, reference: str, found: str) -> Secret:
        value = found.strip()
        if not value:
            raise Unfit("leads to an empty value", "Put the secret there", shown=reference)
        secret = remember(value)
        if not value.isprintable():
            raise Unfit(
                "leads to a value of several lines, or of no text", "Put the bare secret there", shown=reference
            )
        return secret

    def _from_environment(self, reference: str, name: str) -> str:
        if name not in self.environ:
            raise Unfit("names a variable that is not set", f"Set {name or 'it'}, or use file:PATH", shown=reference)
        self.named(name)
        return self.environ[name]

    def _from_file(self, reference: str, path: str) -> str:
        file = self.folder / self._expanded(path)
        try:
            read, found = read_regular(file, LONGEST)
            self._refuse_if_shared(reference, file, found)
            return read.decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise Unfit(f"cannot be read ({reason})", "Check the path and its rights", shown=reference) from None

    def _refuse_if_shared(self, reference: str, file: Path, found: os.stat_result) -> None:
        if found.st_uid not in (0, os.geteuid()):
            raise Unfit("belongs to another user, who can change it", f"chown it to {_user()}", shown=reference)
        mode = found.st_mode
        kept = self.environ.get(CREDENTIALS)
        by_systemd = kept is not None and file.is_relative_to(kept)
        readers = stat.S_IROTH if by_systemd else stat.S_IRGRP | stat.S_IROTH
        if mode & readers:
            shown = stat.S_IMODE(mode)
            raise Unfit(f"can be read by others (mode {shown:04o})", f"chmod 600 {file}", shown=reference)

    def _expanded(self, path: str) -> Path:
        for name in (f"${CREDENTIALS}", f"${{{CREDENTIALS}}}"):
            if path.startswith(name) and CREDENTIALS in self.environ:
                path = self.environ[CREDENTIALS] + path.removeprefix(name)
        return Path(path).expanduser()


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _from_keyring(reference: str, rest: str) -> str:
    service, _, name = rest.partition("/")
    if not service or not name:
        raise Unfit("names no entry of a keyring", "Write keyring:SERVICE/NAME", shown=reference)
    keyring = _keyring(reference)
    try:
        found = keyring.get_password(service, name)
    except Exception as error:  # noqa: BLE001  # a desktop's back-end raises what it likes
        raise Unfit(
            f"cannot be read ({type(error).__name__})", "Unlock the keyring, or use file:PATH", shown=reference
        ) from None
    if found is None:
        raise Unfit("is not in the keyring", f"keyring set {service} {name}", shown=reference)
    return str(found)


def _keyring(reference: str) -> Any:
    try:
        return importlib.import_module("keyring")  # desktops only: not among what a guard needs
    except ImportError:
        raise Unfit("needs the keyring package", "pip install keyring, or use file:PATH", shown=reference) from None
