"""The record tells what a reader of the later rows tells, and knows nothing of them when it forecasts."""

import datetime
import json
import warnings
from dataclasses import replace

import engine
import numpy as np
import pandas as pd
import pytest
from builders import AT, START, bought, log_of, simulate
from engine.contest import SURE, best_fixed_days, fixed_days_win, macro_f1, noise
from engine.record import Look
from test_odd_logs import odd_logs

HORIZONS = (90, 180, 365)


def contracts(customers=300, seed=1):
    """Customers who buy every 80 to 90 days until they leave: after 90 days of silence all are gone."""
    rng = np.random.default_rng(seed)
    frames = []
    for customer in range(customers):
        begun = rng.integers(0, 500)
        days = begun + np.cumsum(rng.integers(80, 91, 20))
        days = days[days < min(1096, begun + rng.exponential(500))]
        frames.append(bought(begun, *days, customer=customer))
    return pd.concat(frames)


@pytest.fixture(scope='module')
def rows():
    return simulate(700)


@pytest.fixture(scope='module')
def record(rows):
    return engine.look_back(log_of(rows), AT)


@pytest.fixture(scope='module')
def lost_contest():
    return engine.look_back(log_of(contracts()), AT)


def by_hand(rows, days):
    """(rows known `days` before AT, purchases and money a customer until AT, forecast of then)."""
    cut = np.datetime64(AT) - np.timedelta64(days, 'D')
    known = rows[rows.date <= cut]
    after = rows[(rows.date > cut) & (rows.date <= np.datetime64(AT))]
    log = log_of(known)
    history = log.history(cut)
    horizons = (90, 365) if days == 365 else (days,)  # statuses are asked of the longest look alone
    table = engine.fit(log, cut, horizons).predict(history, cut, days)
    count = after.groupby('customer_id').date.nunique().reindex(history.index).fillna(0)
    money = after.groupby('customer_id').amount.sum().reindex(history.index).fillna(0)
    return cut, known, history, table, count, money


def pairwise_auc(truth, said):
    yes, no = said[truth][:, None], said[~truth][None, :]
    return ((yes > no) + (yes == no) / 2).mean()


@pytest.mark.parametrize('days', HORIZONS)
def test_the_scores_are_those_of_the_later_rows_read_by_hand(rows, record, days):
    told = record['horizons'][HORIZONS.index(days)]
    cut, known, history, table, count, money = by_hand(rows, days)
    came, chance = (count > 0).to_numpy(), table.purchase_probability.to_numpy()
    assert (told['cut'], told['customers'], told['buyers']) == (str(cut), len(count), came.sum())
    assert told['auc'] == pytest.approx(pairwise_auc(came, chance))
    assert told['brier'] == pytest.approx(((chance - came) ** 2).mean())
    assert told['total_error'] == pytest.approx(table.expected_purchases.sum() / count.sum() - 1)
    assert told['value_error'] == pytest.approx(table.expected_revenue.sum() / money.sum() - 1)
    alike = pd.Series(came).groupby(chance).transform('mean').to_numpy()
    tenths = np.array_split(np.argsort(chance, kind='stable'), 10)
    assert [part['actual'] for part in told['calibration']] == [
        pytest.approx(alike[part].mean()) for part in tenths
    ]
    silence = (cut - history.last_date.to_numpy().astype('datetime64[D]')).astype(int)
    tried = {n: pairwise_auc(came, (silence <= n) * 1.0) for n in (60, 90, 120, 180, 365)}
    fixed = told['fixed_rule']
    assert fixed['auc'] >= max(tried.values()) - 1e-12
    assert fixed['auc'] == pytest.approx(pairwise_auc(came, (silence <= fixed['days']) * 1.0))


