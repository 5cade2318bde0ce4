from . import customer_churn_salespeople_wizard
