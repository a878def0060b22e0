"""What is likely to come, how sure that is, and what can be done about it."""

import os

# Models work on small matrices, and processes are the parallelism: more threads make them up to ten
# times slower. OpenBLAS reads this when it is loaded, which for scipy is with the first slow model.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
