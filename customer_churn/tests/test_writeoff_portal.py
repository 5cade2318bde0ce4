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

    def _open_page(self, invoice):
        self.env.flush_all()
        page = self.url_open(f"/my/invoices/{invoice.id}?access_token={invoice._portal_ensure_token()}").text
        return "invoice_paid_badge" in page or "fa-check-circle" in page, "Written off" in page

    def test_page_of_an_invoice(self):
        invoice, paid = self._invoice((1000, None)), self._invoice((10, None))
        self._write_off(invoice)
        self._payment(10, invoices=paid)
        self.assertEqual(self._open_page(invoice), (False, False))
        self.company.bad_debt_tell_customer = True
        self.assertEqual(self._open_page(invoice), (False, True))
        self.assertEqual(self._open_page(paid), (True, False))
