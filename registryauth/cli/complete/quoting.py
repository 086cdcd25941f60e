"""What a shell writes around a word, taken off what was typed and put around what is suggested.

zsh and fish hand over and take plain words. bash and PowerShell do neither.
"""

from __future__ import annotations

import re

#: What means nothing in bash outside of quotes; `:`, `=` and `@` only part words for the line editor.
_PLAIN_IN_BASH = re.compile(r"[\w./:@%+=,-]+")
_PLAIN_IN_POWERSHELL = re.compile(r"[\w./:%+=*\\-][\w./:@%+=*\\-]*")


def plain(shell: str, word: str) -> tuple[str, str]:
    """What *word*, as *shell* handed it over, stands for, and the quote that is still open in it, if any; nothing is expanded."""
    return _unquoted(word) if shell == "bash" else (word, "")


def quoted(shell: str, word: str, quote: str = "") -> str:
    """*word* as it must stand on *shell*'s command line, within an open *quote* if there is one."""
    if shell == "bash":
        return _for_bash(word, quote)
    if shell == "powershell" and not _PLAIN_IN_POWERSHELL.fullmatch(word):
        # A typographic apostrophe ends a PowerShell string, too.
        return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", word) + "'"
    return word


def _for_bash(word: str, quote: str) -> str:
    if quote:
        inside = word.replace("'", "'\\''") if quote == "'" else re.sub(r'([\\"$`])', r"\\\1", word).replace("!", '"\\!"')
        # The line editor closes a quote only behind what does not look like one.
        return inside + quote if inside.endswith(quote) else inside
    return word if _PLAIN_IN_BASH.fullmatch(word) else re.sub(r"([^\w./:@%+=,-])", r"\\\1", word)


def _unquoted(word: str) -> tuple[str, str]:
    """*word* without bash's quotes and backslashes, and the quote that nothing closed."""
    parts: list[str] = []
    quote, rest = "", iter(word)
    for character in rest:
        if character == "\\" and quote != "'":
            following = next(rest, "")
            parts.append(following if not quote or following in '\\"$`' else f"\\{following}")
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            parts.append(character)
    return "".join(parts), quote
