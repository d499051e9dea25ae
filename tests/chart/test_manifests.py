from pathlib import Path

import pytest
import yaml

from trainingrun_api.names import MANAGED_BY_LABEL, OPERATOR, RUN_LABEL
from trainingrun_operator.settings import Settings

from .release import CHART, Manifest, container, manifests, of_kind, template, variables

REPOSITORY = CHART.parents[1]
A = {"name": "A", "value": "1"}
ROLES = ("Role", "ClusterRole")


def rules(found: list[Manifest]) -> list[Manifest]:
    return [rule for kind in ROLES for role in of_kind(found, kind) for rule in role["rules"]]


def test_definitions_are_the_generated_ones() -> None:
    generated = {path.name: path.read_bytes() for path in Path(REPOSITORY, "crds").glob("training*.yaml")}
    assert generated == {path.name: path.read_bytes() for path in Path(CHART, "files/crds").glob("*.yaml")}

    rendered = of_kind(manifests(crds={"keep": False}), "CustomResourceDefinition")
    specs = {definition["metadata"]["name"]: definition["spec"] for definition in rendered}
    expected = [yaml.safe_load(text) for text in generated.values()]
    assert specs == {definition["metadata"]["name"]: definition["spec"] for definition in expected}


def test_uninstalling_keeps_definitions_unless_told_otherwise() -> None:
    for definition in of_kind(manifests(), "CustomResourceDefinition"):
        assert definition["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not of_kind(manifests(crds={"install": False}), "CustomResourceDefinition")


def test_no_right_is_a_wildcard() -> None:
    for values in ({}, {"watchNamespaces": ["team-a"]}):
        for rule in rules(manifests(**values)):
            assert not any("*" in entry for entries in rule.values() for entry in entries), rule


def test_watched_namespaces_limit_rights_to_themselves() -> None:
    found = manifests(watchNamespaces=["team-a", "team-b"], rbac={"aggregateToDefaultRoles": False})
    (cluster_wide,) = of_kind(found, "ClusterRole")
    assert [rule["resources"] for rule in cluster_wide["rules"]] == [["tokenreviews"]]
    bound = {binding["metadata"]["namespace"] for binding in of_kind(found, "RoleBinding")}
    assert bound == {"team-a", "team-b", "trainingrun-system"}
    assert variables(found)["WATCH_NAMESPACES"] == "team-a,team-b"


def test_without_cluster_roles_nothing_is_of_the_whole_cluster() -> None:
    values = {"rbac": {"clusterRoles": False}, "crds": {"install": False}}
    found = manifests(watchNamespaces=["team-a"], **values)
    assert all("namespace" in manifest["metadata"] for manifest in found)
    settings = Settings.from_environment(variables(found) | {"POD_NAMESPACE": "trainingrun-system"})
    assert settings.token_verification == "Signature"
    refused = template(**values)
    assert "list these" in refused.stderr


@pytest.mark.parametrize(
    ("certificate", "secret"),
    [
        ({"existingSecret": "own"}, "own"),
        (
            {"certManager": {"issuerRef": {"name": "ca", "kind": "ClusterIssuer"}}},
            "trainingrun-operator-issued-tls",
        ),
    ],
)
def test_certificates_of_others_are_mounted_and_no_right_on_secrets_is_given(
    certificate: Manifest, secret: str
) -> None:
    found = manifests(certificate=certificate)
    assert not [rule for rule in rules(found) if "secrets" in rule["resources"]]
    settings = Settings.from_environment(variables(found) | {"POD_NAMESPACE": "trainingrun-system"})
    (deployment,) = of_kind(found, "Deployment")
    volumes = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["volumes"]}
    mounted = {one["mountPath"]: volumes[one["name"]] for one in container(found)["volumeMounts"]}
    assert mounted[str(settings.certificate_folder)]["secret"]["secretName"] == secret
    for asked in of_kind(found, "Certificate"):
        assert asked["spec"]["secretName"] == secret
        assert asked["spec"]["dnsNames"] == [settings.server_name]
    assert len(of_kind(found, "Certificate")) == ("certManager" in certificate)


