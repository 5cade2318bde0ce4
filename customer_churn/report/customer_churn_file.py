"""The file of a customer on paper: what the screen shows, in the reader's language and within the reader's rights.
However many customers are printed, each part of it is read once for all."""

from collections import defaultdict
from datetime import date

from odoo import api, models

from ..models.customer_churn_profile_file import ACCOUNTING, AGEING

TIMELINE_LIMIT = 40


class ReportCustomerFile(models.AbstractModel):
    _name = "report.customer_churn.report_file"
    _description = "Customer File"

    @api.model
    def _get_report_values(self, docids, data=None):
        profiles = self.env["customer.churn.profile"].browse(docids)
        return self._get_values(profiles, dict(zip(profiles, profiles, strict=True)))

    @api.model
    def _get_values(self, docs, profiles):
        """`profiles` {record to print: its profile, or an empty one}"""
        known = self.env["customer.churn.profile"].union(*profiles.values())
        known.check_access("read")
        timelines = known._get_timelines(TIMELINE_LIMIT)
        years = self._get_years(known)
        return {
            "docs": docs, "doc_ids": docs.ids, "doc_model": docs._name,
            "files": [{
                "record": record, "profile": profile.with_prefetch(known.ids), "partner": profile.partner_id or record,
                "company": profile.company_id or self.env.company, "timeline": timelines.get(profile, []),
                "years": years.get(profile, []),
            } for record, profile in profiles.items()],
            "ageing": [name for name in AGEING], "reads_documents": self.env.user.has_groups(ACCOUNTING),
            "kinds": dict(self.env["customer.churn.happening"]._fields["kind"]._description_selection(self.env)),
        }

    @api.model
    def _get_years(self, profiles):
        """{profile: [(year, revenue, its share of the best year)]}, newest first"""
        money = defaultdict(lambda: defaultdict(float))
        months = profiles._read_revenue(date.min) if profiles else {}
        for (company, customer, month), amount in months.items():
            money[company, customer][month.year] += amount
        found = {}
        for profile in profiles:
            years = money[profile.company_id.id, profile.partner_id.id]
            best = max(years.values(), default=0)
            found[profile] = [(year, years[year], max(100 * years[year] / best, 0) if best > 0 else 0)
                              for year in sorted(years, reverse=True)]
        return found


class ReportCustomerFilePartner(models.AbstractModel):
    _name = "report.customer_churn.report_partner_file"
    _inherit = "report.customer_churn.report_file"
    _description = "Customer File of a Contact"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Of the current company; a contact's file is that of the customer it belongs to, printed once."""
        partners = self.env["res.partner"].browse(docids).commercial_partner_id
        return self._get_values(partners, {partner: partner.churn_profile_id for partner in partners})
