"""Settings come from the environment, and all that is wrong is said at once."""

import pytest

from trainingrun_operator.errors import ConfigurationError
from trainingrun_operator.settings import Settings

GOOD = {"TRAINER_IMAGE": "example.com/trainer:1", "POD_NAMESPACE": "training-system"}


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"TRAINER_IMAGE.*METRICS_PORT.*LOG_FORMAT"):
        Settings.from_environment({"POD_NAMESPACE": "x", "METRICS_PORT": "http", "LOG_FORMAT": "xml"})


def test_a_default_base_model_is_one_that_all_can_read() -> None:
    hub = '{"huggingFace": {"repoId": "team/model"}}'
    settings = Settings.from_environment(GOOD | {"DEFAULT_BASE_MODEL": hub, "ALLOW_PICKLED_MODELS": "true"})
    assert settings.default_base_model is not None
    assert settings.default_base_model.hugging_face is not None
    assert settings.default_base_model.hugging_face.revision == "main"
    assert settings.allow_pickled_models
    for wrong in ('{"fromRun": {"name": "a"}}', '{"uri": "file:///m"}', "{}", "no JSON"):
        with pytest.raises(ConfigurationError, match="DEFAULT_BASE_MODEL"):
            Settings.from_environment(GOOD | {"DEFAULT_BASE_MODEL": wrong})
    with pytest.raises(ConfigurationError, match="HUB_ENDPOINT"):
        Settings.from_environment(GOOD | {"HUB_ENDPOINT": "mirror"})


def test_a_default_output_is_one_that_all_can_write_to() -> None:
    output = '{"uri": "s3://models", "credentialsSecretRef": {"name": "s3"}}'
    settings = Settings.from_environment(GOOD | {"DEFAULT_OUTPUT": output})
    assert settings.default_output is not None
    assert settings.default_output.region == "us-east-1"
    for wrong in ('{"uri": "file:///m"}', "{}", '{"uri": "s3://m", "endpoint": "s3.example.com"}'):
        with pytest.raises(ConfigurationError, match="DEFAULT_OUTPUT"):
            Settings.from_environment(GOOD | {"DEFAULT_OUTPUT": wrong})


def test_default_additions_to_pods_are_those_that_a_run_may_make() -> None:
    for wrong in ('{"spec": {"hostNetwork": true}}', '{"spec": {"containers": [{"name": "sidecar"}]}}'):
        with pytest.raises(ConfigurationError, match="DEFAULT_POD_TEMPLATE"):
            Settings.from_environment(GOOD | {"DEFAULT_POD_TEMPLATE": wrong})


def test_namespaces_are_separated_by_commas() -> None:
    assert Settings.from_environment(GOOD | {"WATCH_NAMESPACES": "a, b"}).watch_namespaces == ("a", "b")
    assert Settings.from_environment(GOOD | {"WATCH_NAMESPACES": ""}).watch_namespaces == ()


def test_reports_go_to_the_service_unless_another_url_is_set() -> None:
    assert (
        Settings.from_environment(GOOD).report_url
        == "https://trainingrun-operator.training-system.svc/v1/progress"
    )
    url = "https://progress.example.com/v1/progress"
    assert Settings.from_environment(GOOD | {"PROGRESS_URL": url}).report_url == url
