import random
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL, format_amount, mute_logger

from .common import MANAGER, TODAY, USER, ChurnCommon, before

GIVEN_UP = 200  # days ago


@tagged("post_install", "-at_install", "customer_churn")
class TestProductLine(ChurnCommon):
    """Sixty customers buy paper and pens every two weeks; the first five gave up paper 200 days ago."""

    def setUp(self):
        super().setUp()
        self.Line = self.env["customer.churn.product.line"]
        self.paper_line, self.pens_line = self.env["product.category"].create([{"name": "Paper"}, {"name": "Pens"}])
        self.paper, self.pen = self.env["product.product"].create([
            {"name": "Ream", "categ_id": self.paper_line.id}, {"name": "Pen", "categ_id": self.pens_line.id}])
        self.sixty = self.customers(60)
        self.quitters = self.sixty[:5]
        chance, rows = random.Random(4), {self.paper: [], self.pen: []}
        for customer in self.sixty:
            for ago in range(700 + chance.randrange(14), 0, -14):
                rows[self.pen].append((customer.id, before(ago), chance.choice((3, 5, 8))))
                if customer not in self.quitters or ago > GIVEN_UP:
                    rows[self.paper].append((customer.id, before(ago), chance.choice((10, 20, 40))))
        for product in rows:
            self.in_the_ledger_of(product, rows[product])
        today = patch.object(fields.Date, "context_today", lambda *args: TODAY)
        today.start()
        self.addCleanup(today.stop)

    def in_the_ledger_of(self, product, rows):
        """Documents of one line each."""
        self.in_the_ledger(rows)
        self.env.cr.execute(SQL(
            """INSERT INTO account_move_line (move_id, company_id, journal_id, account_id, currency_id, display_type,
                      company_currency_id, product_id, balance, amount_currency, parent_state, partner_id)
               SELECT m.id, m.company_id, m.journal_id, j.default_account_id, m.currency_id, 'product', m.currency_id,
                      %s, -m.amount_untaxed_signed, -m.amount_untaxed_signed, m.state, m.partner_id
                 FROM account_move m JOIN account_journal j ON j.id = m.journal_id
                WHERE m.company_id = %s AND NOT EXISTS (SELECT FROM account_move_line l WHERE l.move_id = m.id)""",
            product.id, self.company.id))

    def bought_of(self, product, partner, *days, **values):
        return self.bought(partner, *days, line={"product_id": product.id}, **values)

    def found(self):
        """{(customer, category): the stored line}"""
        self.env.invalidate_all()
        lines = self.Line.search([("company_id", "=", self.company.id)])
        return {(line.partner_id, line.category_id): line for line in lines}

    def assertLost(self, *customers):
        """Of paper, and nothing else."""
        self.assertEqual(set(self.found()), {(customer, self.paper_line) for customer in customers})

    # ------------------------------------------------------------------ what is found
    def _expected(self, customer, category):
        """(purchases, last, median gap, three sums of money) from the journal items, by loops."""
        items = self.env["account.move.line"].search_read(
            [("partner_id", "=", customer.id), ("product_id.categ_id", "=", category.id)], ["invoice_date", "balance"])
        move_dates = {line.id: line.move_id.invoice_date for line in self.env["account.move.line"].browse(
            [item["id"] for item in items])}
        rows = [(move_dates[item["id"]], -item["balance"]) for item in items]
        days = sorted({on for on, amount in rows if amount > 0})
        gaps = sorted((b - a).days for a, b in zip(days, days[1:], strict=False))

        def money(after, until):
            return round(sum(amount for on, amount in rows if after < on <= until), 2)

        return (
            len(days), days[-1], (gaps[len(gaps) // 2] + gaps[-len(gaps) // 2]) / 2 if gaps else 0,
            money(days[-1] - timedelta(days=365), days[-1]), money(before(365), TODAY), money(before(730), before(365)))

    def test_lost_lines_equal_an_independent_computation(self):
        self.credited(self.quitters[0], before(230), amount=7, line={"product_id": self.paper.id})
        self.credited(self.quitters[1], before(20), amount=9, line={"product_id": self.paper.id})
        self.night()
        self.assertLost(*self.quitters)
        for (customer, category), line in self.found().items():
            self.assertEqual((
                line.purchase_count, line.last_purchase_date, line.usual_gap_days, line.revenue_year_before,
                line.revenue_12m, line.revenue_previous_12m), self._expected(customer, category))
            self.assertIn(line.status, ("dormant", "lost"))
            self.assertLess(line.purchase_probability, 0.5)
            self.assertEqual((line.customer_status, line.is_loss), ("active", True))
            self.assertEqual(line.profile_id, self.profile(customer))
            self.assertEqual(line.forecast_date, TODAY)

    def test_a_second_run_finds_the_same(self):
        def stored():
            return {key: line.read(["status", "purchase_count", "revenue_year_before"])[0] | {"id": 0}
                    for key, line in self.found().items()}

        self.night()
        first = stored()
        self.night(full=True)
        self.assertEqual(stored(), first)
        self.assertEqual(len(first), 5)

    def test_what_does_not_count_keeps_no_line_alive(self):
        one, two, three, four, five = self.quitters
        self.reversed(self.bought_of(self.paper, one, before(20)), before(10))
        self.drafted(two, before(20), line={"product_id": self.paper.id})
        sister = self._create_company("Sister")
        self.bought_of(self.paper, three, before(20), company=sister)
        self.bought_of(self.paper, four, TODAY + timedelta(days=1))
        # paper given in exchange on a credit note of pens
        self.credited(five, before(20), amount=90, line={"product_id": self.pen.id}, invoice_line_ids=[
            Command.create({"name": "Pen", "product_id": self.pen.id, "price_unit": 90, "tax_ids": [Command.clear()]}),
            Command.create({"name": "Ream", "product_id": self.paper.id, "price_unit": -30,
                            "tax_ids": [Command.clear()]})])
        self.night()
        self.assertLost(*self.quitters)

    def test_receipts_contacts_and_lines_beside_a_discount_keep_it_alive(self):
        one, two, three = self.quitters[:3]
        self.bought_of(self.paper, one, before(20), move_type="out_receipt")
        buyer = self.env["res.partner"].create({"name": "Buyer", "parent_id": two.id})
        self.bought_of(self.paper, buyer, before(20))
        self.bought(three, before(20), invoice_line_ids=[
            Command.create({"name": name, "product_id": self.paper.id, "price_unit": price,
                            "tax_ids": [Command.clear()]}) for name, price in (("Ream", 30), ("Discount", -10))])
        self.night()
        self.assertLost(*self.quitters[3:])

    def test_money_is_the_company_s(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.company.id, "name": before(400), "rate": 0.5})
        self.night()
        known = self.found()[self.quitters[0], self.paper_line].revenue_year_before
        self.bought_of(self.paper, self.quitters[0], before(GIVEN_UP + 50), amount=100, currency_id=euro.id)
        self.night(full=True)
        self.assertEqual(self.found()[self.quitters[0], self.paper_line].revenue_year_before, known + 200)

    def test_a_category_of_credit_notes_alone_is_no_line(self):
        refunds = self.env["product.category"].create({"name": "Refunds"})
        bonus = self.env["product.product"].create({"name": "Bonus", "categ_id": refunds.id})
        self.in_the_ledger_of(bonus, [(c.id, before(n), -5) for c in self.sixty for n in (300, 280, 260)])
        self.night()
        self.assertLost(*self.quitters)

    def test_products_without_a_category_are_left_out(self):
        self.paper.categ_id = False
        self.night()
        self.assertFalse(self.found())

    def test_an_archived_product_s_line_is_still_one(self):
        self.paper.active = False
        self.night()
        self.assertLost(*self.quitters)

    def test_a_product_that_moved_belongs_to_its_new_category(self):
        self.paper.categ_id = self.pens_line
        self.night()
        self.assertFalse(self.found())

    def test_a_category_that_is_deleted_takes_its_losses_along(self):
        self.night()
        self.env.invalidate_all()
        self.paper_line.unlink()
        self.assertFalse(self.found())
        self.night(full=True)
        self.assertFalse(self.found())

    def test_few_customers_are_not_enough(self):
        self.sixty[49:].churn_exclude = True
        self.night()
        self.assertFalse(self.found())

    def test_a_ledger_without_products_has_no_lines(self):
        self.env.cr.execute(SQL(
            "UPDATE account_move_line SET product_id = NULL WHERE company_id = %s", self.company.id))
        self.night()
        self.assertFalse(self.found())

    def test_another_addon_s_documents_have_lines_too(self):
        """As a glue addon adds them: the place of its source says whose the lines are."""
        cls = self.registry["customer.churn.purchase"]
        sources, lines, customer = cls._get_purchase_sources, cls._get_line_sources, self.quitters[0]
        order = SQL(
            """SELECT 77 AS id, %s AS company_id, %s AS partner_id, %s::date AS date, 50::float8 AS amount,
                      NULL::date AS void_date, now()::timestamp AS write_date""",
            self.company.id, customer.id, before(20))
        of_order = SQL("SELECT 77 AS id, %s AS company_id, %s AS product_id, 50::float8 AS amount",
                       self.company.id, self.paper.id)
        with patch.object(cls, "_get_purchase_sources", lambda model: [*sources(model), order]), patch.object(
                cls, "_get_line_sources", lambda model: {**lines(model), len(sources(model)): of_order}):
            self.night()
            self.assertLost(*self.quitters[1:])

    # ------------------------------------------------------------------ nights
    def test_a_night_forgets_what_is_bought_again(self):
        self.night()
        one, two, three = self.quitters[:3]
        tomorrow = TODAY + timedelta(days=1)
        self.bought_of(self.paper, one, tomorrow)
        self.bought_of(self.pen, two, tomorrow)
        self.reversed(self.bought_of(self.paper, three, tomorrow), tomorrow)
        self.assertEqual(self.night(tomorrow).kind, "nightly")
        self.assertLost(*self.quitters[1:])

    def test_a_night_looks_for_nothing_new(self):
        self.quitters[0].churn_exclude = True
        self.night()
        self.assertLost(*self.quitters[1:])
        self.quitters[0].churn_exclude = False
        self.assertEqual(self.night(TODAY + timedelta(days=1)).kind, "nightly")
        self.assertLost(*self.quitters[1:])
        self.night(TODAY + timedelta(days=1), full=True)
        self.assertLost(*self.quitters)

    def test_a_customer_without_a_profile_has_no_lines(self):
        self.night()
        self.quitters[0].churn_exclude = True
        self.night(TODAY + timedelta(days=1))
        self.assertLost(*self.quitters[1:])

    def test_contacts_that_are_merged_keep_one_profile_s_lines(self):
        self.night()
        one, two = self.quitters[:2]
        self.env.invalidate_all()
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((one | two).ids, one)
        self.assertEqual({line.profile_id for line in self.Line.search([("partner_id", "=", one.id)])},
                         {self.profile(one)})
        self.night(full=True)
        self.assertLost(one, *self.quitters[2:])

    def test_the_loss_of_the_customer_is_none_of_a_line(self):
        self.night()
        line = self.found()[self.quitters[0], self.paper_line]
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE customer_churn_profile SET status = 'lost' WHERE id = %s", line.profile_id.id))
        self.env.invalidate_all()
        self.assertFalse(line.is_loss)
        mine = [("company_id", "=", self.company.id)]
        self.assertEqual(self.Line.search([*mine, ("is_loss", "=", False)]), line)
        self.assertEqual(self.Line.search([*mine, ("is_loss", "=", True)]).partner_id, self.quitters[1:])
        self.assertNotIn("Still buys", line.profile_id.explanation)

    # ------------------------------------------------------------------ who sees what
    def test_a_salesperson_sees_the_lines_of_own_customers(self):
        seller, other = self._user("churn_seller", USER), self._user("churn_other", USER)
        self.quitters[0].user_id, self.quitters[1].user_id = seller, other
        self.night()
        self.assertEqual(self.Line.with_user(seller).search([]).partner_id, self.quitters - self.quitters[1])
        self.company.churn_share_unassigned = False
        self.assertEqual(self.Line.with_user(seller).search([]).partner_id, self.quitters[0])
        self.quitters[1].user_id = seller
        self.assertEqual(self.Line.with_user(seller).search([]).partner_id, self.quitters[:2])
        profile = self.profile(self.quitters[0]).with_user(seller)
        self.assertIn("no Paper since", profile.explanation)
        self.assertEqual(self.Line.with_user(self._user("churn_boss", MANAGER)).search([]).partner_id, self.quitters)

    def test_nobody_sees_another_company_s(self):
        self.night()
        sister = self._create_company("Sister")
        boss = self._user("churn_boss", MANAGER, company=sister)
        self.assertFalse(self.Line.with_user(boss).with_context(allowed_company_ids=sister.ids).search([]))

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_nobody_writes_what_is_derived(self):
        self.night()
        line = self.found()[self.quitters[0], self.paper_line].with_user(self._user("churn_boss", MANAGER))
        for act in (lambda: line.write({"purchase_count": 1}), line.unlink, line.copy):
            with self.assertRaises(AccessError):
                act()

    # ------------------------------------------------------------------ in words
    def _said(self, customer, lang="en_US"):
        self.env.invalidate_all()
        return self.profile(customer).with_context(lang=lang).explanation.replace("\N{NO-BREAK SPACE}", " ")

    def test_the_profile_says_it_in_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.night()
        line = self.found()[self.quitters[0], self.paper_line]
        amount = format_amount(self.env, line.revenue_year_before, self.company.currency_id).replace("\xa0", " ")
        last = line.last_purchase_date
        self.assertIn(
            f"Still buys, but no Paper since {last:%m/%d/%Y}; {amount} in the year before.",
            self._said(self.quitters[0]))
        self.assertIn(f"仍在购买，但自 {last:%Y/%m/%d} 起", self._said(self.quitters[0], "zh_CN"))
        self.assertNotIn("Still buys", self._said(self.sixty[10]))

    def test_several_lines_are_said_dearest_first(self):
        categories = self.env["product.category"].create([{"name": name} for name in ("Ink", "Glue")])
        for category, amount in zip(categories, (900, 1), strict=True):
            product = self.env["product.product"].create({"name": category.name, "categ_id": category.id})
            self.in_the_ledger_of(product, [
                (customer.id, before(n), amount) for customer in self.sixty for n in range(700, 0, -14)
                if n > GIVEN_UP or customer not in self.quitters[:1 if amount == 1 else 2]])
        self.night()
        self.assertRegex(self._said(self.quitters[0]), r"no Ink since .* nor 2 other product lines\.")
        self.assertRegex(self._said(self.quitters[1]), r"no Ink since .* nor Paper\.")

    def test_the_number_of_queries_does_not_grow(self):
        self.night()

        def queries(count):
            self.env.invalidate_all()
            started = self.env.cr.sql_log_count
            self.Profile.search([("partner_id", "in", self.quitters[:count].ids)]).mapped("explanation")
            return self.env.cr.sql_log_count - started

        queries(5)
        self.assertEqual(queries(5), queries(1))
