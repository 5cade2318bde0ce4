from . import test_purchase
from . import test_run
from . import test_oracle
from . import test_policy
from . import test_profile
from . import test_security
from . import test_purity
from . import test_cdnow
