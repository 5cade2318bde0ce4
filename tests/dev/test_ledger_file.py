"""A purchase log is taken whole or refused whole, with the line that is to blame."""

import gzip
import importlib.util
from datetime import date
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "customer_churn" / "demo"
SPEC = importlib.util.spec_from_file_location("purchase_log", DEMO / "purchase_log.py")
purchase_log = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(purchase_log)


@pytest.fixture
def read(tmp_path):
    def read_text(text, name="log.csv"):
        path = tmp_path / name
        content = text.encode("utf-8") if isinstance(text, str) else text
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return purchase_log.read(path)

    return read_text


def test_the_sample_has_6919_purchases():
    assert len(purchase_log.read(DEMO / "cdnow_sample.csv.gz")) == 6919


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_plain_and_packed_files_with_and_without_a_mark_are_read(read, name, start):
    rows = read(start + "customer,date,amount\nAnn,2025-01-31,12.50\n", name)
    assert rows == [("Ann", date(2025, 1, 31), 12.5, "", "invoice")]


def test_semicolons_come_with_decimal_commas(read):
    (row,) = read("Customer_ID;Date;Amount;doc_id;type\nAnn;2025-01-31;12,50;R1;refund\n")
    assert row == ("Ann", date(2025, 1, 31), -12.5, "R1", "refund")


def test_a_negative_amount_without_a_type_is_a_refund(read):
    (row,) = read("customer,date,amount\nAnn,2025-01-31,-3\n")
    assert (row.amount, row.kind) == (-3, "refund")


def test_a_cell_with_a_line_break_does_not_shift_the_line_numbers(read):
    with pytest.raises(purchase_log.PurchaseLogError, match="line 4: date 'x'"):
        read('customer,date,amount\n"Ann\nand Bob",2025-01-31,1\nCid,x,1\n')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("customer,date,amount\n", "a header but no purchases"),
        ("customer,date\nAnn,2025-01-31\n", "column missing: amount"),
        ("date,amount\n2025-01-31,1\n", "column missing: customer or customer_id"),
        ("customer,date,amount\nAnn,31/01/2025,1\n", "line 2: date '31/01/2025'"),
        ("customer,date,amount\nAnn,2025-02-30,1\n", "line 2: date '2025-02-30'"),
        ("customer,date,amount\nAnn,2025-01-31,1\nBob,2025-01-31,ten\n", "line 3: amount 'ten'"),
        ("customer,date,amount\nAnn,2025-01-31,nan\n", "line 2: amount 'nan'"),
        ('customer,date,amount\nAnn,2025-01-31,"1,234"\n', "line 2: amount '1,234'"),
        ("customer,date,amount\nAnn,2025-01-31,\n", "line 2: amount ''"),
        ("customer,date,amount\n ,2025-01-31,1\n", "line 2: the customer is empty"),
        ("customer,date,amount,type\nAnn,2025-01-31,1,gift\n", "line 2: type 'gift'"),
        ("customer,date,amount,type\nAnn,2025-01-31,-1,invoice\n", "line 2: .*is negative"),
        (b"customer,date,amount\nJos\xe9,2025-01-31,1\n", "is not UTF-8 text"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_value(read, text, reason):
    with pytest.raises(purchase_log.PurchaseLogError, match=reason):
        read(text)


def test_a_broken_archive_is_refused(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(purchase_log.PurchaseLogError, match="cannot be read"):
        purchase_log.read(path)


def test_only_the_first_faults_are_listed(read):
    bad = "Ann,never,1\n" * 30
    with pytest.raises(purchase_log.PurchaseLogError, match="and 20 more"):
        read("customer,date,amount\n" + bad)
