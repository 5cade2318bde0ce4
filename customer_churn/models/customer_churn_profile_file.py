"""The file of a customer: what the form shows beside the analysis. Computed when it is read, stored nowhere,
one query a field however many profiles are read, and always of the profile's own company and customer."""

import json
from collections import defaultdict
from statistics import median

import babel.dates
from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.tools import SQL, babel_locale_parse, get_lang

ACCOUNTING = "account.group_account_invoice,account.group_account_readonly"  # who reads documents
SALE_TYPES = ("out_invoice", "out_refund", "out_receipt")
GRAPH_MONTHS = 24
DOCUMENT_LIMIT = 10
MESSAGE_LIMIT = 30
AGEING = {  # field -> days overdue, at least
    "due_later_amount": None,
    "overdue_30_amount": 1,
    "overdue_60_amount": 31,
    "overdue_90_amount": 61,
    "overdue_older_amount": 91,
}


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    # facts
    partner_avatar = fields.Image(related="partner_id.avatar_128", string="Image")
    partner_phone = fields.Char(related="partner_id.phone", string="Phone")
    partner_email = fields.Char(related="partner_id.email", string="Email")
    partner_website = fields.Char(related="partner_id.website", string="Website")
    partner_vat = fields.Char(related="partner_id.vat", string="Tax ID")
    partner_address = fields.Text(string="Address", compute="_compute_partner_address")
    industry_id = fields.Many2one(related="partner_id.industry_id", string="Industry")
    category_ids = fields.Many2many(related="partner_id.category_id", string="Tags")
    contact_ids = fields.One2many(related="partner_id.child_ids", string="Contacts", related_sudo=False)
    revenue_ratio = fields.Float(
        string="Against the Year Before", compute="_compute_revenue_ratio",
        help="Revenue of 12 months in per cent of that of the 12 months before.",
    )
    # transactions
    purchase_graph = fields.Text(compute="_compute_purchase_graph")
    purchase_ids = fields.Many2many(
        "customer.churn.purchase", compute="_compute_purchase_ids", string="Last Purchases",
    )
    document_ids = fields.Many2many(
        "account.move", compute="_compute_document_ids", string="Last Documents", groups=ACCOUNTING,
    )
    document_count = fields.Integer(compute="_compute_document_count", string="Documents", groups=ACCOUNTING)
    # communication
    message_ids = fields.Many2many("mail.message", compute="_compute_message_ids", string="Messages")
    activity_ids = fields.Many2many("mail.activity", compute="_compute_activity_ids", string="Activities")
    # money: salespeople read no journal items, but what their customers owe
    due_amount = fields.Monetary(string="Total Due", compute="_compute_ageing", compute_sudo=True)
    due_later_amount = fields.Monetary(string="Not Due", compute="_compute_ageing", compute_sudo=True)
    overdue_30_amount = fields.Monetary(string="1-30 Days", compute="_compute_ageing", compute_sudo=True)
    overdue_60_amount = fields.Monetary(string="31-60 Days", compute="_compute_ageing", compute_sudo=True)
    overdue_90_amount = fields.Monetary(string="61-90 Days", compute="_compute_ageing", compute_sudo=True)
    overdue_older_amount = fields.Monetary(string="More Than 90 Days", compute="_compute_ageing", compute_sudo=True)
    overdue_amount = fields.Monetary(
        string="Overdue", compute="_compute_ageing", compute_sudo=True,
        help="Open receivables past their due date, as of now.",
    )
    paid_invoice_count = fields.Integer(
        string="Invoices Paid", compute="_compute_usual_payment_days", compute_sudo=True,
        help="Invoices of the last 12 months that were paid in full.",
    )
    usual_payment_days = fields.Integer(
        string="Usual Days to Pay", compute="_compute_usual_payment_days", compute_sudo=True,
        help="The median number of days from invoice to full payment, of the invoices of the last 12 months.",
    )

    # ------------------------------------------------------------------ facts
    @api.depends("partner_id.contact_address")
    def _compute_partner_address(self):
        for profile in self:
            lines = profile.partner_id._display_address(without_company=True).splitlines()
            profile.partner_address = "\n".join(line.strip() for line in lines if line.strip())

    @api.depends("revenue_12m", "revenue_previous_12m")
    def _compute_revenue_ratio(self):
        for profile in self:
            before = profile.revenue_previous_12m
            profile.revenue_ratio = 100 * max(profile.revenue_12m, 0) / before if before > 0 else 0

    def _get_contacts(self):
        """The customers themselves and their contacts, archived ones too, as far as the reader may see them."""
        return self.env["res.partner"].with_context(active_test=False).search(
            [("commercial_partner_id", "in", self.partner_id.ids)])

    def _find_newest(self, model, domain, limit, order=None):
        """For one customer the database stops at the limit; for many it is one search all the same."""
        return model.search(domain, limit=limit if len(self) == 1 else None, order=order)

    # ------------------------------------------------------------------ transactions
    def _get_purchases(self):
        """The model of purchases, made to read the documents of these customers only."""
        return self.env["customer.churn.purchase"].with_context(customer_churn_customers=self.partner_id.ids)

    @api.depends("partner_id", "company_id")
    @api.depends_context("lang", "tz")
    def _compute_purchase_graph(self):
        this_month = fields.Date.context_today(self).replace(day=1)
        months = [this_month - relativedelta(months=n) for n in reversed(range(GRAPH_MONTHS))]
        amounts = self._read_revenue(months[0])
        locale = babel_locale_parse(get_lang(self.env).code)
        labels = [babel.dates.format_skeleton("yMMM", month, locale=locale) for month in months]
        for profile in self:
            key = profile.company_id.id, profile.partner_id.id
            profile.purchase_graph = json.dumps({
                "type": "bar", "labels": labels, "y": {"format": "money"}, "datasets": [{
                    "label": self.env._("Revenue"), "data": [amounts.get((*key, month)) for month in months],
                    "tone": ["muted"] * (GRAPH_MONTHS - 12) + ["primary"] * 12}]})

    def _read_revenue(self, since):
        """{(company id, customer id, first of a month): its money, credit notes of other days included}"""
        rows = self.env.execute_query(SQL(
            """SELECT company_id, partner_id, date_trunc('month', date)::date, sum(amount) FROM (%s) known
                WHERE partner_id = ANY(%s) AND company_id = ANY(%s) AND date >= %s GROUP BY 1, 2, 3""",
            self._get_purchases()._known(fields.Date.context_today(self)),
            self.partner_id.ids, self.company_id.ids, since,
        ))
        return {tuple(key): amount for *key, amount in rows}

    @api.depends("partner_id", "company_id")
    def _compute_purchase_ids(self):
        found = self._find_newest(
            self._get_purchases(),
            [("partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids)], DOCUMENT_LIMIT,
        ).grouped(lambda purchase: (purchase.company_id, purchase.partner_id))
        for profile in self:
            profile.purchase_ids = found.get((profile.company_id, profile.partner_id), [])[:DOCUMENT_LIMIT]

    def _get_document_domain(self):
        return [("move_type", "in", SALE_TYPES), ("state", "=", "posted"), ("company_id", "in", self.company_id.ids),
                ("partner_id", "in", self._get_contacts().ids)]

    @api.depends("partner_id", "company_id")
    @api.depends_context("uid")
    def _compute_document_ids(self):
        found = self._find_newest(
            self.env["account.move"], self._get_document_domain(), DOCUMENT_LIMIT, "invoice_date desc, id desc",
        ).grouped(lambda move: (move.company_id, move.commercial_partner_id))
        for profile in self:
            profile.document_ids = found.get((profile.company_id, profile.partner_id), [])[:DOCUMENT_LIMIT]

    @api.depends("partner_id", "company_id")
    def _compute_document_count(self):
        counts = {(company, partner): count for company, partner, count in self.env["account.move"]._read_group(
            self._get_document_domain(), ["company_id", "commercial_partner_id"], ["__count"])}
        for profile in self:
            profile.document_count = counts.get((profile.company_id, profile.partner_id), 0)

    # ------------------------------------------------------------------ communication
    @api.depends("partner_id")
    @api.depends_context("uid")
    def _compute_message_ids(self):
        """What was said and done, of the messages the reader may see; no log of changed fields."""
        self._compute_on_contacts(
            "message_ids", "model", "date desc, id desc",
            ["|", ("message_type", "not in", ("notification", "user_notification")),
             ("mail_activity_type_id", "!=", False)],
        )

    @api.depends("partner_id")
    @api.depends_context("uid")
    def _compute_activity_ids(self):
        self._compute_on_contacts("activity_ids", "res_model", "date_deadline, id", [])

    def _compute_on_contacts(self, name, model_field, order, domain):
        contacts = self._get_contacts()
        customer = {contact.id: contact.commercial_partner_id for contact in contacts}
        records = self._find_newest(
            self.env[self._fields[name].comodel_name],
            [(model_field, "=", "res.partner"), ("res_id", "in", contacts.ids), *domain], MESSAGE_LIMIT, order,
        )
        found = records.grouped(lambda record: customer[record.res_id])
        for profile in self:
            profile[name] = found.get(profile.partner_id, records.browse())[:MESSAGE_LIMIT]

    # ------------------------------------------------------------------ money
    @api.depends("partner_id", "company_id")
    def _compute_ageing(self):
        today = fields.Date.context_today(self)
        self.update({name: 0 for name in ("due_amount", "overdue_amount", *AGEING)})
        profiles = {(profile.company_id, profile.partner_id): profile for profile in self}
        for company, partner, due, booked, amount in self.env["account.move.line"]._read_group(
            [("account_type", "=", "asset_receivable"), ("parent_state", "=", "posted"), ("reconciled", "=", False),
             ("partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids)],
            ["company_id", "partner_id", "date_maturity:day", "date:day"], ["amount_residual:sum"],
        ):
            if profile := profiles.get((company, partner)):
                days = (today - (due or booked)).days
                profile[self._get_bucket(days)] += amount
                profile.due_amount += amount
                profile.overdue_amount += amount if days > 0 else 0
        for profile in self:
            profile.overdue_amount = max(profile.overdue_amount, 0)

    @api.model
    def _get_bucket(self, days):
        return [name for name, first in AGEING.items() if first is None or days >= first][-1]

    @api.depends("partner_id", "company_id")
    def _compute_usual_payment_days(self):
        since = fields.Date.context_today(self) - relativedelta(months=12)
        rows = self.env["account.partial.reconcile"]._read_group(
            [("debit_move_id.partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids),
             ("debit_move_id.account_type", "=", "asset_receivable"), ("debit_move_id.reconciled", "=", True),
             ("debit_move_id.invoice_date", ">=", since), ("credit_move_id.move_id.move_type", "!=", "out_refund")],
            ["debit_move_id"], ["max_date:max"],
        )
        found = defaultdict(list)
        for line, paid in rows:
            found[line.company_id, line.partner_id].append((paid - line.invoice_date).days)
        for profile in self:
            days = found[profile.company_id, profile.partner_id]
            profile.paid_invoice_count = len(days)
            profile.usual_payment_days = round(median(days)) if days else 0

    # ------------------------------------------------------------------ buttons
    def action_open_partner(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": "res.partner", "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }

    def action_schedule_activity(self):
        """The activity belongs to the customer: it outlives the profile, which is derived."""
        return self.partner_id._action_schedule_churn_activity()

    def action_open_invoices(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type"),
            "domain": self._get_document_domain(), "context": {"create": False},
        }

    def action_open_purchases(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_purchase_action"),
            "domain": [("company_id", "=", self.company_id.id), ("partner_id", "=", self.partner_id.id)],
            "context": {"customer_churn_customers": self.partner_id.ids},
        }
