"""A policy that makes no sense is refused, with the name of the field and what to do."""

import dataclasses

import engine
import pytest


@pytest.mark.parametrize(
    'change',
    [
        {'near_days': 0},
        {'near_days': -5},
        {'far_days': 90},
        {'far_days': 30},
        {'rule': 'guess'},
        {'single_rule': 'none'},
        {'active_chance': -0.1},
        {'active_chance': 1.2},
        {'dormant_chance': 2},
        {'active_chance': 0.6},
        {'share_exponent': 3.0},
        {'at_risk_days': 100},
        {'dormant_days': 200},
        {'lost_days': 10},
        {'at_risk_share': 1.5},
        {'at_risk_lead': -1},
        {'floor_days': 40, 'ceiling_days': 30},
        {'ceiling_days': -1},
        {'new_days': float('nan')},
        {'new_days': 2**31 - 1},
        {'near_days': float('nan')},
        {'active_chance': float('inf')},
        {'near_days': '90'},
        {'near_days': None},
        {'near_days': True},
        {'near_days': 90.5},
        {'rule': None},
    ],
)
def test_nonsense_is_refused_by_name(change):
    with pytest.raises(ValueError, match='|'.join(change)) as refused:
        engine.Policy(**change)
    assert ':' in str(refused.value), 'the remedy follows the colon'


def test_every_rule_and_limit_in_order_is_accepted():
    for rule in ('share', 'chance', 'days'):
        engine.Policy(rule=rule, single_rule='days', floor_days=0, ceiling_days=400, at_risk_lead=0)


def test_a_policy_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        engine.Policy().near_days = 30