@pytest.mark.parametrize('days', HORIZONS)
def test_as_last_year_is_the_same_days_a_year_before(rows, record, days):
    naive = record['horizons'][HORIZONS.index(days)]['naive']
    cut, known, history, _table, count, money = by_hand(rows, days)
    ago = cut - np.timedelta64(365, 'D')
    then = known[(known.date > ago) & (known.date <= ago + np.timedelta64(days, 'D'))]
    said = then.groupby('customer_id').date.nunique().reindex(history.index).fillna(0)
    worth = then.groupby('customer_id').amount.sum().reindex(history.index).fillna(0)
    came = (count > 0).to_numpy()
    assert naive['auc'] == pytest.approx(pairwise_auc(came, (said > 0).to_numpy() * 1.0))
    assert naive['brier'] == pytest.approx(((said > 0) != came).mean())
    assert naive['total_error'] == pytest.approx(said.sum() / count.sum() - 1)
    assert naive['value_error'] == pytest.approx(worth.sum() / money.sum() - 1)


def test_those_called_lost_are_counted_among_the_later_rows(rows, record):
    cut, known, history, _table, count, _money = by_hand(rows, 365)
    log = log_of(known)
    status = engine.fit(log, cut, (90, 365)).classify(log.history(cut), cut, engine.Policy()).status
    assert record['cut'] == str(cut) and record['called']['lost']['customers'] > 50
    for name, told in record['called'].items():
        assert told == {
            'customers': (status == name).sum(),
            'silent': ((status == name) & (count == 0)).sum(),
        }


def test_what_comes_after_the_day_changes_nothing(rows, record):
    later = [bought(1097, 1150, customer=5), bought(1100, customer=9999), bought(1097, amount=-1e6)]
    assert engine.look_back(log_of(rows, *later), AT) == record
    longer = log_of(rows[rows.date <= np.datetime64(AT)], *later)
    assert engine.look_back(longer, AT) == record


def test_what_was_bought_within_a_horizon_does_not_move_its_forecast(rows):
    cut = np.datetime64(AT) - np.timedelta64(365, 'D')
    before = rows[rows.date <= cut]
    looks = [Look(log_of(some), int(cut.astype(int)), 365) for some in (rows, before)]
    assert looks[0].forecaster == looks[1].forecaster and looks[0].came.any()


def test_what_was_reversed_since_was_known_then_and_never_came():
    rows, cut = simulate(300), np.datetime64(AT) - np.timedelta64(90, 'D')
    last_known, next_one = (
        rows[(rows.date > cut + np.timedelta64(a, 'D')) & (rows.date <= cut + np.timedelta64(b, 'D'))]
        .drop_duplicates('customer_id', keep='last')
        for a, b in ((-200, 0), (0, 90))
    )
    gone = rows[(rows.date <= cut) & (rows.customer_id % 50 == 1)]  # all that these ever bought
    void = rows.index.isin([*last_known.index[:40], *next_one.index[:20], *gone.index])
    kept = log_of(rows[~void])
    look = Look(kept, int(cut.astype(int)), 90, then=log_of(rows[rows.date <= cut]))
    plain = Look(log_of(rows), int(cut.astype(int)), 90)
    assert look.forecaster == plain.forecaster and look.history.equals(plain.history)
    after = rows[~void & (rows.date > cut)].customer_id
    assert (look.came == look.history.index.isin(after)).all()
    assert set(gone.customer_id) - set(rows[~void].customer_id), 'or none was unknown later'
    told = engine.look_back(kept, AT, known_on=lambda day: log_of(rows[rows.date <= day]))
    assert told['horizons'][0]['buyers'] == look.came.sum() < plain.came.sum()
    assert told['horizons'][0]['customers'] == len(plain.came) > len(Look(kept, int(cut.astype(int)), 90).came)


def test_the_order_of_the_rows_and_a_second_look_are_nothing(rows, record):
    assert engine.look_back(log_of(rows.sample(frac=1, random_state=3)), AT) == record


def test_the_forecast_decides_where_it_is_better(record):
    contest = record['contest']
    assert contest['f1'] > contest['fixed_f1'] and contest['fixed_days'] == ()


