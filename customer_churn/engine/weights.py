"""Weights: what of a customer moves the chance, and how far, against the average customer.

The log-odds of the chance are followed from the average customer to this one, in four steps, each
of which makes one fact the customer's own. A weight is what its step changes, so the weights add up
to the difference exactly, whatever the model:

    count     as many purchases as this customer, in the average gap
    gap       in the customer's own gap; silent for as many gaps as the average customer
    silence   silent for the customer's own days
    value     of the customer's own net value per purchase

It is the Shapley value (Shapley 1953; Lundberg and Lee 2017) of the one order in which cause comes
before effect (Frye, Rowat and Feige, "Asymmetric Shapley Values", 2020): how often somebody buys
says what a silence means. The silence of the average customer is therefore carried over in gaps.
In days, who buys weekly would be told that buying weekly lowers the chance. Of who bought once
there is no gap, and nothing is said of it. With silence its own weight falls, and neither that of
the count nor that of the gap moves.
"""

import numpy as np

from .customers import Customers

FACTS = ('count', 'gap', 'silence', 'value')


def weigh(outlook, average, customers, until, alive=None):
    """{fact: its weight in the log-odds of P(any purchase) within `until` days, (customers,)}."""
    start, counted = _counted(outlook, average, customers, until)
    forecasts = outlook.forecasts(customers, until, alive)
    plain = Customers(customers.x, customers.t, customers.silence, np.zeros(len(customers)))
    lines = (
        start,
        counted,
        _paced(outlook, average, customers, until),
        outlook.lines(plain, forecasts)[until],
        outlook.lines(customers, forecasts)[until],
    )
    steps = zip(FACTS, lines[1:], lines[:-1], strict=True)
    return {fact: after - before for fact, after, before in steps}


def _counted(outlook, average, customers, until):
    """(the average customer's log-odds, those with each customer's own number of purchases)."""
    x, kind = np.unique(np.append(average.x, customers.x), return_inverse=True)
    silence = np.full(len(x), float(average.silence))
    lines = _line(outlook, x, x * average.gap, silence, until)[kind.ravel()]
    return lines[0], lines[1:]


def _paced(outlook, average, customers, until):
    """The log-odds of each customer after as many of its own gaps as the average one is silent."""
    plain = Customers(customers.x, customers.t, customers.silence, np.zeros(len(customers)))
    first, kind = plain.alike()
    x, t = customers.x[first], customers.t[first]
    gap = np.where(x > 0, t / np.maximum(x, 1), average.gap)
    return _line(outlook, x, t, average.silence_at(gap), until)[kind]


def _line(outlook, x, t, silence, until):
    """The log-odds of customers whose purchases have the usual value."""
    customers = Customers(x, t, silence, np.zeros(len(x)))
    return outlook.lines(customers, outlook.forecasts(customers, until))[until]
