from . import (
    account_move,
    customer_churn_event,
    customer_churn_policy,
    customer_churn_profile,
    customer_churn_profile_file,
    customer_churn_profile_refresh,
    customer_churn_run,
    customer_churn_run_analysis,
    customer_churn_status_mixin,
    res_company,
    res_config_settings,
    res_partner,
)
