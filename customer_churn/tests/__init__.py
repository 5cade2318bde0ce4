from . import (
    test_browser,
    test_browser_first_run,
    test_cdnow,
    test_first_run,
    test_oracle,
    test_policy,
    test_profile,
    test_profile_file,
    test_purchase,
    test_purity,
    test_run,
    test_security,
)
