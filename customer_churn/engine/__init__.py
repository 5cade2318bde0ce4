"""Forecasts of who buys again, from the purchases alone.

numpy, pandas and scipy, no Odoo: `import engine` works with the folder above on the path. The day
looked at is always an argument; nothing here reads a clock, keeps a state or draws a random number.

The parts are loaded when they are asked for, so that who only needs `engine.policy` (a form that is
checked) does not load the numeric libraries.
"""

from importlib import import_module

_PLACES = {
    'Forecaster': 'forecaster',
    'Policy': 'policy',
    'PurchaseLog': 'purchase_log',
    'ValueLimits': 'value',
    'backtest': 'backtesting',
    'find_lost_lines': 'product_lines',
    'fit': 'fitting',
    'fit_pareto_nbd': 'pareto_nbd',
    'fit_value': 'value',
    'look_back': 'record',
}

__all__ = list(_PLACES)

FORMAT = 5  # of a forecaster's JSON: one of another format is none, fit again


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'.{_PLACES[name]}', __name__), name)
