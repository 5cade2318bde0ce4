"""`import engine` works in the tests as it does without Odoo, and `import devtool` as in the script."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "customer_churn"), str(ROOT)]
