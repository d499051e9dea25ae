"""A figure of matplotlib as SVG that may stand in a page with a strict policy, and takes its colours."""

from collections.abc import Mapping, Sequence
from io import StringIO
from xml.etree import ElementTree

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

CLASS = "c-"
"""Start of the gid of an artist that the style sheet colours: it becomes the class of its group."""

for prefix, namespace in (("", SVG), ("xlink", XLINK)):
    ElementTree.register_namespace(prefix, namespace)


def inline_svg(figure: Figure, title: str, tips: Mapping[str, Sequence[str]]) -> Markup:
    """The figure as an element for HTML, named `title` for those who can't see it.

    `tips` has what the markers of a line say when pointed at, by the class of the line.
    """
    drawn = StringIO()
    # Text stays text; ids follow from the title, so that they are the same each time but for no two figures.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(drawn.getvalue())  # noqa: S314 - made a line above
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}:
                parent.remove(child)
    for element in root.iter():
        _plain(element)
    for marker in root.iterfind(f".//{{{SVG}}}defs/{{{SVG}}}path"):
        # It would hide the colour of the element that uses it, which the style sheet sets.
        marker.attrib.pop("stroke", None)
    for name, lines in tips.items():
        _tell(root, name, lines)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib |= {"role": "img", "aria-label": title, "class": "chart"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - texts are escaped by it


def _plain(element: ElementTree.Element) -> None:
    """Attributes in place of inline style, which the policy refuses; classes in place of ids."""
    style = element.attrib.pop("style", "")
    for declaration in filter(None, style.split(";")):
        name, value = (part.strip() for part in declaration.split(":", 1))
        if name == "font":
            element.set("font-size", next(part for part in value.split() if part.endswith("px")))
        else:
            element.set(name, value)
    name = element.get("id", "")
    if element.tag == f"{{{SVG}}}g" and name:
        # Several figures in one page would have the same ids.
        element.attrib.pop("id")
        element.set("class", name.removeprefix(CLASS) if name.startswith(CLASS) else name.split("_")[0])


def _tell(root: ElementTree.Element, name: str, lines: Sequence[str]) -> None:
    for group in root.iter(f"{{{SVG}}}g"):
        if group.get("class") == name:
            for marker, line in zip(group.iter(f"{{{SVG}}}use"), lines, strict=False):
                ElementTree.SubElement(marker, f"{{{SVG}}}title").text = line
