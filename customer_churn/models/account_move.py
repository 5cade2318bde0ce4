from odoo import models

HOT_BESIDE_BRIN = 160000  # from this PostgreSQL on a BRIN index leaves updates as cheap as they were


def written_index(registry):
    """Definition of the index by which a night finds what was written since the last one."""
    with registry.cursor() as cr:
        # a page a range: payments touch old invoices here and there
        return "USING brin (write_date) WITH (pages_per_range = 1)" if (
            cr._cnx.server_version >= HOT_BESIDE_BRIN) else ""


class AccountMove(models.Model):
    """Nothing stands in the way of posting. The index lets a night find what changed."""

    _inherit = "account.move"

    _churn_written_idx = models.Index(written_index)

    def button_draft(self):
        """A draft may be deleted or given to somebody else without a trace: its customer is read again."""
        sales = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        # sudo: whoever may reset a document need not see its customer
        sales.sudo().partner_id.commercial_partner_id._mark_churn_profiles_stale(sales.company_id)
        return super().button_draft()
