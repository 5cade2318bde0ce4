from odoo import api, models
from odoo.tools import SQL

STATUS = [
    ("new", "New"),
    ("active", "Active"),
    ("at_risk", "At Risk"),
    ("dormant", "Dormant"),
    ("lost", "Lost"),
]
STATUS_CODES = [code for code, _name in STATUS]


class CustomerChurnStatusMixin(models.AbstractModel):
    """Records sorted or grouped by a status stand in the order of a customer's life, not of the alphabet."""

    _name = "customer.churn.status.mixin"
    _description = "Order of Statuses"

    @api.model
    def _is_status(self, name):
        field = self._fields.get(name)
        return bool(field) and field.type == "selection" and field.selection == STATUS

    @api.model
    def _rank(self, status):
        return SQL("array_position(%s::varchar[], %s)", STATUS_CODES, status)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if not self._is_status(field_name):
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        rank = self._rank(self._field_to_sql(alias, field_name, query))
        query._order_groupby.append(rank)
        return SQL("%s %s %s", rank, direction, nulls)

    def _read_group_orderby(self, order, groupby_terms, query):
        statuses = {spec: term for spec, term in groupby_terms.items() if self._is_status(spec)}
        groupby_terms.update({spec: self._rank(term) for spec, term in statuses.items()})
        terms = super()._read_group_orderby(order, groupby_terms, query)
        groupby_terms.update(statuses)  # grouped by the status itself, in whatever else became of the terms
        return terms
