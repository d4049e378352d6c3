"""`python -m aikv` is the command `aikv`."""

from aikv.cli import main

main()
