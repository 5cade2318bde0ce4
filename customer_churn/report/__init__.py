from . import (
    customer_bad_debt_register,
    customer_care_result,
    customer_churn_file,
    customer_churn_happening,
    customer_churn_purchase,
    customer_churn_purchase_line,
    customer_churn_purchase_night,
)