def test_fixed_days_decide_where_all_leave_after_so_many_days(lost_contest):
    contest = lost_contest['contest']
    assert contest['fixed_days'] == (90, 90) and contest['fixed_right'] > contest['right']
    assert contest['fixed_f1'] > contest['f1']
    assert lost_contest['fixed_days'] == ((90, 365, 90, 90),)


def chosen_by_hand(rows, day, near, far):
    """The pair of days with the highest macro-F1 on `day`, counted row by row."""
    known = rows[rows.date <= day].groupby('customer_id').date.max()
    after = rows[rows.date > day].groupby('customer_id').date.min().reindex(known.index)
    wait = (after - pd.Timestamp(day)).dt.days
    truth = np.select([wait <= near, wait <= far], ['active', 'dormant'], 'lost')
    silence = (pd.Timestamp(day) - known).dt.days.to_numpy()
    best = None
    tried = sorted({30, 60, 90, 120, 180, 270, 365, 545, 730, near, far})
    for dormant, lost in [(d, e) for d in tried for e in tried if d <= e and e >= near]:
        said = np.select([silence >= lost, silence >= dormant], ['lost', 'dormant'], 'active')
        hits = [
            2 * ((said == s) & (truth == s)).sum() / ((said == s).sum() + (truth == s).sum())
            for s in np.unique(truth)
        ]
        if best is None or np.mean(hits) > best[0] + 1e-12:
            best = np.mean(hits), (dormant, lost)
    return best[1]


def test_the_opponent_is_chosen_in_the_window_before_the_one_it_is_judged_on(rows, record):
    cut, contest = np.datetime64(AT) - np.timedelta64(365, 'D'), record['contest']
    before = cut - np.timedelta64(365, 'D')
    assert contest['chosen_on'] == str(before)
    assert contest['best_days'] == chosen_by_hand(rows[rows.date <= cut], before, 90, 365)


def test_what_came_after_the_cut_chooses_no_fixed_days(rows):
    cut = np.datetime64(AT) - np.timedelta64(365, 'D')
    silent = rows[(rows.date <= cut) | (rows.customer_id % 2 == 0)]
    chosen = [engine.look_back(log_of(some), AT)['contest'] for some in (rows, silent)]
    assert chosen[0]['best_days'] == chosen[1]['best_days'] and chosen[0]['f1'] != chosen[1]['f1']
    hindsight = best_fixed_days(log_of(silent), int(cut.astype(int)), engine.Policy())
    assert hindsight != chosen[1]['best_days'], 'or this test could not fail'


def test_without_a_window_before_hindsight_chooses_and_must_be_surely_better(rows):
    young = rows[rows.date >= START + np.timedelta64(400, 'D')]
    cut = np.datetime64(AT) - np.timedelta64(365, 'D')
    contest = engine.look_back(log_of(young), AT)['contest']
    assert contest['chosen_on'] is None
    assert contest['best_days'] == chosen_by_hand(young, cut, 90, 365)


def test_a_segment_with_other_horizons_has_fixed_days_of_its_own(lost_contest):
    log = log_of(contracts())
    month, far = engine.Policy(near_days=100, far_days=200), engine.Policy(far_days=730)
    own = engine.Policy(near_days=100, far_days=200, rule='days')
    told = engine.look_back(log, AT, engine.Policy(), [engine.Policy(at_risk_lead=7), own, month, far])
    assert told['contest']['fixed_days'] == lost_contest['contest']['fixed_days']
    assert [row[:2] for row in told['fixed_days']] == [(90, 365), (100, 200)], 'none beyond a year'
    alone = engine.look_back(log, AT, month)
    assert told['fixed_days'][1] == alone['fixed_days'][0]
    ruled = replace(engine.fit(log, AT, (90, 100, 200, 730)), fixed_days=told['fixed_days'])
    assert ruled.days_in_force(engine.Policy(new_days=5)) == (90, 90)
    assert ruled.days_in_force(month) == alone['contest']['fixed_days']
    assert ruled.days_in_force(far) is None
    history = log.history(AT)
    by_forecast = replace(ruled, fixed_days=()).classify(history, AT, far)
    pd.testing.assert_frame_equal(ruled.classify(history, AT, far), by_forecast)


