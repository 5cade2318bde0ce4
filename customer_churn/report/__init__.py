from . import customer_churn_purchase
