"""`python -m bpdemo` is `bpdemo`."""

from bpdemo.cli import main

if __name__ == "__main__":
    main()
