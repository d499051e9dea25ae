from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from localcluster.names import SUBNETS, Addresses, cluster_name, link_names


def test_two_checkouts_have_two_clusters() -> None:
    one, other = cluster_name(Path("/home/ada/trainingrun")), cluster_name(Path("/home/ada/trainingrun-2"))
    assert one != other
    assert set(link_names(one)).isdisjoint(link_names(other))


def test_link_names_fit_the_kernel() -> None:
    assert all(len(name) <= 15 for name in link_names(cluster_name(Path("/a/very/long/path" * 9))))


def test_addresses_follow_from_the_name() -> None:
    assert Addresses.choose("a", []) == Addresses.choose("a", [])


def test_a_taken_network_is_passed_over() -> None:
    wanted = Addresses.choose("a", [])
    for network in wanted.networks:
        assert Addresses.choose("a", [network]).number == (wanted.number + 1) % SUBNETS


def test_nothing_is_given_when_all_is_taken() -> None:
    with pytest.raises(ValueError, match="taken"):
        Addresses.choose("a", [IPv4Network("10.0.0.0/8")])


def test_ends_of_the_link_and_well_known_services() -> None:
    addresses = Addresses(7)
    assert (addresses.host, addresses.node) == (IPv4Address("10.201.7.1"), IPv4Address("10.201.7.2"))
    assert (addresses.kubernetes, addresses.dns) == (IPv4Address("10.203.7.1"), IPv4Address("10.203.7.10"))
