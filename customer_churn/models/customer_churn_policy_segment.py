"""Whose policy: each customer is judged by the first policy whose condition it meets."""

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

LAST = 1000  # the sequence of the automatic policy


class CustomerChurnPolicy(models.Model):
    _inherit = "customer.churn.policy"

    @api.constrains("domain")
    def _check_domain(self):
        for policy in self:
            policy._get_partner_domain()

    @api.constrains("sequence", "domain", "active", "company_id")
    def _check_last_has_no_domain(self):
        for company in self.company_id:
            policies = self.search([("company_id", "=", company.id)])
            bare = policies.filtered(lambda policy: not policy._has_domain())
            if len(bare) != 1 or bare != policies[-1:]:
                raise ValidationError(self.env._(
                    "%(company)s needs exactly one policy for all other customers, without a condition and at the end "
                    "of the list: %(names)s. Drag it to the end, or give the others a condition.",
                    company=company.name, names=", ".join(bare.mapped("name")) or "-",
                ))

    def _has_domain(self):
        return bool(self.domain and self.domain.strip() not in ("", "[]"))

    def _get_partner_domain(self):
        """The condition on res.partner; ValidationError naming the policy where it is none."""
        self.ensure_one()
        if not self._has_domain():
            return Domain.TRUE
        try:
            domain = Domain(safe_eval(self.domain, {"uid": self.env.uid}))
            domain.validate(self.env["res.partner"])
        except Exception as error:  # any text may stand there, and all its faults have this remedy
            raise ValidationError(self.env._(
                "Policy %(policy)s: its condition is not one on contacts (%(error)s). "
                "Build it again in the policy's form.",
                policy=self.name, error=error,
            )) from error
        return domain

    @api.model
    def _get_policies(self, company):
        """The company's policies in their order; a first one with the defaults where there is none."""
        return self.search([("company_id", "=", company.id)]) or self._create_default(company)

    def _create_default(self, company):
        """At the end, so that new ones come before it, and named in every language: whoever analyses first may
        speak another one, or be a scheduled action."""
        policy = self.with_context(lang="en_US").create(
            {"name": "All customers", "company_id": company.id, "sequence": LAST})
        policy.update_field_translations("name", {
            code: self.with_context(lang=code).env._("All customers")
            for code, _name in self.env["res.lang"].get_installed()})
        return policy.with_env(self.env)

    def _get_earlier(self):
        """The policies that choose before this one; all of the same sequence while it is not saved."""
        tied = Domain("sequence", "=", self.sequence)
        if self._origin:
            tied &= Domain("id", "<", self._origin.id)
        return self.search(
            Domain("company_id", "=", self.company_id.id) & Domain("id", "!=", self._origin.id)
            & (Domain("sequence", "<", self.sequence) | tied))

    def _split(self, customers):
        """Pairs (policy, ids of its customers), each customer under the first policy that takes it.

        :param customers: partner ids, array-like (n,)
        """
        import numpy as np

        left = np.asarray(customers, dtype="int64")
        partners = self.env["res.partner"].with_context(active_test=False)
        for policy in self[:-1]:
            domain = Domain("id", "in", left.tolist()) & policy._get_partner_domain()
            mine = np.isin(left, partners.search(domain).ids)
            if mine.any():
                yield policy, left[mine]
            left = left[~mine]
        yield self[-1:], left