def test_the_contest_scores_statuses_as_a_reader_would(rows, record):
    cut, known, history, _table, count, _money = by_hand(rows, 365)
    log, contest = log_of(known), record['contest']
    status = engine.fit(log, cut, (90, 365)).classify(log.history(cut), cut, engine.Policy()).status
    near = rows[(rows.date > cut) & (rows.date <= cut + np.timedelta64(90, 'D'))].customer_id
    truth = np.select([history.index.isin(near), count > 0], ['active', 'dormant'], 'lost')
    silence = (cut - history.last_date.to_numpy().astype('datetime64[D]')).astype(int)
    dormant, lost = contest['best_days']
    fixed = np.select([silence >= lost, silence >= dormant], ['lost', 'dormant'], 'active')
    said = status.replace({'new': 'active', 'at_risk': 'active'}).to_numpy()
    for name, labels in (('', said), ('fixed_', fixed)):
        assert contest[f'{name}right'] == pytest.approx((labels == truth).mean())
        parts = [
            2 * ((labels == s) & (truth == s)).sum() / ((labels == s).sum() + (truth == s).sum())
            for s in ('active', 'dormant', 'lost')
        ]
        assert contest[f'{name}f1'] == pytest.approx(np.mean(parts))


@pytest.mark.parametrize(
    ('fixed', 'right', 'fair', 'wins'),
    [
        (0.51, 0.6, True, True),
        (0.5, 0.6, True, True),  # a tie: the forecast does not beat them
        (0.51, 0.59, True, False),  # rare states found, but fewer named rightly
        (0.49, 0.9, True, False),
        (0.59, 0.7, False, False),  # chosen with hindsight: within the noise
        (0.61, 0.7, False, True),
        (0.61, 0.59, False, False),
    ],
)
def test_the_forecast_has_to_beat_the_fixed_days(fixed, right, fair, wins):
    told = {'f1': 0.5, 'noise': 0.1 / SURE, 'right': 0.6, 'fixed_f1': fixed, 'fixed_right': right}
    assert fixed_days_win(told, fair) is wins


def test_a_forecaster_with_fixed_days_turns_by_them_and_keeps_its_chances(lost_contest):
    log = log_of(contracts())
    plain, history = engine.fit(log, AT), log.history(AT)
    ruled = replace(plain, fixed_days=lost_contest['fixed_days'])
    assert engine.Forecaster.from_json(ruled.to_json()) == ruled
    table, before = (f.assess(history, AT, engine.Policy()) for f in (ruled, plain))
    for name, days in (('at_risk_date', 60), ('dormant_date', 90), ('lost_date', 90)):
        assert ((table[name] - history.last_date).dt.days == days).all()
    assert (table.status != before.status).any()
    chances = [name for name in table if table[name].dtype == float]
    pd.testing.assert_frame_equal(table[chances], before[chances])


def test_days_that_somebody_chose_are_not_overruled(lost_contest):
    log = log_of(contracts(60))
    ruled = replace(engine.fit(log, AT), fixed_days=((90, 365, 30, 30),))
    history, policy = log.history(AT), engine.Policy(rule='days', lost_days=500)
    table = ruled.classify(history, AT, policy)
    assert ((table.lost_date - history.last_date).dt.days == 500).all()
    single = engine.Policy(single_rule='days')
    once = ruled.classify(history[history.purchase_count == 1], AT, single)
    assert ((once.lost_date - once.dormant_date).dt.days == 90).all()
    assert engine.look_back(log_of(contracts(60)), AT, policy)['contest'] is None


def test_the_floor_holds_for_fixed_days_too():
    log = log_of(contracts(40))
    history = log.history(AT)
    ruled = replace(engine.fit(log, AT), fixed_days=((90, 365, 30, 60),))
    table = ruled.classify(history, AT, engine.Policy(floor_days=40))
    assert ((table.dormant_date - history.last_date).dt.days == 40).all()
    assert ((table.lost_date - history.last_date).dt.days == 90).all(), 'not before the near horizon'


