"""What was bought: the lines of the documents, by product category. Which documents count, for whom, on which day
and until when is the rule of the purchases (customer_churn_purchase.py): a line only points to its document."""

from odoo import api, models
from odoo.tools import SQL


class CustomerChurnPurchase(models.Model):
    _inherit = "customer.churn.purchase"

    @api.model
    def _get_line_sources(self):
        """The lines of each kind of document that has some: a SELECT with the columns `id` (of the document, as in
        its source), `company_id`, `product_id` (never NULL) and `amount` (as in its source: net, credits negative).

        :return: {place of the document's source in `_get_purchase_sources`: SQL}
        """
        return {0: SQL(
            """SELECT move_id AS id, company_id, product_id, -balance::float8 AS amount FROM account_move_line
                WHERE display_type = 'product' AND product_id IS NOT NULL""")}

    @api.model
    def _lines(self, company, ids=None):
        """The lines of all documents, or of those with the `ids` of `_documents`."""
        count = len(self._get_purchase_sources())
        return SQL(" UNION ALL ").join(
            SQL("""SELECT id::bigint * %s + %s AS document_id, product_id, COALESCE(amount, 0) AS amount
                     FROM (%s) source WHERE company_id = %s AND %s""",
                count, place, source, company.id, SQL("TRUE") if ids is None else SQL(
                    "id = ANY(%s)", [number // count for number in ids if number % count == place]))
            for place, source in self._get_line_sources().items()
        )

    @api.model
    def _read_lines(self, company, documents, few=False):
        """The lines of `documents` (of `_read_documents`) whose product has a category, by one binary COPY.
        A credit note is no purchase, whatever is given in exchange on it.

        :param bool few: look them up instead of reading all of the company's
        :return: {'customer_id', 'category_id', 'date', 'amount', 'bought': array (lines,)}
        """
        import numpy as np

        from .. import binary_copy  # the web workers never load numpy

        lines = binary_copy.read(
            self.env.cr, self._lines(company, documents["id"].tolist() if few else None),
            {"document_id": "i8", "product_id": "i4", "amount": "f8"},
        )
        order = np.argsort(documents["id"])
        known = documents["id"][order]
        place = np.searchsorted(known, lines["document_id"])
        category = self._read_categories()[lines["product_id"]]
        counts = (np.append(known, -1)[place] == lines["document_id"]) & (category > 0)
        place, amount = order[place[counts]], lines["amount"][counts]
        return {
            "customer_id": documents["customer_id"][place], "category_id": category[counts],
            "date": documents["date"][place], "amount": amount,
            "bought": (amount > 0) & (documents["amount"][place] > 0),
        }

    @api.model
    def _read_categories(self):
        """The category that somebody gave to each product, as it is today: the topmost one is "All" in every database
        begun before Odoo 19. Looked up here: PostgreSQL would trust old statistics of the few products.

        :return: int32 array, place = product id, 0 = none
        """
        import numpy as np

        rows = self.env.execute_query(SQL(
            """SELECT p.id, COALESCE(t.categ_id, 0) FROM product_product p
                 JOIN product_template t ON t.id = p.product_tmpl_id"""))
        pairs = np.array(rows, "i4").reshape(-1, 2)
        categories = np.zeros(pairs[:, 0].max(initial=0) + 1, "i4")
        categories[pairs[:, 0]] = pairs[:, 1]
        return categories
