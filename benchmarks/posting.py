#!/usr/bin/env python3
"""What the addon adds to posting invoices: the same 200 in two copies of a ledger, with the addon and without.

Batches of ten alternate between both and are committed, as a day's work is; the ratio is the median of the pairs'.
"""

import gc
import statistics
from itertools import cycle, islice

from _common import SMALL, Figure, alternate, clock, median_ratio, registry, tell, with_and_without
from odoo import Command, api, sql_db

INVOICES, BATCH, ROUNDS = 200, 10, 5
BATCHES = INVOICES // BATCH
CUSTOMERS = """
SELECT commercial_partner_id FROM account_move WHERE move_type = 'out_invoice' AND state = 'posted'
 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %s
"""


def invoices(env):
    """The values of the invoices: one line each, of the customers who buy most, several where there are few."""
    env.cr.execute(CUSTOMERS, [INVOICES])
    line = {"name": "Goods", "quantity": 2, "price_unit": 100}
    return [
        {"move_type": "out_invoice", "partner_id": customer, "invoice_line_ids": [Command.create(dict(line))]}
        for (customer,) in islice(cycle(env.cr.fetchall()), INVOICES)
    ]


def post(env, batch):
    """(seconds, queries) of posting a batch as a user does, with its commit and what follows it."""
    before = sql_db.sql_counter

    def work():
        env["account.move"].create(batch).action_post()
        env.cr.commit()

    gc.collect()
    return clock(work)[0], sql_db.sql_counter - before


def measure(databases):
    """Seconds and queries of every batch, {'with': [...], 'without': [...]} each; the first round warms up."""
    registries = {side: registry(database) for side, database in databases.items()}
    seconds, queries, values = {"with": [], "without": []}, {"with": [], "without": []}, None
    for number in range(ROUNDS + 1):
        for place, side in enumerate(alternate(BATCHES)):
            with registries[side].cursor() as cr:
                env = api.Environment(cr, api.SUPERUSER_ID, {})
                env = env(user=env.ref("base.user_admin"), su=False)
                values = values or invoices(env)
                start = place // 2 * BATCH
                taken, count = post(env, values[start:start + BATCH])
            if number:
                seconds[side].append(taken)
                queries[side].append(count)
        gc.freeze()
    return seconds, queries


def fewest(counts):
    """Queries of all batches, each at its fewest: now and then Odoo asks one more, with the addon or without."""
    return sum(min(counts[place::BATCHES]) for place in range(BATCHES))


def figures():
    with with_and_without(SMALL) as databases:
        seconds, queries = measure(databases)
    each, plain = statistics.median(seconds["with"]) * BATCHES, fewest(queries["without"])
    name = f"posting {INVOICES} invoices, with the addon / without"
    yield Figure(name, each, ratio=median_ratio(seconds), goal="<= 1.02")
    name = f"queries that the addon adds to the {plain:,} of posting"
    yield Figure(name, fewest(queries["with"]) - plain, "queries", goal="<= 0 queries")


if __name__ == "__main__":
    tell(list(figures()))
