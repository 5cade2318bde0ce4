"""Gamma-gamma: what one purchase of a customer is worth.

Fader, Hardie and Lee, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis" (2005);
equations numbered as in Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

PRIOR = (2.0, 3.0, 1.0)  # p, q, gamma in units of the median net value of a purchase
PRIOR_WEIGHT = 5.0
RANGE = 1e6  # values beyond so many medians (or below its inverse) are held there to fit
BOUNDS = np.log(1e-2), np.log(1e4)


@dataclass(frozen=True)
class GammaGamma:
    """p, q > 1 without unit; gamma in the currency of the log."""

    p: float
    q: float
    gamma: float

    def value(self, count, revenue):
        """E[value of a purchase | mean of `count` purchases] (eq. 5): (customers,), finite, >= 0.

        `revenue` is the customer's net total; more refunded than bought counts as nothing bought.
        """
        return self.p * (self.gamma + np.maximum(revenue, 0)) / (self.p * count + self.q - 1)


def _objective(log_theta, count, mean, weight, penalty):
    """-mean log-likelihood (eq. 1a) plus the penalty, and its gradient, in ln(p, q - 1, gamma)."""
    p, rest, gamma = np.exp(log_theta)
    q, pn, total = 1 + rest, p * count, gamma + count * mean
    log_total = np.log(total)
    value = (
        gammaln(pn + q)
        - gammaln(pn)
        - gammaln(q)
        + q * np.log(gamma)
        + (pn - 1) * np.log(mean)
        + pn * np.log(count)
        - (pn + q) * log_total
    )
    both = digamma(pn + q)
    slope = np.stack(
        [
            count * (both - digamma(pn) + np.log(mean) + np.log(count) - log_total) * p,
            (both - digamma(q) + np.log(gamma) - log_total) * rest,
            q - (pn + q) * gamma / total,
        ]
    )
    away = log_theta - _start()
    return -(value @ weight) + penalty * (away @ away), -(slope @ weight) + 2 * penalty * away


def _start():
    p, q, gamma = PRIOR
    return np.log([p, q - 1, gamma])


def fit(count, revenue):
    """Penalised maximum likelihood on net value per purchase -> (GammaGamma, what was used).

    `count` purchases and `revenue` net total, each (customers,), learning from those with a
    positive net only. The second is {'prior', 'converged', 'unit'}; no minimum of customers.
    """
    from scipy.optimize import minimize  # the slowest to load: for who fits alone
    use = revenue > 0
    count, mean = count[use].astype(np.float64), revenue[use] / count[use]
    known = {'prior': True, 'converged': False, 'unit': 1.0}
    theta = _start()
    if len(mean):
        known['unit'] = float(np.median(mean))
        held = np.clip(mean / known['unit'], 1 / RANGE, RANGE)
        data = count, held, np.full(len(held), 1 / len(held)), PRIOR_WEIGHT / len(held)
        found = minimize(_objective, theta, data, 'L-BFGS-B', jac=True, bounds=[BOUNDS] * 3)
        if np.isfinite(found.fun) and np.isfinite(found.x).all():
            theta = found.x
            known.update(prior=False, converged=bool(found.success))
    p, rest, gamma = np.exp(theta)
    return GammaGamma(float(p), float(1 + rest), float(gamma * known['unit'])), known
