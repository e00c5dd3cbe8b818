"""What a document says stays words where it is told as markdown."""

import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from specthread.spec.document import squeezed
from specthread.views.assist.card import MOST, Card, escaped, markdown, plain
from specthread.views.assist.typed import escaped as as_template
from specthread.views.assist.typed import filled

SIGNS = st.text(st.sampled_from("ab1 \t\n#*_`[]()<>!&;|~$-+=.:\\/@\"'w"), max_size=30)
COMMONMARK = MarkdownIt("commonmark")


def shown(text):
    """The words a reader sees, and whether anything else than one paragraph is made of them."""
    blocks = COMMONMARK.parse(text)
    kinds = [token.type for token in blocks]
    inline = [token for token in blocks if token.type == "inline"]
    parts = [part for token in inline for part in token.children or ()]
    is_plain = kinds in ([], ["paragraph_open", "inline", "paragraph_close"]) and {part.type for part in parts} <= {"text", "text_special"}
    return "".join(part.content for part in parts), is_plain


@given(st.one_of(SIGNS, st.text(max_size=20)))
@example("- 1. # x")
@example("1) x")
@example("===")
@example("---")
@example("&amp; <b> ![x](y) https://e.org [a]: b")
@example("_a_ b_c __d__")
def test_every_text_is_shown_as_it_is_written(text):
    words, is_plain = shown(escaped(text))
    assert is_plain
    assert words == squeezed(text).replace("\x00", "\ufffd")


def test_addresses_do_not_become_links():
    assert not re.search(r"(?<!\\):(?=//)|www\.(?!\\)", escaped("https://e.org and www.e.org").replace("www\\.", ""))


def test_a_long_list_says_how_much_is_left_out():
    card = Card("Title", ("words",), (("Tasks:", tuple(f"task {number}" for number in range(MOST + 3))), ("Nothing:", ())))
    assert markdown(card).endswith(f"- task {MOST - 1}\n- … and 3 more")
    assert plain(card).splitlines()[:4] == ["Title", "", "words", ""]


@given(SIGNS)
def test_a_text_in_a_template_means_itself(text):
    template = as_template(text) + "${1:" + as_template("a}$b") + "}$2"
    assert filled(template) == text + "a}$b"
