"""Turn Sphinx's roles in docstrings into what Markdown understands; mkdocs.yml names this file."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

# Of these the site has pages to link to.
_PARTS = "audit|partition|relabel|losses|noise|evaluate|methods"
_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr):`(~?)([\w.]+)`")


class Roles(Extension):
    """``:func:`~a.b.c``` becomes a link to ``a.b.c`` called ``c``, or just ``c`` in code."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite the docstring of everything that is loaded."""
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(_markdown, obj.docstring.value)


def _markdown(role: re.Match[str]) -> str:
    shortened, target = role.groups()
    name = target.rsplit(".", 1)[-1] if shortened else target
    linked = re.match(rf"ferclean\.(?:{_PARTS})\.", target)
    return f"[`{name}`][{target}]" if linked else f"`{name}`"
