"""Let `python -m connector` do what `connector` does."""

from connector.cli import main

if __name__ == "__main__":
    main(prog_name="connector")
