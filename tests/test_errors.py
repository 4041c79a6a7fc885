"""Errors a user can mend."""

from ferclean.errors import FercleanError, unknown_name


def test_the_nearest_name_is_offered():
    error = unknown_name("method", "smrr", ["cross_entropy", "smr"])
    assert isinstance(error, FercleanError)
    assert str(error) == ("unknown method 'smrr'; did you mean 'smr'? (known: cross_entropy, smr)")


def test_a_name_unlike_any_other_gets_the_list_only():
    assert str(unknown_name("key", 7, iter(["a", "b"]))) == "unknown key 7 (known: a, b)"
