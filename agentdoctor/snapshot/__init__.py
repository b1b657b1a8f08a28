"""A snapshot: what the rules need of a host, without its secrets, as one file that can be sent to somebody.

``taking`` asks and collects, ``files`` knows what is taken of the disk, ``pseudonyms`` names secrets, ``packing``
writes the archive and ``unpacking`` reads one that a stranger may have made.
"""
