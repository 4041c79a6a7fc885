"""Errors a user can mend."""

from ferclean.errors import FercleanError, in_one_line, shown, unknown_name


def test_the_nearest_name_is_offered():
    error = unknown_name("method", "smrr", ["cross_entropy", "smr"])
    assert isinstance(error, FercleanError)
    assert str(error) == ("unknown method 'smrr'; did you mean 'smr'? (known: cross_entropy, smr)")


def test_a_name_unlike_any_other_gets_the_list_only():
    assert str(unknown_name("key", 7, iter(["a", "b"]))) == "unknown key 7 (known: a, b)"


def test_a_value_of_any_size_is_shown_in_short():
    huge = [1] * 10
    for _ in range(20):
        huge = [huge] * 10
    assert len(shown(huge)) < 10_000
    assert len(shown("x" * 10**6)) < 200
    assert shown(16**50_000) == "an int that is too large to be shown"
    assert shown("a\n") == "'a\\n'" and shown(-3.5) == "-3.5"


def test_a_message_is_one_plain_line_of_bounded_length():
    assert in_one_line(" two\n lines\t ") == "two lines"
    assert in_one_line("red \x1b[31m bell \a NUL \0 ü") == "red \\x1b[31m bell \\x07 NUL \\x00 ü"
    long = in_one_line("a" * 5000 + "b" * 5000)
    assert len(long) < 620 and long.startswith("aaa") and long.endswith("bbb") and "[...]" in long