@pytest.mark.parametrize(
    ('age', 'scored', 'missing'),
    [(0, [], [180, 270, 455]), (200, [90], [0, 70, 255]), (460, [90, 180, 365], [0, 0, 0])],
)
def test_a_short_ledger_says_how_much_is_missing(age, scored, missing):
    last = (np.datetime64(AT) - START).astype(int)
    log = log_of(*(bought(last - age, last - age // 2, customer=c) for c in range(60)))
    told = engine.look_back(log, AT)
    assert [row['days_missing'] for row in told['horizons']] == missing
    assert [row['horizon_days'] for row in told['horizons'] if 'auc' in row] == scored
    assert told['contest'] is None and bool(told['called']) == bool(scored)
    assert all(row['naive'] is None for row in told['horizons'] if 'auc' in row and age < 455)


def test_who_looks_further_ahead_than_the_ledger_has_come_is_no_contest():
    """Cut to a year such a policy would call people dormant whom nothing could prove dormant."""
    policy = engine.Policy(near_days=365, far_days=730)
    assert engine.look_back(log_of(contracts()), AT, policy)['contest'] is None


def test_too_few_buyers_are_no_contest():
    few = contracts(25)
    assert engine.look_back(log_of(few), AT)['contest'] is None


@pytest.mark.parametrize('name', odd_logs())
def test_odd_logs_give_plain_numbers(name):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        told = engine.look_back(odd_logs()[name], AT)
    json.dumps(told, allow_nan=False)
    assert [row['horizon_days'] for row in told['horizons']] == list(HORIZONS)


def test_everybody_left_has_a_brier_and_no_ranking():
    told = engine.look_back(odd_logs()['everybody left'], AT)
    row = told['horizons'][0]
    assert row['auc'] is None and row['total_error'] is None and row['brier'] >= 0
    assert row['why'] == 'all bought, or nobody did' and row['buyers'] == 0


def test_horizons_of_any_policy_are_taken():
    log = log_of(simulate(300))
    short = engine.look_back(log, AT, engine.Policy(near_days=30, far_days=60))
    assert (short['contest']['near_days'], short['contest']['far_days']) == (30, 60)
    assert engine.look_back(log, AT, engine.Policy(near_days=400, far_days=800))['called']


def test_above_the_limit_the_sample_of_a_fit_is_scored(monkeypatch, rows):
    module = __import__('engine.fitting', fromlist=['fit'])
    monkeypatch.setattr(module, 'ALL_UP_TO', 300)
    monkeypatch.setattr(module, 'SAMPLE', 250)
    told = engine.look_back(log_of(rows), AT)
    assert all(row['customers'] == row['fixed_rule']['customers'] == 250 for row in told['horizons'])


def test_the_noise_of_a_difference_is_the_jackknife_of_its_groups():
    rng = np.random.default_rng(4)
    truth, one, other = (rng.integers(0, 3, 400) for _ in range(3))
    left = []
    for group in range(20):
        rest = [place for place in range(400) if place % 20 != group]
        left.append(macro_f1(truth[rest], other[rest]) - macro_f1(truth[rest], one[rest]))
    wanted = np.sqrt(19 / 20 * sum((value - np.mean(left)) ** 2 for value in left))
    assert noise(macro_f1, truth, one, other) == pytest.approx(wanted)
    draws = []
    for _ in range(300):
        some = rng.integers(0, 400, 400)
        draws.append(macro_f1(truth[some], other[some]) - macro_f1(truth[some], one[some]))
    assert 0.5 < wanted / np.std(draws) < 2


def test_a_day_is_a_day():
    log = log_of(simulate(100))
    assert engine.look_back(log, AT) == engine.look_back(log, np.datetime64(AT))
    assert engine.look_back(log, AT)['at'] == datetime.date.isoformat(AT)
