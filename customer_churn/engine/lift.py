"""Does a treatment work? The treated against those that were left alone: differences with their 95 % intervals.

Plain Python: the figures of an arm are sums, and no numeric library is loaded for them.

- Difference of two shares: R. G. Newcombe, Interval estimation for the difference between independent proportions,
  Statistics in Medicine 17 (1998), 873-890, method 10: the score intervals of the two shares (E. B. Wilson, JASA 22
  (1927), 209-212), joined. It holds for few customers, and where nobody or everybody buys.
- The same customer on several occasions is not as many customers: the numbers are divided by the design effect
  (L. Kish, Survey Sampling, 1965), the variance by customers over that of independent occasions.
- Difference of two means (money): normal interval with the variance by customers.
"""

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054  # 97.5 % of the normal distribution
WORTHWHILE = 0.05  # a difference of shares below which nobody would act


@dataclass(frozen=True)
class Arm:
    """One figure (bought: 0 or 1, or money) of the occasions of an arm, as sums.

    `count` occasions with `total`. Over its customers, each with m occasions and sum s: `ss` = sum of s squared,
    `sm` of s times m, `mm` of m squared.
    """

    count: int
    total: float
    ss: float
    sm: float
    mm: float

    @classmethod
    def of(cls, sums):
        """From pairs (s, m), one a customer."""
        pairs = list(sums)
        return cls(sum(m for _s, m in pairs), sum(s for s, _m in pairs), sum(s * s for s, _m in pairs),
                   sum(s * m for s, m in pairs), sum(m * m for _s, m in pairs))

    @property
    def mean(self):
        """By occasions; 0 where there are none."""
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self):
        """Of the mean, by customers."""
        spread = self.ss - 2 * self.mean * self.sm + self.mean ** 2 * self.mm
        return max(spread, 0.0) / self.count ** 2 if self.count else 0.0

    @property
    def design_effect(self):
        """At least 1; the mean number of occasions a customer, weighted by itself, where all did the same."""
        alone = self.mean * (1 - self.mean) / self.count
        return max(1.0, self.variance / alone if alone else self.mm / self.count)

    def as_if(self, count):
        """An arm of `count` occasions that does as this one."""
        scale = count / self.count if self.count else 1.0
        return Arm(*(scale * figure for figure in (self.count, self.total, self.ss, self.sm, self.mm)))

    def share_interval(self):
        """Wilson's interval of the share, for as many customers as the occasions are worth."""
        count, share = self.count / self.design_effect, self.mean
        middle = share + Z * Z / (2 * count)
        half = Z * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
        scale = 1 + Z * Z / count
        return (middle - half) / scale, (middle + half) / scale


def compare_shares(treated, control):
    """(difference, low, high) of the shares, treated less control; None where an arm is empty."""
    if not (treated.count and control.count):
        return None
    difference = treated.mean - control.mean
    (low_t, high_t), (low_c, high_c) = treated.share_interval(), control.share_interval()
    return (difference,
            difference - sqrt((treated.mean - low_t) ** 2 + (high_c - control.mean) ** 2),
            difference + sqrt((high_t - treated.mean) ** 2 + (control.mean - low_c) ** 2))


def compare_means(treated, control):
    """(difference, low, high) of the means, treated less control; None where an arm is empty."""
    if not (treated.count and control.count):
        return None
    difference, half = treated.mean - control.mean, Z * sqrt(treated.variance + control.variance)
    return difference, difference - half, difference + half


def judge(treated, control):
    """What the difference of the shares says.

    :return: `works`, `harms`, `no_difference` (none worth while: the whole interval is within `WORTHWHILE`),
        `too_early` or `no_control`
    """
    if not control.count:
        return "no_control"
    if not treated.count:
        return "too_early"
    _difference, low, high = compare_shares(treated, control)
    if low > 0:
        return "works"
    if high < 0:
        return "harms"
    return "no_difference" if -WORTHWHILE < low and high < WORTHWHILE else "too_early"


def count_needed(treated, control, share):
    """How many more customers, `share` of them left alone, until the verdict is no more `too_early`, if the shares
    stay as they are: at least 1. An arm that is still empty is taken to do as the other."""
    share = min(max(share, 0.01), 0.99)
    arms = [(arm if arm.count else other, arm.count, part)
            for arm, other, part in ((treated, control, 1 - share), (control, treated, share))]
    enough = 1
    while _is_too_early(arms, enough):
        enough *= 2
    few = enough // 2
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (middle, enough) if _is_too_early(arms, middle) else (few, middle)
    return enough


def _is_too_early(arms, more):
    return judge(*(arm.as_if(count + more * part) for arm, count, part in arms)) == "too_early"
