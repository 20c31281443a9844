"""What OpenAPI says of a document is what a document is."""

import pytest
from msgspec import Struct
from pydantic import BaseModel

from api import schemas
from gateway.live import station_document as words


@pytest.mark.parametrize(
    ("shape", "word"),
    [
        (schemas.AvailabilitySchema, words.StationDocument),
        (schemas.AreaSchema, words.ShownArea),
        (schemas.ResourceSchema, words.ShownResource),
        (schemas.InstrumentSchema, words.ShownInstrument),
        (schemas.Line, words.SummaryLine),
        (schemas.NextFree, words.ExpectedFree),
        (schemas.OpeningSchema, words.OpenNow),
        (schemas.ProgrammeSchema, words.Programme),
        (schemas.OnNowSchema, words.ActivityNow),
        (schemas.OnNext, words.ActivityNext),
    ],
)
def test_the_documented_shape_has_the_fields_of_the_word(shape: type[BaseModel], word: type[Struct]) -> None:
    documented = [field.alias or name for name, field in shape.model_fields.items()]
    assert documented == list(word.__struct_encode_fields__)
