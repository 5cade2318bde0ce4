"""Odoo 19 itself: named by the user, importable, or unpacked from Debian's packages."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from devtool.common import HOME, Refusal, run_logged, step

DEBIAN_PACKAGES = (
    "odoo-19",
    # Odoo's files are links into these; without them the login page is an error.
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
    "fonts-inconsolata",
    "fonts-montserrat",
    "fonts-roboto-unhinted",
    "fonts-ocr-b",
)
# A file that is not free software, which Odoo's web client still asks for: without an empty one
# in its place every page writes an error, and every browser test fails.
REMOVED_BY_DEBIAN = ("mail/static/lib/selfie_segmentation/selfie_segmentation.js",)
GET_ODOO = (
    "Get Odoo 19.0 Community (for example: git clone --depth 1 -b 19.0 of odoo/odoo) and set\n"
    "ODOO_HOME to the folder that contains its folder `odoo`."
)


def odoo_home():
    """The folder that contains Odoo's package: named, importable, or got by ourselves."""
    named = os.environ.get("ODOO_HOME")
    if named:
        return check_odoo(Path(named).expanduser().resolve(), "ODOO_HOME")
    importable = importable_odoo()
    if importable:
        return check_odoo(importable, "the importable Odoo")
    return check_odoo(debian_odoo(), "the Odoo of Debian")


def check_odoo(folder, source):
    release = folder / "odoo" / "release.py"
    if not release.is_file():
        raise Refusal(f"{source} is {folder}, but there is no odoo/release.py in it.\n{GET_ODOO}")
    version = odoo_version(release)
    if version[:2] != (19, 0):
        written = ".".join(str(part) for part in version[:2])
        raise Refusal(f"{source} ({folder}) is Odoo {written}; 19.0 is needed.\n{GET_ODOO}")
    return folder


def odoo_version(release):
    match = re.search(r"^version_info = \(([^,]+), ([^,]+),", release.read_text(), re.MULTILINE)
    if not match:
        return ("unknown",)
    parts = (part.strip(" '\"") for part in match.groups())
    return tuple(int(part) if part.isdigit() else part for part in parts)


def importable_odoo():
    spec = importlib.util.find_spec("odoo")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (Path(folder) / "release.py").is_file():
            return Path(folder).resolve().parent
    return None


def debian_odoo():
    """Odoo 19 from Debian's suite sid, unpacked without being installed and without root."""
    folder = HOME / "odoo"
    packages = folder / "root" / "usr" / "lib" / "python3" / "dist-packages"
    if not packages.is_dir():
        missing = [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]
        if missing:
            raise Refusal(f"There is no Odoo here and no {' and '.join(missing)}.\n{GET_ODOO}")
        with step("Odoo 19 from Debian"):
            download_debian_odoo(folder)
    return packages


def download_debian_odoo(folder):
    for name in ("lists/partial", "cache/archives/partial", "debs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sources = folder / "sid.list"
    sources.write_text(f"deb {debian_mirror()} sid main\n")
    options = [
        f"-oDir::Etc::sourcelist={sources}",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::lists={folder / 'lists'}",
        f"-oDir::Cache={folder / 'cache'}",
        "-oAcquire::Languages=none",
        "-oAPT::Sandbox::User=root",
    ]
    failure = "Debian's suite sid did not give Odoo 19"
    run_logged(["apt-get", *options, "update"], "apt-update.log", failure, GET_ODOO)
    download = f'cd "$0" && exec apt-get "$@" download {" ".join(DEBIAN_PACKAGES)}'
    command = ["sh", "-c", download, folder / "debs", *options]
    run_logged(command, "apt-download.log", failure, GET_ODOO)
    unpack(folder)


def unpack(folder):
    partial = folder / "root.partial"
    shutil.rmtree(partial, ignore_errors=True)
    for package in sorted((folder / "debs").glob("*.deb")):
        run_logged(
            ["dpkg-deb", "-x", package, partial],
            "dpkg.log",
            f"{package.name} could not be unpacked",
            f"Delete {folder} and try again.",
        )
    for name in REMOVED_BY_DEBIAN:
        path = partial / "usr/lib/python3/dist-packages/odoo/addons" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("")
    partial.rename(folder / "root")
    for name in ("debs", "cache", "lists"):
        shutil.rmtree(folder / name, ignore_errors=True)


def debian_mirror():
    """The machine's own mirror; the one of the plain suite, not of -security or -updates."""
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)"]
    answer = subprocess.run(command, capture_output=True, text=True)
    for line in answer.stdout.splitlines():
        codename, _, uri = line.partition(" ")
        if uri and "-" not in codename:
            return uri
    raise Refusal(f"apt knows no mirror (is there no list of packages?).\n{GET_ODOO}")
