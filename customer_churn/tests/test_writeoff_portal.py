from lxml import html
from odoo.tests import HttpCase, tagged

from .common_bad_debt import BadDebtFixture


@tagged("post_install", "-at_install")
class TestWriteoffPortal(BadDebtFixture, HttpCase):
    """The customer's own page of an invoice that was given up: no receipt, and no more than the company wants told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_books()
        cls.company.bad_debt_approval_limit = 10000

    def _read_page(self, invoice):
        self.env.flush_all()
        return self.url_open(f"/my/invoices/{invoice.id}?access_token={invoice._portal_ensure_token()}").text

    def _open_page(self, invoice):
        page = self._read_page(invoice)
        return "invoice_paid_badge" in page or "fa-check-circle" in page, "Written off" in page

    def test_page_of_an_invoice_that_was_given_up_in_part(self):
        invoice = self._invoice((1000, None))
        self._write_off(invoice, amounts={self._items(invoice): 370})
        page = html.fromstring(self._read_page(invoice))
        self.assertEqual(self._get_alerts(page), [("Left to Pay:", "630.00")])
        self._payment(30, invoices=invoice)
        self.company.bad_debt_tell_customer = True
        page = html.fromstring(self._read_page(invoice))
        self.assertEqual(self._get_alerts(page), [
            ("Already Paid:", "30.00"), ("Written off:", "370.00"), ("Left to Pay:", "600.00")])

    def test_page_of_what_came_in_after_all(self):
        invoice = self._invoice((1000, None))
        self.company.bad_debt_tell_customer = True
        writeoff = self._write_off(invoice, amounts={self._items(invoice): 400})
        for amount, alerts in (
                (100, [("Already Paid:", "100.00"), ("Written off:", "300.00"), ("Left to Pay:", "600.00")]),
                (300, [("Already Paid:", "400.00"), ("Left to Pay:", "600.00")])):
            self.Recovery.with_user(self.approver)._create_for(writeoff, amount)
            self.assertEqual(self._get_alerts(html.fromstring(self._read_page(invoice))), alerts)

    def test_page_of_a_document_on_which_nothing_is_due(self):
        self.assertIn("o_portal_invoice_sidebar", self._read_page(self._invoice(post=False)))

    def _get_alerts(self, page):
        words = [alert.text_content().replace("$", "").split() for alert in page.xpath(
            "//div[contains(@class, 'o_portal_invoice_sidebar')]//div[contains(@class, 'alert')]")]
        return [(" ".join(parts[:-1]), parts[-1]) for parts in words if parts[-1][0].isdigit()]

    def test_page_of_an_invoice(self):
        invoice, paid = self._invoice((1000, None)), self._invoice((10, None))
        self._write_off(invoice)
        self._payment(10, invoices=paid)
        self.assertEqual(self._open_page(invoice), (False, False))
        self.company.bad_debt_tell_customer = True
        self.assertEqual(self._open_page(invoice), (False, True))
        self.assertEqual(self._open_page(paid), (True, False))
