import csv
import gzip
from datetime import date

from odoo.tests import tagged
from odoo.tools import file_open

from .common import ChurnCommon

LAST_DAY = date(1998, 6, 30)


@tagged("post_install", "-at_install", "customer_churn")
class TestCdnow(ChurnCommon):
    def test_every_customer_of_the_cdnow_sample_equals_pandas(self):
        import pandas as pd

        with file_open("customer_churn/demo/cdnow_sample.csv.gz", "rb") as packed, gzip.open(packed, "rt") as text:
            rows = list(csv.DictReader(text))
        numbers = sorted({row["customer_id"] for row in rows})
        ids = dict(zip(numbers, self.customers(len(numbers), "CDNOW").ids))
        self.in_the_ledger([
            (ids[row["customer_id"]], date.fromisoformat(row["date"]), float(row["amount"]) * (
                -1 if row["type"] != "invoice" else 1)) for row in rows])
        self.night(LAST_DAY)

        frame = pd.DataFrame(rows)
        frame["customer"] = frame["customer_id"].map(ids)
        frame["day"] = pd.to_datetime(frame["date"]).dt.date
        frame["amount"] = frame["amount"].astype(float)
        frame.loc[frame["type"] != "invoice", "amount"] *= -1
        bought = frame[frame["amount"] > 0].groupby("customer")["day"]
        expected = pd.DataFrame({"count": bought.nunique(), "first": bought.min(), "last": bought.max()})
        expected["total"] = frame.groupby("customer")["amount"].sum().round(2)
        year = frame[frame["day"] > date(1997, 6, 30)].groupby("customer")["amount"].sum()
        expected["year"] = year.reindex(expected.index).fillna(0).round(2)
        names = ("purchase_count", "first_purchase_date", "last_purchase_date", "revenue_total", "revenue_12m")
        stored = {
            partner: tuple(float(row[n]) if n.startswith("revenue") else row[n] for n in names)
            for partner, row in self.stored().items()}
        self.assertEqual(stored, {row[0]: tuple(row[1:]) for row in expected.itertuples(name=None)})
        self.assertGreater(len(stored), 2000)
