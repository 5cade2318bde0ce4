from . import (
    base_partner_merge_automatic_wizard,
    customer_bad_debt_recovery_wizard,
    customer_bad_debt_writeoff_wizard,
    customer_bad_debt_writeoff_wizard_line,
    customer_churn_case_close,
    customer_churn_reason_wizard,
    customer_churn_salespeople_wizard,
)
