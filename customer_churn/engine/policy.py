"""The policy: when a silent customer counts as at risk, dormant or lost."""

import math
from dataclasses import dataclass, fields
from numbers import Real

RULES = ('chance', 'share', 'days')
SINGLE_RULES = ('same', 'days')
NEVER = 7306  # days: what would take longer than 20 years never comes


@dataclass(frozen=True)
class Policy:
    """Defaults chosen by backtest (docs/method.md). ValueError names the field and the remedy.

    near_days, far_days: the horizons, both fitted. `rule`: 'chance' = active from active_chance
    within near_days, else dormant from dormant_chance within far_days; 'share' = the state most
    above its usual share; 'days' = silence alone. By the first two nobody is lost before near_days
    of silence. at_risk: the chance of a purchase within near_days has fallen to at_risk_share of
    its value just after the last purchase, or dormant is at_risk_lead days away; dormant is never
    sooner after it than that, so there is time to act.
    """

    near_days: int = 90
    far_days: int = 365
    rule: str = 'chance'
    share_exponent: float = 0.6
    active_chance: float = 0.5
    dormant_chance: float = 0.5
    at_risk_days: int = 60
    dormant_days: int = 90
    lost_days: int = 180
    at_risk_share: float = 0.6
    at_risk_lead: int = 30
    floor_days: int = 14  # nobody is at_risk before so many days of silence
    ceiling_days: int = 0  # lost at the latest after so many; 0 = no such limit
    single_rule: str = 'same'  # customers with one purchase: as the others, or 'days'
    new_days: int = 90

    def __post_init__(self):
        self._refuse_unknown_words()
        self._refuse_odd_numbers()
        if self.near_days <= 0:
            raise ValueError(
                'near_days must be above 0: give the days ahead in which a purchase means active'
            )
        if self.far_days <= self.near_days:
            raise ValueError('far_days must be above near_days: raise far_days or lower near_days')
        if self.active_chance > self.dormant_chance:
            raise ValueError('active_chance must not exceed dormant_chance: lower active_chance')
        if not self.at_risk_days <= self.dormant_days <= self.lost_days:
            raise ValueError(
                'at_risk_days, dormant_days, lost_days must rise in this order: sort them'
            )
        if self.ceiling_days and self.floor_days > self.ceiling_days:
            raise ValueError(
                'floor_days must not exceed ceiling_days: lower floor_days, or set the other to 0'
            )

    def _refuse_unknown_words(self):
        for name, known in (('rule', RULES), ('single_rule', SINGLE_RULES)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f'{name} {getattr(self, name)!r} is unknown: choose one of {", ".join(known)}'
                )

    def _refuse_odd_numbers(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in (str, 'str'):
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, Real)
                or not math.isfinite(value)
            ):
                raise ValueError(f'{field.name} {value!r} is no number: give a finite one')
            if field.type in (int, 'int') and not (0 <= value <= NEVER and value == int(value)):
                raise ValueError(
                    f'{field.name} {value!r} is no count of days: give a whole number up to {NEVER}'
                )
            if field.type in (float, 'float') and not 0 <= value <= 1:
                raise ValueError(
                    f'{field.name} {value!r} is out of range: give a number from 0 to 1'
                )
