from . import customer_churn_purchase, customer_churn_purchase_line
