"""A real CKAN with what it stands on: PostgreSQL and Redis of the system, and a stand-in for Solr.

Everything lies in one temporary folder, listens on free ports of this machine, and is ended with
the block that started it.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CKAN = Path(os.environ.get("CKAN_VENV", ROOT / ".venv-ckan")) / "bin" / "ckan"
PATIENCE = 300
"""Seconds until a service must listen."""


@dataclass(frozen=True)
class Ckan:
    """A portal that runs."""

    address: str
    token: str
    """Of an administrator."""
    storage: Path
    """Where it keeps uploaded files."""


def missing() -> list[str]:
    """What has to be installed before a CKAN can be started here."""
    needed = {
        "ckan in .venv-ckan": CKAN.exists(),
        "postgresql": bool(_postgresql()),
        "redis-server": bool(shutil.which("redis-server")),
    }
    return [name for name, there in needed.items() if not there]


@contextlib.contextmanager
def running() -> Iterator[Ckan]:
    """A CKAN, empty but for an administrator."""
    with contextlib.ExitStack() as services:
        # Not in the folder of pytest, which is closed to the user that PostgreSQL runs as.
        folder = Path(services.enter_context(tempfile.TemporaryDirectory(prefix="ckan-")))
        folder.chmod(0o711)
        database = _start_postgresql(folder / "postgresql", services)
        redis, solr, web = _free(), _free(), _free()
        _start(services, folder, redis, "redis-server", "--port", redis, "--save", "")
        _start(services, folder, solr, sys.executable, Path(__file__).with_name("solr.py"), solr)
        told = {
            "ckan.site_url": f"http://127.0.0.1:{web}",
            "ckan.plugins": "datastore",
            "sqlalchemy.url": f"{database}/ckan",
            "ckan.datastore.write_url": f"{database}/datastore",
            "ckan.datastore.read_url": f"{database.replace('ckan@', 'reader@')}/datastore",
            "ckan.redis.url": f"redis://127.0.0.1:{redis}/0",
            "solr_url": f"http://127.0.0.1:{solr}/solr/ckan",
            "ckan.storage_path": str(folder / "storage"),
        }
        settings = folder / "ckan.ini"
        _ckan("generate", "config", settings)
        _ckan("config-tool", settings, *(f"{key} = {value}" for key, value in told.items()))
        _ckan("-c", settings, "db", "init")
        rights = _ckan("-c", settings, "datastore", "set-permissions")
        _sql(database, "datastore", rights)
        _ckan(
            "-c",
            settings,
            "user",
            "add",
            "keeper",
            "email=keeper@example.vn",
            "password=keeper-1234",
        )
        _ckan("-c", settings, "sysadmin", "add", "keeper")
        token = _ckan("-c", settings, "user", "token", "add", "keeper", "publishing", "-q").strip()
        run = ("-c", settings, "run", "--host", "127.0.0.1", "--port", web, "--disable-reloader")
        _start(services, folder, web, CKAN, *run)
        address = f"http://127.0.0.1:{web}"
        _wait(lambda: urllib.request.urlopen(f"{address}/api/3/action/status_show", timeout=30))
        yield Ckan(address, token.split()[-1], folder / "storage")


def _postgresql() -> Path | None:
    """The folder of the newest PostgreSQL of the system."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _start_postgresql(folder: Path, services: contextlib.ExitStack) -> str:
    """Its address, with the databases and users of a CKAN; PostgreSQL refuses to run as root."""
    programs, port = _postgresql(), _free()
    if programs is None:
        raise FileNotFoundError("postgresql")
    folder.mkdir()
    as_other: list[str] = []
    if os.geteuid() == 0:
        as_other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    _run(*as_other, programs / "initdb", "-D", data, "-U", "ckan", "-A", "trust", "-E", "UTF8")
    serve = ("-D", data, "-p", port, "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off")
    _start(services, folder.parent, port, *as_other, programs / "postgres", *serve)
    address = f"postgresql://ckan@127.0.0.1:{port}"
    for order in ("create role reader login", "create database ckan", "create database datastore"):
        _wait(lambda order=order: _sql(address, "postgres", order))
    return address


def _sql(address: str, database: str, orders: str) -> None:
    programs = _postgresql()
    if programs is None:
        raise FileNotFoundError("postgresql")
    psql = [programs / "psql", "-v", "ON_ERROR_STOP=1", "-q", f"{address}/{database}"]
    subprocess.run(psql, input=orders, text=True, check=True, capture_output=True)


def _ckan(*words: object) -> str:
    return _run(CKAN, *words)


def _run(*words: object) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} {words[1]}: {done.stderr[-2000:]}")
    return done.stdout


def _start(services: contextlib.ExitStack, folder: Path, port: int, *words: object) -> None:
    """Start a service, to be ended with `services`, and wait until it listens."""
    name = re.sub(r"\W", "", Path(str(words[0])).name)
    log = services.enter_context((folder / f"{name}-{port}.log").open("w"))
    program = [str(word) for word in words]
    process = subprocess.Popen(program, stdout=log, stderr=subprocess.STDOUT, cwd="/")
    services.callback(process.wait, 20)
    services.callback(process.terminate)
    _wait(lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close())


def _wait(asked) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            asked()
        except (OSError, subprocess.CalledProcessError, urllib.error.URLError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
