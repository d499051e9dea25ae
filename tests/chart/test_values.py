import pytest

from .release import CHART, run, template


def test_chart_passes_lint() -> None:
    result = run("helm", "lint", "--strict", str(CHART))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"watchNamespace": ["team-a"]}, "watchNamespace"),
        ({"image": {"repo": "somewhere"}}, "repo"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"defaultBaseModel": {"fromRun": {"name": "a"}}}, "fromRun"),
        ({"hubEndpoint": "mirror"}, "/hubEndpoint"),
        ({"logLevel": "verbose"}, "/logLevel"),
        ({"defaultOutput": {"endpoint": "https://s3.example.com"}}, "uri"),
        ({"trainerPods": {"proxy": {"https": "proxy:3128"}}}, "/trainerPods/proxy/https"),
        ({"watchNamespaces": ["Team A"]}, "/watchNamespaces/0"),
    ],
)
def test_mistaken_value_is_refused_by_its_name(values: dict[str, object], said: str) -> None:
    result = template(**values)
    assert result.returncode != 0
    assert said in result.stderr
