from odoo import api, fields, models


class CustomerChurnSalespeopleWizard(models.TransientModel):
    """Asks who gets the customers that have no salesperson."""

    _name = "customer.churn.salespeople.wizard"
    _description = "Who Gets the Customers"

    company_id = fields.Many2one("res.company", required=True, readonly=True, default=lambda self: self.env.company)
    assigned_count = fields.Integer(string="With a Salesperson", compute="_compute_counts")
    unassigned_count = fields.Integer(string="Without a Salesperson", compute="_compute_counts")
    share = fields.Selection(
        [("all", "Every salesperson"), ("managers", "Only managers")], string="Who Sees the Latter", required=True,
        default=lambda self: "all" if self.env.company.churn_share_unassigned else "managers",
    )

    @api.depends("company_id")
    def _compute_counts(self):
        Profile = self.env["customer.churn.profile"]
        for wizard in self:
            counts = dict(Profile._read_group(
                [("company_id", "=", wizard.company_id.id)], ["user_id"], ["__count"]))
            wizard.unassigned_count = counts.pop(self.env["res.users"], 0)
            wizard.assigned_count = sum(counts.values())

    def action_apply(self):
        self.company_id._share_unassigned_customers(self.share == "all")
        self.env["onboarding.onboarding.step"].with_company(self.company_id)._tick_churn_step("salespeople")
        return {"type": "ir.actions.act_window_close"}

    def action_open_unassigned(self):
        """The contacts, where the salesperson stands: a list that can be edited many at a time."""
        self.action_apply()
        return self.env["ir.actions.act_window"]._for_xml_id("customer_churn.res_partner_action_unassigned")
