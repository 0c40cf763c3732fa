"""Ask the advisory services about every package of the lock, and say aloud about which of them nobody answered.

pip-audit calls a package that its service does not know "skipped" and ends with 0 all the same: behind a mirror, or
without a network, that is a clean bill for packages nobody looked at. So its report is read and counted.

Ends with 0 when every package was looked up and none has a known weakness, 1 when one has, 3 when some could not be
looked up. The tool lives in an environment of its own, made anew: nothing we run depends on it.

    python requirements/audit.py LOCK
"""

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, NamedTuple

SERVICES = ("pypi", "osv")
LOCKED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


class Found(NamedTuple):
    """What the services said about the packages of a lock."""

    weak: dict[str, list[str]]
    """Package and version, and the names of its known weaknesses."""
    unknown: list[str]
    """Packages nobody said anything about."""


def judge(lock: str, reports: list[dict[str, Any] | None]) -> Found:
    """One verdict from the reports of several services, None for one that did not answer. A package is looked up when
    one service knew it."""
    named = {f"{found['name']} {found['version']}": found["name"] for found in LOCKED.finditer(lock)}
    known: set[str] = set()
    weak: dict[str, list[str]] = {}
    for report in reports:
        for each in (report or {}).get("dependencies", []):
            if "skip_reason" in each:
                continue
            called = f"{each['name']} {each['version']}"
            known.add(called)
            for weakness in each["vulns"]:
                cures = ", ".join(weakness.get("fix_versions", [])) or "no version yet"
                weak.setdefault(called, []).append(f"{weakness['id']} (mended in {cures})")
    return Found({name: sorted(set(said)) for name, said in weak.items()}, sorted(set(named) - known))


def main(arguments: list[str]) -> int:
    (lock,) = arguments
    with tempfile.TemporaryDirectory() as folder:
        program = _installed(Path(folder))
        reports = [_report(program, service, lock) for service in SERVICES] if program else []
    found = judge(Path(lock).read_text(encoding="utf-8"), reports)
    for name, said in found.weak.items():
        print(f"WEAK: {name}: {'; '.join(said)}", file=sys.stderr)
    total = len(set(LOCKED.findall(Path(lock).read_text(encoding="utf-8"))))
    if found.unknown:
        print(
            f"NOT AUDITED: {len(found.unknown)} of {total} packages: no advisory service could be asked about them "
            f"({', '.join(found.unknown[:5])}{', ...' if len(found.unknown) > 5 else ''}). This is no clean bill: "
            "run it where an advisory service can be reached.",
            file=sys.stderr,
        )
    if found.weak:
        return 1
    if found.unknown:
        return 3
    print(f"{total} packages looked up, no known weakness")
    return 0


def _installed(folder: Path) -> Path | None:
    venv.create(folder, with_pip=True)
    ran = subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "pip-audit"],
        check=False,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        print(f"pip-audit cannot be installed here: {ran.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return folder / "bin" / "pip-audit"


def _report(program: Path, service: str, lock: str) -> dict[str, Any] | None:
    flags = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [str(program), *flags, "--vulnerability-service", service, "--requirement", lock]
    try:
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        report: dict[str, Any] = json.loads(ran.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        print(f"{service}: no answer", file=sys.stderr)
        return None
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
