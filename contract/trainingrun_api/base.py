"""What all models of the contract share."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from .rules import Rule, broken, validation

NAMESPACE = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
DNS_NAME = rf"{NAMESPACE}(\.{NAMESPACE})*"
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=f"^{DNS_NAME}$")]
"""Name of a Kubernetes object."""

_LABEL = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = f"^({_LABEL})?$"
QUALIFIED_NAME = f"^({DNS_NAME}/)?{_LABEL}$"
"""Names of labels, taints and resources, with the domain that they come from or without."""

Namespace = Annotated[str, Field(min_length=1, max_length=63, pattern=f"^{NAMESPACE}$")]
"""Name of a namespace."""
FieldName = Annotated[str, Field(min_length=1, max_length=128)]
"""Field, column or path of a data set."""

PRESERVED: dict[str, JsonValue] = {
    "x-kubernetes-preserve-unknown-fields": True,
    "x-kubernetes-map-type": "atomic",
}
FreeForm = Annotated[dict[str, Any], Field(json_schema_extra=PRESERVED)]
"""An object as it was written, including fields that this version doesn't know."""


@dataclass(frozen=True)
class Without:
    """Of a text that must hold nothing which the pattern finds; RE2 and Python read it alike.

    To be put into Annotated; CEL has the same rule.
    """

    pattern: str
    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, JsonValue]:
        found = handler(schema)
        rule = validation(f"!self.matches(r'{self.pattern}')", self.message)
        return {
            **found,
            "x-kubernetes-validations": [*found.get("x-kubernetes-validations", []), rule],
        }

    def _check(self, text: str) -> str:
        if re.search(self.pattern, text):
            raise ValueError(self.message)
        return text


class Model(BaseModel):
    """A frozen value: snake_case in Python, camelCase in JSON, unknown fields rejected.

    Attribute docstrings are the descriptions that `kubectl explain` shows.
    """

    RULES: ClassVar[tuple[Rule, ...]] = ()
    """What holds across fields, here and at the API server."""

    ALTERNATIVES: ClassVar[tuple[frozenset[str], ...]] = ()
    """Fields of which one takes the place of the others, where a value is put over another."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        rule = broken(self.RULES, self) if self.RULES else None
        if rule is not None:
            raise ValueError(rule.message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The JSON Schema, with the rules where a Kubernetes schema has them."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.RULES:
            schema["x-kubernetes-validations"] = [rule.kubernetes(cls) for rule in cls.RULES]
        return schema
