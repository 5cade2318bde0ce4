from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .common import TODAY, ChurnCommon, day


@tagged("post_install", "-at_install", "customer_churn")
class TestPurchase(ChurnCommon):
    def test_a_posted_invoice_is_a_purchase(self):
        self.bought(self.anna, "2025-05-01", amount=120.5)
        self.assertPurchases(self.anna, {"2025-05-01": 120.5})

    def test_a_draft_is_no_purchase(self):
        self.drafted(self.anna, "2025-05-01")
        self.assertPurchases(self.anna, {})

    def test_a_cancelled_invoice_is_no_purchase(self):
        self.drafted(self.anna, "2025-05-01").button_cancel()
        self.assertPurchases(self.anna, {})

    def test_a_receipt_is_a_purchase(self):
        self.bought(self.anna, "2025-05-01", amount=7, move_type="out_receipt")
        self.assertPurchases(self.anna, {"2025-05-01": 7})

    def test_documents_of_one_day_are_one_purchase(self):
        self.bought(self.anna, "2025-05-01", "2025-05-01", amount=40)
        self.bought(self.anna, "2025-05-01", amount=20, move_type="out_receipt")
        self.assertPurchases(self.anna, {"2025-05-01": 100})

    def test_a_credit_note_alone_is_no_purchase(self):
        self.credited(self.anna, "2025-05-01")
        self.assertPurchases(self.anna, {})

    def test_a_credit_note_on_the_day_lowers_the_money_only(self):
        self.bought(self.anna, "2025-05-01", amount=100)
        self.credited(self.anna, "2025-05-01", amount=130)
        self.assertPurchases(self.anna, {"2025-05-01": -30})

    def test_a_partial_credit_note_lowers_the_money_only(self):
        invoice = self.bought(self.anna, "2025-05-01", amount=100)
        self.credited(self.anna, "2025-05-10", amount=30, of=invoice)
        self.assertPurchases(self.anna, {"2025-05-01": 100})
        self.night()
        self.assertEqual(self.profile(self.anna).revenue_total, 70)

    def test_a_full_reversal_takes_both_sides_out_from_its_day_on(self):
        invoice = self.bought(self.anna, "2025-05-01")
        self.reversed(invoice, "2025-05-20")
        self.assertPurchases(self.anna, {"2025-05-01": 100}, at=day("2025-05-19"))
        self.assertPurchases(self.anna, {}, at=day("2025-05-20"))
        self.assertPurchases(self.anna, {})
        self.bought(self.anna, "2025-06-01", amount=10)
        self.night()
        self.assertEqual(self.profile(self.anna).revenue_total, 10)

    def test_a_second_full_reversal_of_one_invoice_stays_as_money(self):
        self.bought(self.anna, "2025-04-01", amount=500)
        invoice = self.bought(self.anna, "2025-05-01")
        self.credited(self.anna, "2025-05-10", of=invoice)
        self.credited(self.anna, "2025-05-11", of=invoice)
        self.assertPurchases(self.anna, {"2025-04-01": 500})
        self.night()
        self.assertEqual(self.profile(self.anna).revenue_total, 400)

    def test_a_reversal_that_was_reversed_itself_takes_nothing_out(self):
        invoice = self.bought(self.anna, "2025-05-01")
        credit = self.credited(self.anna, "2025-05-10", of=invoice)
        self.bought(self.anna, "2025-05-20", reversed_entry_id=credit.id)
        self.assertPurchases(self.anna, {"2025-05-01": 100})

    def test_a_reversal_of_a_reversal_for_another_customer_gives_nothing_back(self):
        credit = self.credited(self.anna, "2025-05-10", of=self.bought(self.anna, "2025-05-01"))
        self.bought(self.bert, "2025-05-20", reversed_entry_id=credit.id)
        self.assertPurchases(self.anna, {})
        self.assertPurchases(self.bert, {"2025-05-20": 100})

    def test_a_reversal_for_another_customer_takes_nothing_out(self):
        invoice = self.bought(self.anna, "2025-05-01")
        self.credited(self.bert, "2025-05-10", of=invoice)
        self.assertPurchases(self.anna, {"2025-05-01": 100})
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.credited(contact, "2025-05-11", of=self.bought(self.anna, "2025-05-02"))
        self.assertPurchases(self.anna, {"2025-05-01": 100})

    def test_a_document_without_an_amount_counts_as_nothing(self):
        self.bought(self.anna, "2025-05-02")
        invoice = self.bought(self.anna, "2025-05-01")
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_move SET amount_untaxed_signed = NULL WHERE id = %s", [invoice.id])
        self.assertPurchases(self.anna, {"2025-05-02": 100})

    def test_a_draft_reversal_takes_nothing_out(self):
        invoice = self.bought(self.anna, "2025-05-01")
        self.drafted(self.anna, "2025-05-10", move_type="out_refund", reversed_entry_id=invoice.id)
        self.assertPurchases(self.anna, {"2025-05-01": 100})

    def test_an_invoice_of_a_later_day_counts_from_that_day_on(self):
        later = TODAY + timedelta(days=5)
        self.bought(self.anna, later)
        self.assertPurchases(self.anna, {}, at=later - timedelta(days=1))
        self.assertPurchases(self.anna, {later: 100}, at=later)

    def test_a_foreign_invoice_counts_in_company_currency(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.company.id, "name": "2025-01-01", "rate": 0.5})
        invoice = self.bought(self.anna, "2025-05-01", amount=100, currency_id=euro.id)
        self.assertPurchases(self.anna, {"2025-05-01": 200})
        self.assertEqual(invoice.amount_untaxed_signed, 200)

    def test_tax_is_not_in_the_amount(self):
        self.company.country_id = self.company.account_fiscal_country_id = self.env.ref("base.us")
        group = self.env["account.tax.group"].create(
            {"name": "Tax", "company_id": self.company.id, "country_id": self.env.ref("base.us").id})
        tax = self.env["account.tax"].create({
            "name": "20", "amount": 20, "type_tax_use": "sale", "company_id": self.company.id,
            "tax_group_id": group.id, "country_id": self.env.ref("base.us").id})
        invoice = self.bought(self.anna, "2025-05-01", line={"tax_ids": [Command.set(tax.ids)]})
        self.assertEqual(invoice.amount_total, 120)
        self.assertPurchases(self.anna, {"2025-05-01": 100})

    def test_contacts_buy_for_their_customer(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.bought(contact, "2025-05-01")
        self.assertPurchases(self.anna, {"2025-05-01": 100})
        self.assertPurchases(contact, {})

    def test_an_archived_customer_stays(self):
        self.bought(self.anna, "2025-05-01")
        self.anna.active = False
        self.assertPurchases(self.anna, {"2025-05-01": 100})
        self.night()
        self.assertTrue(self.profile(self.anna))

    def test_merged_customers_are_one_after_the_next_night(self):
        self.bought(self.anna, "2025-05-01")
        self.bought(self.bert, "2025-05-03")
        self.night()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((self.anna | self.bert).ids, self.bert)
        self.assertPurchases(self.bert, {"2025-05-01": 100, "2025-05-03": 100})
        self.night(TODAY + timedelta(days=1))
        self.assertEqual(self.profile(self.bert).purchase_count, 2)
        self.assertFalse(self.anna.exists())

    def test_a_contact_that_moves_takes_its_purchases_along_the_next_night(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.bought(contact, "2025-05-01")
        self.bought(self.anna, "2025-04-01")
        self.bought(self.bert, "2025-03-01")
        self.night()
        self.assertEqual(self.profile(self.anna).purchase_count, 2)
        contact.parent_id = self.bert
        self.assertEqual(self.night(TODAY + timedelta(days=1)).kind, "nightly")
        self.assertEqual(self.profile(self.anna).purchase_count, 1)
        self.assertEqual(self.profile(self.bert).purchase_count, 2)

    def test_an_excluded_customer_has_no_profile_and_comes_back(self):
        self.bought(self.anna, "2025-05-01")
        self.night()
        self.anna.churn_exclude = True
        self.assertPurchases(self.anna, {})
        self.night(TODAY + timedelta(days=1))
        self.assertFalse(self.profile(self.anna))
        self.anna.churn_exclude = False
        self.night(TODAY + timedelta(days=2))
        self.assertEqual(self.profile(self.anna).purchase_count, 1)

    def test_own_companies_are_no_customers(self):
        other = self.env["res.company"].create({"name": "Sister"})
        self.bought(other.partner_id, "2025-05-01")
        self.assertPurchases(other.partner_id, {})

    def test_a_discount_of_100_per_cent_is_no_purchase(self):
        self.bought(self.anna, "2025-05-01", line={"discount": 100})
        self.assertPurchases(self.anna, {})

    def test_an_invoice_whose_customer_changed_moves_the_next_night(self):
        invoice = self.bought(self.anna, "2025-05-01")
        self.bought(self.anna, "2025-04-01")
        self.night()
        invoice.button_draft()
        invoice.partner_id = self.bert
        invoice.action_post()
        self.assertPurchases(self.anna, {"2025-04-01": 100})
        self.assertPurchases(self.bert, {"2025-05-01": 100})
        self.night(TODAY + timedelta(days=1))
        self.assertEqual(self.profile(self.anna).purchase_count, 1)
        self.assertEqual(self.profile(self.bert).purchase_count, 1)

    def test_a_deleted_invoice_is_gone_the_next_night(self):
        invoice = self.bought(self.anna, "2025-05-01")
        self.bought(self.anna, "2025-04-01")
        self.night()
        invoice.button_draft()
        invoice.with_context(force_delete=True).unlink()
        self.night(TODAY + timedelta(days=1))
        self.assertEqual(self.profile(self.anna).purchase_count, 1)

    def test_a_deleted_reversal_gives_the_purchase_back_the_next_night(self):
        """Also to who has no profile left by which to find him."""
        for number, slept in enumerate((True, False)):
            customer = self.env["res.partner"].create({"name": f"Customer {number}"})
            credit = self.credited(customer, "2025-05-01", of=self.bought(customer, "2025-05-01"))
            if slept:
                self.night(TODAY + timedelta(days=2 * number))
            self.assertFalse(self.profile(customer))
            credit.button_draft()
            credit.unlink()
            self.assertEqual(self.night(TODAY + timedelta(days=2 * number + 1)).kind, "nightly")
            self.assertEqual(self.profile(customer).purchase_count, 1)

    def test_companies_do_not_share_purchases(self):
        other = self._create_company("Other")
        self.bought(self.anna, "2025-05-01", company=other)
        self.assertPurchases(self.anna, {})
        self.night()
        self.assertFalse(self.profile(self.anna))
