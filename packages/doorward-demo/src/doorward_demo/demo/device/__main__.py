"""`python -m doorward_demo.demo.device`: the same as `doorward-demo`."""

import sys

from doorward_demo.demo.device.command import main

if __name__ == "__main__":
    sys.exit(main())