def test_operator_reads_its_settings_from_what_the_chart_gives() -> None:
    found = manifests(
        trainerImage={"repository": "registry:5000/trainer", "tag": "1", "pullSecrets": ["team-registry"]},
        watchNamespaces=["team-a"],
        logLevel="debug",
        logFormat="plain",
    )
    given = variables(found)
    assert {name.lower() for name in given} <= set(Settings.model_fields)
    settings = Settings.from_environment(given | {"POD_NAMESPACE": "trainingrun-system"})
    assert settings.trainer_image == "registry:5000/trainer:1"
    assert settings.trainer_image_pull_secrets == ("team-registry",)
    assert settings.watch_namespaces == ("team-a",)
    assert settings.log_level == "debug"
    assert (settings.default_base_model, settings.hub_endpoint, settings.allow_pickled_models) == (
        None,
        None,
        False,
    )
    (own_role,) = (role for role in of_kind(found, "Role") if role["metadata"]["namespace"] != "team-a")
    named = [rule["resourceNames"] for rule in own_role["rules"] if "resourceNames" in rule]
    assert named == [[settings.service_name], [settings.certificate_secret_name]]


def test_base_models_are_the_operators_to_choose() -> None:
    preset = {"huggingFace": {"repoId": "team/model", "tokenSecretRef": {"name": "hub"}}}
    found = manifests(
        defaultBaseModel=preset, hubEndpoint="https://mirror.example.com", allowPickledModels=True
    )
    settings = Settings.from_environment(variables(found) | {"POD_NAMESPACE": "trainingrun-system"})
    assert settings.default_base_model is not None
    assert settings.default_base_model.model_dump(mode="json", exclude_none=True) == {
        "huggingFace": preset["huggingFace"] | {"revision": "main"}
    }
    assert settings.hub_endpoint == "https://mirror.example.com"
    assert settings.allow_pickled_models


def test_what_all_trainer_pods_have_is_additions_to_their_template() -> None:
    own = {"metadata": {"labels": {"team": "a"}}, "spec": {"containers": [{"name": "trainer", "env": [A]}]}}
    found = manifests(
        defaultOutput={"uri": "s3://models", "credentialsSecretRef": {"name": "s3"}},
        trainerPods={
            "caBundle": {"configMap": "authorities"},
            "proxy": {"https": "http://proxy:3128", "noProxy": ".svc"},
            "podTemplate": own,
        },
    )
    settings = Settings.from_environment(variables(found) | {"POD_NAMESPACE": "trainingrun-system"})
    assert settings.default_output is not None
    assert settings.default_output.uri == "s3://models"
    assert settings.default_pod_template is not None
    template = settings.default_pod_template.model_dump(mode="json", exclude_defaults=True)
    (trainer,) = template["spec"]["containers"]
    assert template["metadata"] == own["metadata"]
    file = "/etc/ssl/trainingrun/ca-bundle.crt"
    assert {one["name"]: one["value"] for one in trainer["env"]} == {
        "HTTPS_PROXY": "http://proxy:3128",
        "NO_PROXY": ".svc",
        "AWS_CA_BUNDLE": file,
        "REQUESTS_CA_BUNDLE": file,
        "SSL_CERT_FILE": file,
        "A": "1",
    }
    (volume,), (mount,) = template["spec"]["volumes"], trainer["volumeMounts"]
    assert volume == {"name": mount["name"], "configMap": {"name": "authorities"}}
    assert file.startswith(f"{mount['mountPath']}/")


