from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .customer_churn_status_mixin import STATUS, STATUS_CODES

STAGING = "customer_churn_product_line_staging"
STILL_BUYS = ("new", "active", "at_risk")
COLUMNS = {  # staged column -> (kind, the engine's name); NaN stands for NULL
    "partner_id": ("i4", "customer_id"),
    "category_id": ("i4", "category_id"),
    "status": ("i4", "status"),
    "purchase_count": ("i4", "purchase_count"),
    "last_purchase_date": ("date", "last_date"),
    "usual_gap_days": ("f8", "gap_median"),
    "purchase_probability": ("f8", "purchase_probability"),
    "revenue_12m": ("f8", "revenue_12m"),
    "revenue_previous_12m": ("f8", "revenue_previous_12m"),
    "revenue_year_before": ("f8", "revenue_year_before"),
}


class CustomerChurnProductLine(models.Model):
    """A product category that a customer bought as a habit and buys no more, though other things since.
    Derived: found anew with every fit, forgotten in the night after a purchase of it; read-only."""

    _name = "customer.churn.product.line"
    _inherit = "customer.churn.status.mixin"
    _description = "Lost Product Line"
    _order = "revenue_year_before desc, id"
    _rec_name = "category_id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    profile_id = fields.Many2one(
        "customer.churn.profile", required=True, readonly=True, index=True, ondelete="cascade", check_company=True)
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, index=True, ondelete="cascade")
    category_id = fields.Many2one(
        "product.category", string="Product Line", required=True, readonly=True, index=True, ondelete="cascade",
        help="The category of the products, as it is today.")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="company_id.currency_id")
    status = fields.Selection(
        STATUS, string="Status of the Line", required=True, readonly=True,
        help="By the same method as a customer's, from the purchases of this category alone.")
    customer_status = fields.Selection(related="profile_id.status", string="Status of the Customer")
    is_loss = fields.Boolean(
        string="Still a Customer", compute="_compute_is_loss", search="_search_is_loss",
        help="The line is dormant or lost while the customer is new, active or at risk.")
    forecast_date = fields.Date(readonly=True, help="The day of the analysis: lines are looked at with every fit.")
    purchase_count = fields.Integer(string="Purchases", readonly=True, help="Days with a purchase of this category.")
    last_purchase_date = fields.Date(string="Last Purchase", readonly=True)
    usual_gap_days = fields.Float(string="Usual Gap (Days)", readonly=True, aggregator="avg")
    purchase_probability = fields.Float(
        string="Chance of Buying Again", readonly=True, aggregator="avg",
        help="Chance of at least one purchase of this category within the near horizon (90 days, unless changed).")
    revenue_year_before = fields.Monetary(
        string="Revenue of the Year Before", readonly=True,
        help="Revenue of this category in the 365 days up to its last purchase.")
    revenue_12m = fields.Monetary(string="Revenue of 12 Months", readonly=True)
    revenue_previous_12m = fields.Monetary(string="Revenue of the 12 Months Before", readonly=True)

    @api.depends("customer_status")
    def _compute_is_loss(self):
        for line in self:
            line.is_loss = line.customer_status in STILL_BUYS

    def _search_is_loss(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("profile_id.status", "in", STILL_BUYS)
        return Domain.OR([domain if wanted else ~domain for wanted in value])

    def action_open_profile(self):
        self.ensure_one()
        return self.profile_id.get_formview_action()

    # ------------------------------------------------------------------ what a run writes
    @api.model
    def _replace(self, run, found):
        """Make the lines of a run's company those that were found.

        :param found: DataFrame of engine.find_lost_lines
        """
        from .. import binary_copy  # the web workers never load numpy

        self.env.flush_all()
        self.env.cr.execute(SQL("DELETE FROM customer_churn_product_line WHERE company_id = %s", run.company_id.id))
        if len(found):
            codes = found["status"].map({name: code for code, name in enumerate(STATUS_CODES)})
            binary_copy.stage(
                self.env.cr, STAGING, {name: kind for name, (kind, _theirs) in COLUMNS.items()},
                {name: (codes if name == "status" else found[theirs]).to_numpy()
                 for name, (_kind, theirs) in COLUMNS.items()})
            self.env.cr.execute(self._insert_sql(run))
        self.env.invalidate_all(flush=False)

    @api.model
    def _insert_sql(self, run):
        names, decimals = SQL(", ").join(map(SQL.identifier, COLUMNS)), run.company_id.currency_id.decimal_places
        return SQL(
            """INSERT INTO customer_churn_product_line (%s, company_id, profile_id, user_id, forecast_date,
                      create_uid, write_uid, create_date, write_date)
               SELECT %s, p.company_id, p.id, p.user_id, %s, %s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                 FROM %s s JOIN customer_churn_profile p ON p.company_id = %s AND p.partner_id = s.partner_id""",
            names, SQL(", ").join(self._stored_expression(name, decimals) for name in COLUMNS),
            run.date, self.env.uid, self.env.uid, SQL.identifier(STAGING), run.company_id.id,
        )

    @api.model
    def _stored_expression(self, name, decimals):
        """The staged column as it is stored: codes to words, money to the currency's decimals."""
        column = SQL.identifier("s", name)
        if name == "status":
            return SQL("(%s::varchar[])[%s + 1]", STATUS_CODES, column)
        if self._fields[name].type == "monetary":
            return SQL("round(%s::numeric, %s)", column, decimals)
        return column

    @api.model
    def _forget(self, company, documents):
        """What a customer bought again is no loss: a quick look at those who have one and were read.

        :param dict documents: of customer.churn.purchase._read_documents
        """
        import numpy as np

        lost = self.env.execute_query(SQL(
            """SELECT id, partner_id, category_id, last_purchase_date FROM customer_churn_product_line
                WHERE company_id = %s AND partner_id = ANY(%s)""",
            company.id, np.unique(documents["customer_id"]).tolist()))
        if not lost:
            return
        _ids, customers, _categories, dates = zip(*lost, strict=True)
        mine = np.isin(documents["customer_id"], customers) & (documents["date"] > np.datetime64(min(dates)))
        lines = self.env["customer.churn.purchase"]._read_lines(
            company, {name: values[mine] for name, values in documents.items()}, few=True)
        columns = (lines[name][lines["bought"]].tolist() for name in ("customer_id", "category_id", "date"))
        newest = {(customer, category): date for customer, category, date in sorted(zip(*columns, strict=True))}
        again = [line for line, customer, category, date in lost if newest.get((customer, category), date) > date]
        self.env.cr.execute(SQL("DELETE FROM customer_churn_product_line WHERE id = ANY(%s)", again))
        self.invalidate_model(flush=False)
