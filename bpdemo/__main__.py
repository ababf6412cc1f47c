"""`python -m bpdemo` is `bpdemo`."""

from bpdemo.cli.start import main

if __name__ == "__main__":
    main()
