"""`import engine` works in the tests as it does without Odoo."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'customer_churn'))
