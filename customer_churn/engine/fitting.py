"""Fit: from a purchase log to a forecaster."""

from dataclasses import replace

import numpy as np

from . import gamma_gamma, level, pareto_nbd, ranking
from .average import Average
from .customers import Customers, usual_value
from .forecaster import YEAR, Forecaster
from .outlook import Horizon, Outlook
from .past import LEARNED, ONE_SIDED, SHORT, Past
from .purchase_log import as_day

SAMPLE = 10_000
ALL_UP_TO = 25_000  # customers: below it the total moves by 1 to 2 % with the sample


def fit(log, at, horizons=(90, 180, YEAR), at_most=None):
    """Learn from what `log` knew on day `at` -> Forecaster. Deterministic; nobody is too few.

    `horizons` in days, above 0 (ValueError); 365 is always added. Above 25,000 customers 10,000 of
    them are used, evenly spaced in the order of their histories; above `at_most`, that many.
    `report` says what was used and why.
    """
    if any(days != int(days) or days <= 0 for days in horizons):
        raise ValueError('horizons must be whole numbers of days above 0')
    whole = log.history(at)
    history = sample(whole, at, at_most)
    log = log if len(history) == len(whole) else log.of(history.index)
    unit = usual_value(history)
    customers = Customers.of(history, at, unit)
    purchases, known = pareto_nbd.fit(customers.x, customers.t, customers.T)
    money, money_known = gamma_gamma.fit(customers.x + 1, history.revenue_total.to_numpy(np.float64))
    days = sorted({int(days) for days in (*horizons, YEAR)})
    plain = Outlook(purchases, unit, tuple(map(Horizon, days)))
    outlook, learned = _learn(plain, customers, Past(log, as_day(at), unit))
    report = {**_report(whole, at, len(history), known, money_known), **learned}
    chances = _mean_chances(outlook, customers)
    return Forecaster(outlook, money, chances, Average.of(customers), report)


def sample(history, at, at_most=None):
    """The customers to learn from, however they are called and ordered."""
    size = at_most or SAMPLE
    if len(history) <= (at_most or ALL_UP_TO):
        return history
    who = Customers.of(history, at, 0)
    order = np.lexsort((who.T, who.t, who.x))
    places = ((np.arange(size) + 0.5) * len(who) / size).astype(np.int64)
    return history.iloc[np.sort(order[places])]


def _learn(plain, customers, past):
    """(`plain` with what the past teaches of each horizon, {'ranking', 'level'}: what was used)."""
    alive = plain.alive(customers)
    horizons, used = [], {'ranking': {}, 'level': {}}
    for days in (horizon.days for horizon in plain.horizons):
        looks = past.cuts(days)
        horizon = Horizon(days)
        if looks:
            parts = plain.purchases, alive, customers, looks, days
            horizon = Horizon(days, _ranking(*parts, counted=False), _ranking(*parts, counted=True))
        season, used['level'][str(days)] = level.learn(past, days)
        horizons.append(replace(horizon, level=season))
        used['ranking'][str(days)] = _used(looks, days)
        if not looks:
            used['ranking'][str(days)]['from'] = past.first_cut(days)
    return replace(plain, horizons=tuple(horizons)), used


def _used(looks, days):
    """What the ranking of one horizon was learned from: for the report."""
    came = np.concatenate([look.came(days) for look in looks]) if looks else np.zeros(0)
    mixed = (came > 0).any() and (came == 0).any()
    return {
        'cuts': [look.date for look in looks],
        'customers': len(came),
        'buyers': int((came > 0).sum()),
        'why': SHORT if not looks else LEARNED if mixed else ONE_SIDED,
    }


def _ranking(purchases, alive, customers, looks, days, counted):
    """The Ranking that the looks teach, with the total of today's forecast."""
    scale = ranking.log_number if counted else ranking.log_odds
    said = [scale(look.count(days) if counted else look.chance(days)) for look in looks]
    came = np.concatenate([look.came(days) for look in looks])
    terms = [np.stack(ranking.terms_of(look.customers)) for look in looks]
    learned = ranking.learn(
        np.concatenate(said),
        np.concatenate(terms, axis=1),
        came if counted else (came > 0) * 1.0,
        counted,
    )
    if_alive = purchases.count_if_alive if counted else purchases.chance_if_alive
    today = alive * if_alive(customers.x, customers.T, days)
    line = learned.apply(scale(today), customers)
    return replace(learned, intercept=ranking.intercept_for(line, today.sum(), counted))


def _mean_chances(outlook, customers):
    """P(any) per horizon, with one customer's worth of the usual: an empty log has shares too."""
    chances = outlook.chances(customers, outlook.horizons[-1].days)
    return tuple(
        float((chance.sum() + days / (days + YEAR)) / (len(customers) + 1))
        for days, chance in chances.items()
    )


def _report(history, at, used, known, money_known):
    return {
        'at': str(np.datetime64(as_day(at), 'D')),
        'customers': len(history),
        'customers_used': used,
        'single_purchases': int((history.purchase_count == 1).sum()),
        'purchases': _how(known),
        'log_likelihood': known['log_likelihood'],
        'time_unit_days': known['unit'],
        'money': _how(money_known),
        'money_unit': money_known['unit'],
    }


def _how(known):
    return 'prior' if known['prior'] else 'fitted' if known['converged'] else 'stopped early'