def test_operators_pod_can_be_spread_and_have_a_budget() -> None:
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    found = manifests(podDisruptionBudget={"enabled": True}, topologySpreadConstraints=[spread])
    (budget,), (deployment,) = of_kind(found, "PodDisruptionBudget"), of_kind(found, "Deployment")
    selector = deployment["spec"]["selector"]
    assert budget["spec"] == {"maxUnavailable": 1, "selector": selector}
    constraints = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert constraints == [spread | {"labelSelector": selector}]
    assert not of_kind(manifests(), "PodDisruptionBudget")


def test_ports_of_pod_and_service_are_the_operators() -> None:
    found = manifests(service={"progressPort": 9443})
    settings = Settings.from_environment(variables(found) | {"POD_NAMESPACE": "trainingrun-system"})
    ports = {port["name"]: port["containerPort"] for port in container(found)["ports"]}
    assert ports == {"progress": settings.progress_port, "metrics": settings.metrics_port}
    (service,) = of_kind(found, "Service")
    assert service["metadata"]["name"] == settings.service_name
    assert settings.report_url.startswith(f"https://{settings.server_name}:9443/")


def test_trainer_pods_report_and_scrapers_scrape() -> None:
    (policy,) = of_kind(manifests(), "NetworkPolicy")
    reports, scrapes = policy["spec"]["ingress"]
    assert [rule["ports"] for rule in (reports, scrapes)] == [[{"port": "progress"}], [{"port": "metrics"}]]
    (peer,) = reports["from"]
    assert peer["namespaceSelector"] == {}
    assert peer["podSelector"]["matchLabels"] == {MANAGED_BY_LABEL: OPERATOR}
    assert peer["podSelector"]["matchExpressions"] == [{"key": RUN_LABEL, "operator": "Exists"}]
    (monitoring,) = scrapes["from"]
    assert monitoring["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}


def test_nobody_scrapes_unless_named() -> None:
    (policy,) = of_kind(manifests(networkPolicy={"metricsFrom": []}), "NetworkPolicy")
    assert [rule["ports"] for rule in policy["spec"]["ingress"]] == [[{"port": "progress"}]]
    assert not of_kind(manifests(networkPolicy={"enabled": False}), "NetworkPolicy")


def test_trainer_pods_are_closed_to_others_in_the_namespaces_that_are_listed() -> None:
    trainer_pods = {
        "namespaces": ["team-a", "team-b"],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 9000}]}],
    }
    found = manifests(networkPolicy={"trainerPods": trainer_pods})
    policies = {one["metadata"]["namespace"]: one["spec"] for one in of_kind(found, "NetworkPolicy")}
    own = policies.pop("trainingrun-system")
    assert sorted(policies) == trainer_pods["namespaces"]
    spec = policies["team-a"]
    assert policies["team-b"] == spec
    assert spec["podSelector"] == own["ingress"][0]["from"][0]["podSelector"]
    assert spec["ingress"] == [{"from": [{"podSelector": spec["podSelector"]}]}]
    peers, dns, progress, store = spec["egress"]
    assert peers == {"to": [{"podSelector": spec["podSelector"]}]}
    assert dns == {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    (operator,) = progress["to"]
    assert operator["podSelector"] == own["podSelector"]
    ports = {port["name"]: port["containerPort"] for port in container(found)["ports"]}
    assert progress["ports"] == [{"port": ports["progress"]}]
    assert [store] == trainer_pods["egress"]


def test_digest_wins_over_tag() -> None:
    digest = f"sha256:{'0' * 64}"
    image = {"repository": "registry:5000/operator", "tag": "1", "digest": digest}
    assert container(manifests(image=image))["image"] == f"registry:5000/operator@{digest}"


def test_a_long_release_name_still_gives_valid_names() -> None:
    assert template(fullnameOverride="x" * 80).returncode == 0
    found = manifests(fullnameOverride="x" * 80)
    names = [m["metadata"]["name"] for m in found if m["kind"] in {"Service", "Deployment", "ServiceAccount"}]
    assert all(len(name) <= 63 for name in names)
