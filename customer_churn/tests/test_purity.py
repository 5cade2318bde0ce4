import subprocess
import sys
import tempfile
from pathlib import Path

from odoo.tests import BaseCase, tagged

SCRIPT = """
import sys
import odoo.addons
import odoo.tools
odoo.tools.config.parse_config(['--addons-path=' + sys.argv[1]])
import odoo.addons.account
between = set(sys.modules)
import odoo.addons.customer_churn
print(sorted({'numpy', 'pandas', 'scipy'} & (set(sys.modules) - between)))
import os
threads = len(os.listdir('/proc/self/task'))
import numpy
numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(len(os.listdir('/proc/self/task')) - threads)
"""


@tagged("post_install", "-at_install", "customer_churn")
class TestPurity(BaseCase):
    def test_loading_the_addon_loads_no_numeric_library_and_none_starts_threads(self):
        addons = Path(__file__).parents[2]
        with tempfile.TemporaryDirectory() as folder:
            answer = subprocess.run(
                [sys.executable, "-c", SCRIPT, str(addons)], cwd=folder, capture_output=True, text=True, timeout=120,
                env={"PYTHONPATH": ":".join(filter(None, sys.path))})
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(answer.stdout.splitlines()[-2:], ["[]", "0"])
