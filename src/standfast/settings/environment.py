"""Overrides from the environment: `STANDFAST__LEDGER__URL`, `STANDFAST__ACCOUNTS__PAPER__MODE`.

Two underscores part the steps of the path; names are told without regard to case, and `-` in an account's name is
written `_`. A variable that leads nowhere is an error: a misspelt override would otherwise be believed to hold.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import cast

from standfast.settings.report import Key

PREFIX = "STANDFAST__"
IN_THE_FILE_ONLY = ("policies", "alerts")
"""Lists whose members have no name to be called by."""


def override(data: MutableMapping[str, object], environ: Mapping[str, str]) -> tuple[dict[Key, str], list[str]]:
    """Put every override into `data`; returns which variable set which key, and what could not be placed."""
    variables: dict[Key, str] = {}
    problems: list[str] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        steps = variable.removeprefix(PREFIX).lower().split("__")
        try:
            variables[_place(data, steps, environ[variable])] = variable
        except LookupError as error:
            problems.append(f"environment {variable}: {error.args[0]}.")
    return variables, problems


def account_key(name: object) -> str:
    """How an account is called in a variable's name, in lower case."""
    return str(name).lower().replace("-", "_")


def _place(data: MutableMapping[str, object], steps: list[str], value: str) -> Key:
    if len(steps) < 2 or not all(steps):
        raise LookupError("names no setting. Write SECTION__KEY after the prefix, as in STANDFAST__LEDGER__URL")
    if steps[0] in IN_THE_FILE_ONLY:
        raise LookupError(f"[[{steps[0]}]] cannot be set from the environment. Write it in the file")
    table: MutableMapping[str, object] = data
    path: Key = ()
    if steps[0] == "accounts":
        table, path = _account(data, steps)
        steps = steps[2:]
    for step in steps[:-1]:
        inner = table.setdefault(step, {})
        if not isinstance(inner, dict):
            raise LookupError(f"{step} is not a section. Write the key directly")  # noqa: TRY004  # a path that leads nowhere
        table, path = inner, (*path, step)
    table[steps[-1]] = value
    return (*path, steps[-1])


def _account(data: Mapping[str, object], steps: list[str]) -> tuple[MutableMapping[str, object], Key]:
    if len(steps) < 3:
        raise LookupError("names no setting. Write ACCOUNTS__NAME__KEY, as in STANDFAST__ACCOUNTS__PAPER__MODE")
    if steps[2] == "name":
        raise LookupError("an account cannot be renamed from the environment. Change the file")
    named = list(_named_accounts(data))
    for index, account in named:
        if account_key(account["name"]) == steps[1]:
            return account, ("accounts", index)
    known = ", ".join(str(account["name"]) for _, account in named) or "none"
    raise LookupError(f"there is no account of that name. Accounts in the file: {known}")


def _named_accounts(data: Mapping[str, object]) -> Iterator[tuple[int, MutableMapping[str, object]]]:
    accounts = data.get("accounts")
    for index, account in enumerate(accounts if isinstance(accounts, list) else []):
        if isinstance(account, dict) and "name" in account:
            yield index, cast("MutableMapping[str, object]", account)
