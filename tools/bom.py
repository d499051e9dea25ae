"""What an image is made of, as a CycloneDX document: the packages of Debian and Python that are in it."""

import importlib.metadata
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

VENV = "opt/venv/lib"
DEBIAN = "var/lib/dpkg/status"


def bill_of_materials(image: str, version: str, root: Path) -> str:
    """The document as JSON; `root` is the image's root folder."""
    whole = Component(name=image, version=version, type=ComponentType.CONTAINER, bom_ref=image)
    parts = [*_of_python(root), *_of_debian(root)]
    bom = Bom(components=parts)
    bom.metadata.component = whole
    bom.register_dependency(whole, parts)
    return str(JsonV1Dot6(bom).output_as_string(indent=1))


def _of_python(root: Path) -> Iterator[Component]:
    folders = [str(folder) for folder in (root / VENV).glob("python3*/site-packages")]
    for package in importlib.metadata.distributions(path=folders):
        yield _component(PackageURL("pypi", None, package.metadata["Name"].lower(), package.version))


def _of_debian(root: Path) -> Iterator[Component]:
    status = root / DEBIAN
    for paragraph in status.read_text().split("\n\n") if status.exists() else ():
        fields = message_from_string(paragraph)
        if fields.get("Status", "").endswith(" installed"):
            architecture = {"arch": fields["Architecture"]}
            yield _component(PackageURL("deb", "debian", fields["Package"], fields["Version"], architecture))


def _component(package: PackageURL) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        purl=package,
        bom_ref=package.to_string(),
    )
