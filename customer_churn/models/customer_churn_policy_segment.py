"""Whose policy: each customer is judged by the first policy whose condition it meets, else by the one without."""

import math

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

LAST = 1000  # the sequence of the automatic policy


class CustomerChurnPolicy(models.Model):
    _inherit = "customer.churn.policy"

    # ------------------------------------------------------------------ what is refused
    @api.constrains("domain")
    def _check_domain(self):
        """Tried out under the rights of whoever writes it: at night it is looked up under all rights."""
        for policy in self:
            domain = policy._get_partner_domain()
            if self._looks_at_status(domain):
                raise policy._refuse_domain(self.env._("a policy decides the status, not the other way round"))
            try:
                with self.env.cr.savepoint():
                    # sudo: none, even where the code that writes has it
                    self.env["res.partner"].sudo(False).search(domain, limit=1)
            except Exception as error:  # any text may stand there, and all its faults have this remedy
                raise policy._refuse_domain(error) from error

    @api.model
    def _looks_at_status(self, domain):
        """Whether a condition says something of the status, also by way of other records."""
        return any(
            any(name.startswith("churn_") for name in condition.field_expr.split("."))
            or "any" in condition.operator and self._looks_at_status(Domain(condition.value))
            for condition in domain.iter_conditions())

    @api.constrains("domain", "active", "company_id")
    def _check_one_for_all_others(self):
        self._require_one_for_all_others(self.company_id)

    @api.model
    def _require_one_for_all_others(self, companies):
        for company in companies:
            policies = self.search([("company_id", "=", company.id)])
            bare = policies.filtered(lambda policy: not policy._has_domain())
            if policies and not bare:
                raise ValidationError(self.env._(
                    "%(company)s needs exactly one policy without a condition, for all other customers, and would have "
                    "none: leave the condition of one empty, or make another one without.", company=company.name))
            if len(bare) > 1:
                raise ValidationError(self.env._(
                    "%(company)s needs exactly one policy without a condition, for all other customers, and would have "
                    "%(names)s: give all but one a condition.",
                    company=company.name, names=", ".join(bare.mapped("name"))))

    def write(self, vals):
        companies = self.company_id
        result = super().write(vals)
        if "company_id" in vals:
            self._require_one_for_all_others(companies)
        return result

    def unlink(self):
        companies = self.company_id
        result = super().unlink()
        self._require_one_for_all_others(companies)
        return result

    def copy_data(self, default=None):
        """The copy of the policy for all others is archived: there is one."""
        return [
            {**vals, "name": self.env._("%s (copy)", policy.name), "active": policy._has_domain(), **(default or {})}
            for policy, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # ------------------------------------------------------------------ the condition
    def _has_domain(self):
        """Also where it is broken, as a field may be gone with its addon: the others can be mended all the same."""
        try:
            return not Domain(safe_eval(self.domain or "[]")).is_true()
        except Exception:  # any text may stand there: `_get_partner_domain` says what is wrong with it
            return True

    def _get_partner_domain(self):
        """The condition on res.partner; ValidationError naming the policy where it is none."""
        self.ensure_one()
        if not self.domain:
            return Domain.TRUE
        try:
            domain = Domain(safe_eval(self.domain))
            domain.validate(self.env["res.partner"])
        except Exception as error:  # any text may stand there, and all its faults have this remedy
            raise self._refuse_domain(error) from error
        return domain

    def _refuse_domain(self, error):
        return ValidationError(self.env._(
            "Policy %(policy)s: its condition is not one on contacts that you may look up (%(error)s). "
            "Build it again in the policy's form.", policy=self.name, error=str(error).split("\n", 1)[0]))

    # ------------------------------------------------------------------ who is whose
    @api.model
    def _get_policies(self, company, create=True):
        """The company's policies, the one for all others last; one with the defaults where there is none, which
        is stored unless `create` is False."""
        policies = self.search([("company_id", "=", company.id)])
        if not policies:
            policies = self._create_default(company) if create else self.new({"company_id": company.id})
        return policies.sorted(lambda policy: policy._get_rank())

    def _get_rank(self):
        """Sorts the policies of a company; a policy that is not saved yet will come after its equals."""
        return not self._has_domain(), self.sequence, self._origin.id or math.inf

    def _create_default(self, company):
        """At the end, so that new ones stand before it, and named in every language: whoever analyses first may
        speak another one, or be a scheduled action. Of two who do it at once the second has to start again, as both
        write the company's row, and finds what the first one made."""
        self.env.cr.execute(SQL("UPDATE res_company SET id = id WHERE id = %s", company.id))
        policy = self.with_context(lang="en_US").create(
            {"name": "All customers", "company_id": company.id, "sequence": LAST})
        policy.update_field_translations("name", {
            code: self.with_context(lang=code).env._("All customers")
            for code, _name in self.env["res.lang"].get_installed()})
        return policy.with_env(self.env)

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
