"""``python -m ferclean``: the same commands as the ``ferclean`` script."""

from ferclean.cli.app import main

main()
