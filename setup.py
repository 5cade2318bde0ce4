"""One wheel with all addons of the family, as parts of Odoo's own namespace `odoo.addons`."""

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent.resolve()
LEFT_OUT = {"__pycache__"}


def addons():
    return sorted(path.parent.name for path in ROOT.glob("customer_churn*/__manifest__.py"))


def packages(addon):
    """Every folder is a package, also one with data only: a package takes its own files along."""
    folders = [ROOT / addon, *(path for path in (ROOT / addon).rglob("*") if path.is_dir())]
    for folder in folders:
        parts = folder.relative_to(ROOT).parts
        if not LEFT_OUT.intersection(parts):
            yield ".".join(("odoo", "addons", *parts)), "/".join(parts)


package_dir = {name: folder for addon in addons() for name, folder in packages(addon)}
readme = ROOT / "README.md"
setup(
    packages=list(package_dir),
    package_dir=package_dir,
    package_data={"": ["*", ".*"]},
    exclude_package_data={"": ["*.pyc"]},
    include_package_data=False,
    zip_safe=False,
    long_description=readme.read_text(encoding="utf-8") if readme.is_file() else "",
    long_description_content_type="text/markdown",
)
