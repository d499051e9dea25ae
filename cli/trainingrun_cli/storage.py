"""How an object store is reached from here."""

from pydantic import ValidationError

from trainingrun_api.problems import problems
from trainingrun_api.run_config import Storage

from .errors import CommandError


def storage_at(endpoint: str | None, region: str | None) -> Storage:
    """The server at that URL, AWS for None; without a region, the usual one.

    Raises CommandError for what can't be a server's URL, or a region.
    """
    try:
        return Storage(endpoint=endpoint, region=region or Storage().region)
    except ValidationError as error:
        raise CommandError(
            f"{'; '.join(problems(error))}; see --endpoint, AWS_ENDPOINT_URL and AWS_REGION"
        ) from error
