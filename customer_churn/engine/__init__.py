"""Forecasts of who buys again, from the purchases alone.

numpy, pandas and scipy, no Odoo: `import engine` works with the folder above on the path. The day
looked at is always an argument; nothing here reads a clock, keeps a state or draws a random number.
"""

from .backtest import backtest
from .forecaster import Forecaster, fit
from .pareto_nbd import fit_pareto_nbd
from .policy import Policy
from .purchase_log import PurchaseLog

__all__ = ['Forecaster', 'Policy', 'PurchaseLog', 'backtest', 'fit', 'fit_pareto_nbd']
