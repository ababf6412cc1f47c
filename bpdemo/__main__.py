"""`python -m bpdemo` is `bpdemo`."""

from bpdemo.cli.main import main

if __name__ == "__main__":
    main()
