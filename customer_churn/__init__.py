import os

# Before numpy is loaded: its threads, one a core, win a run nothing and each takes memory that a worker may be refused.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from . import models, report, wizards
