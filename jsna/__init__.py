"""Is SEND identified fairly here, and what does the area need? See docs/architecture.md for the rooms."""

import os
import sys

WORKBENCH_VERSION = "0.1.0"

# The models' matrices are small, and chapters run side by side: threads of linear algebra only wait for one another (on
# a busy machine the models of chapter 03 took fifteen times as long). It is read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# jsonschema, which comes with every notebook library, would read a grammar of web addresses when it is imported: nine
# tenths of the time that such an import takes, and no notebook's schema asks for it. Python reads None as "not there".
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]

# Where Spark is installed, pandera would import its imitation of pandas: that takes a second, changes pandas' classes
# and warns at every user. The engine has no use for it.
sys.modules.setdefault("pyspark.pandas", None)  # pyright: ignore[reportArgumentType]
