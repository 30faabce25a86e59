"""The one command: python run.py demo | canvas | workflow | test | bench | pocket | doctor."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("Python 3.10 or newer is needed, but this is " + sys.version.split()[0] + ".")

from launcher.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
