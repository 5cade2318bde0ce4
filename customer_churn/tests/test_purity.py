import subprocess
import sys
import tempfile
from pathlib import Path

from odoo.tests import BaseCase, tagged

SCRIPT = """
import sys
import odoo.addons
odoo.addons.__path__.insert(0, sys.argv[1])
before = set(sys.modules)
import odoo.addons.account
between = set(sys.modules)
import odoo.addons.customer_churn
print(sorted({'numpy', 'pandas', 'scipy'} & (set(sys.modules) - between)))
"""


@tagged("post_install", "-at_install", "customer_churn")
class TestPurity(BaseCase):
    def test_loading_the_addon_loads_no_numeric_library(self):
        addons = Path(__file__).parents[2]
        with tempfile.TemporaryDirectory() as folder:
            answer = subprocess.run(
                [sys.executable, "-c", SCRIPT, str(addons)], cwd=folder, capture_output=True, text=True, timeout=120,
                env={"PYTHONPATH": ":".join(filter(None, sys.path))})
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(answer.stdout.strip().splitlines()[-1], "[]")
