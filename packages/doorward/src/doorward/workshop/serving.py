"""Former name of `doorward.server`: a supervisor of the version before starts the workers of this one by it, at a reload."""

import sys

from doorward.server.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
