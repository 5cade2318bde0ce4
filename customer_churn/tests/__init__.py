from . import test_cdnow, test_oracle, test_policy, test_profile, test_purchase, test_purity, test_run, test_security
