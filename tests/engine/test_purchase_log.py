"""A log says of each customer what a plain reading of the rows says."""

import datetime
import decimal

import engine
import numpy as np
import pandas as pd
import pytest
from builders import AT, START, bought, log_of, simulate


def naive_history(rows, at):
    """The same figures, customer by customer, by plain pandas."""
    rows, lines = rows[rows.date <= pd.Timestamp(at)], {}
    for customer, own in rows.groupby('customer_id'):
        days = pd.DatetimeIndex(np.sort(own[own.amount > 0].date.unique()))
        if not len(days):
            continue
        gaps = pd.Series(np.diff(days) / np.timedelta64(1, 'D'), dtype=float)
        age = (pd.Timestamp(at) - own.date).dt.days
        lines[customer] = {
            'purchase_count': len(days),
            'first_date': days[0],
            'last_date': days[-1],
            'gap_median': gaps.median(),
            'gap_spread': gaps.quantile(0.75) - gaps.quantile(0.25) if len(days) > 2 else np.nan,
            'revenue_total': own.amount.sum(),
            'revenue_12m': own.amount[age < 365].sum(),
            'revenue_previous_12m': own.amount[(age >= 365) & (age < 730)].sum(),
        }
    return pd.DataFrame(lines).T


@pytest.mark.parametrize('seed', range(4))
def test_history_is_what_a_plain_reading_says(seed):
    rng = np.random.default_rng(seed)
    size = 600
    rows = pd.DataFrame(
        {
            'customer_id': rng.integers(0, 90, size),
            'date': START + rng.integers(0, 1200, size).astype('timedelta64[D]'),
            'amount': rng.choice([-30.0, 0.0, 12.5, 40.0], size, p=[0.2, 0.1, 0.3, 0.4]),
        }
    )
    history, plain = log_of(rows).history(AT), naive_history(rows, AT)
    assert list(history.index) == sorted(plain.index)
    for name in plain:
        wanted = pd.to_datetime(plain[name]) if name.endswith('date') else plain[name].astype(float)
        if name.endswith('date'):
            assert (history[name] == wanted.loc[history.index]).all(), name
        else:
            np.testing.assert_allclose(
                history[name], wanted.loc[history.index], atol=1e-9, err_msg=name
            )


def test_a_refund_on_the_day_of_a_purchase_does_not_hide_it():
    history = log_of(bought(0), bought(0, amount=-40.0)).history(AT)
    assert history.purchase_count.tolist() == [1] and history.revenue_total.tolist() == [-30.0]


def test_who_only_got_refunds_never_bought():
    assert log_of(bought(0, amount=-5.0), bought(3, amount=0.0)).history(AT).empty


def test_arrays_and_frame_make_the_same_log():
    rows = simulate(200)
    arrays = engine.PurchaseLog.from_arrays(
        rows.customer_id.to_numpy(), rows.date.to_numpy().astype('M8[D]'), rows.amount.to_numpy()
    )
    pd.testing.assert_frame_equal(arrays.history(AT), log_of(rows).history(AT))


def test_the_years_end_at_midnight_of_the_day_looked_at():
    at = datetime.date(2021, 12, 31)
    history = log_of(bought(0, 365, 366, 730, 731)).history(at)
    assert history.purchase_count.item() == 4 and history.revenue_12m.item() == 20
    assert history.revenue_previous_12m.item() == 10


def test_a_log_without_customers_has_an_empty_history():
    assert log_of().history(AT).empty


@pytest.mark.parametrize(
    'change, words',
    [
        ({'amount': np.nan}, 'finite amount'),
        ({'amount': np.inf}, 'finite amount'),
        ({'date': pd.NaT}, 'needs a date'),
        ({'customer_id': None}, 'needs a customer'),
    ],
)
def test_a_document_without_date_amount_or_customer_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        log_of(bought(0).assign(**change))


def test_a_frame_without_amounts_is_refused():
    with pytest.raises(ValueError, match='amount'):
        engine.PurchaseLog.from_frame(bought(0).drop(columns='amount'))


def test_a_day_that_is_none_is_refused():
    for at in (None, pd.NaT):
        with pytest.raises(ValueError, match='no date'):
            log_of(bought(0)).history(at)


def test_a_history_filled_by_another_hand_is_understood():
    """SQL gives dates and decimals as Python objects."""
    log = log_of(simulate(100))
    history, forecaster = log.history(AT), engine.fit(log, AT)
    other = history.assign(
        first_date=history.first_date.dt.date,
        last_date=history.last_date.dt.date,
        revenue_total=history.revenue_total.map(decimal.Decimal),
    )
    pd.testing.assert_frame_equal(
        forecaster.assess(history, AT, engine.Policy()),
        forecaster.assess(other, AT, engine.Policy()),
    )
