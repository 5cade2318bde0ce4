"""What a user gets from `pip install` is complete: Odoo itself must find it."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDONS = sorted(path.parent.name for path in ROOT.glob("customer_churn*/__manifest__.py"))
SOURCES = ("pyproject.toml", "setup.py", *ADDONS)
FIND = """
import json, sys
sys.path.append(sys.argv[1])
from odoo.tools import config
config.parse_config(["--no-http"])
from odoo.modules import Manifest, initialize_sys_path
initialize_sys_path()
manifests = {name: Manifest.for_addon(name) for name in sys.argv[2:]}
print(json.dumps({name: [m.path, m.version] for name, m in manifests.items() if m}))
"""


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that no build folder of an earlier day gets in."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    run(*pip, "-w", source / "dist", source, cwd=source)
    (built,) = (source / "dist").glob("*.whl")
    return built


def test_every_file_of_every_addon_is_in_the_wheel(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = (path for addon in ADDONS for path in (ROOT / addon).rglob("*") if path.is_file())
    wanted = {
        f"odoo/addons/{path.relative_to(ROOT)}" for path in files if "__pycache__" not in path.parts
    }
    assert wanted <= packed
    assert not {"odoo/__init__.py", "odoo/addons/__init__.py"} & packed


def test_odoo_finds_the_installed_addons(wheel, tmp_path):
    target = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "install", "--no-deps")
    run(*pip, "--target", target, wheel, cwd=tmp_path)
    found = json.loads(run(sys.executable, "-c", FIND, target, *ADDONS, cwd=tmp_path))
    assert set(found) == set(ADDONS)
    for path, version in found.values():
        assert Path(path).is_relative_to(target)
        assert version.startswith("19.0.")
