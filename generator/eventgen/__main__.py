"""`python -m eventgen`."""

from eventgen.cli import main

if __name__ == "__main__":
    main()
