"""`python -m autograph` is the `autograph` command."""

import sys

from autograph.cli.main import main

sys.exit(main())
