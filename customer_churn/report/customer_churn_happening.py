import json

from odoo import api, fields, models
from odoo.tools import SQL

KIND = [
    ("purchase", "Purchase"), ("status", "Status"), ("case", "Case"), ("reason", "Reason"), ("pool", "Pool"),
    ("care", "Care"), ("payment", "Late Payment"), ("write_off", "Write-Off"),
]
PLACES = 10 ** 6  # more things than this happen with no customer


class CustomerChurnHappening(models.Model):
    """The timeline of customers as rows: what `customer.churn.profile._get_happenings` tells this reader, no more.

    The profiles are those of the context, or those that the ids name: a row is a profile and a place in its timeline.
    """

    _name = "customer.churn.happening"
    _description = "What Happened"
    _auto = False
    _order = "date desc, id"
    _rec_name = "text"

    profile_id = fields.Many2one("customer.churn.profile", string="Customer", readonly=True)
    currency_id = fields.Many2one(related="profile_id.currency_id")
    date = fields.Date(readonly=True)
    kind = fields.Selection(KIND, readonly=True)
    text = fields.Char(string="What Happened", readonly=True)
    amount = fields.Monetary(readonly=True)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document", model_field="res_model", readonly=True)

    @property
    def _table_query(self):
        wanted = self.env["customer.churn.profile"].browse(self.env.context.get("churn_happenings"))
        rows = [
            {**row, "id": profile.id * PLACES + place, "profile_id": profile.id, "date": str(row["date"])}
            for profile, timeline in wanted._get_timelines(self.env.context.get("churn_happening_limit")).items()
            for place, row in enumerate(timeline)]
        return SQL(
            """SELECT * FROM jsonb_to_recordset(%s::jsonb) row (id bigint, profile_id int, date date, kind varchar,
                      text varchar, amount numeric, res_model varchar, res_id int)""",
            json.dumps(rows))

    @api.model
    def _of(self, profiles, limit=None):
        return self.with_context(churn_happenings=profiles.ids, churn_happening_limit=limit)

    def action_open_document(self):
        self.ensure_one()
        profile = self.env["customer.churn.profile"].browse(self.id // PLACES)
        row = self._of(profile).browse(self.id)
        if row.res_id and row.res_model == "customer.churn.purchase":
            return profile.action_open_purchases()
        return row.res_id and self.env[row.res_model].browse(row.res_id).get_formview_action()
