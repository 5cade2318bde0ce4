"""The step of a run after the profiles: who still buys, but gave up a product line."""

from odoo import models


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    def _look_at_product_lines(self, documents, log, policies, full):
        """With a fit, find every loss anew, by the policy for all others; a night only forgets those whose
        customer bought again.

        :param dict documents: what was read, see customer.churn.purchase._read_documents
        :param log: the same as engine.PurchaseLog
        """
        from .. import engine

        Line = self.env["customer.churn.product.line"]
        if not full:
            return Line._forget(self.company_id, documents)
        lines = self.env["customer.churn.purchase"]._read_lines(self.company_id, documents)
        found = engine.find_lost_lines(lines, log, self.date, policies[-1:]._to_engine())
        Line._replace(self, found)
