"""Former name of `doorward.server`: during a reload, a supervisor of the previous version starts this version's workers by it."""

import sys

from doorward.server.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
