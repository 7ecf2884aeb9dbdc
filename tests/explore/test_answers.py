"""What the model answers through the server is what the model says."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.report.graphs import codes_of


def _point(value):
    return torch.tensor([value["z"]], dtype=torch.float32)


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.5, -0.75), (-3.0, 2.0)])
def test_a_place_is_decoded_as_the_model_decodes_its_point(server, client, place):
    explorer = server.explorer
    value = client.post("/decode", {"x": place[0], "y": place[1]}).value
    z = explorer.plane.origin + np.array(place) @ explorer.plane.axes
    np.testing.assert_allclose(value["z"], z, rtol=1e-12)
    np.testing.assert_allclose([value["x"], value["y"]], place, atol=1e-9)
    (dag,) = explorer.model.decode(_point(value))
    assert value["hash"] == dag.canonical_hash
    assert value["graph"] == codes_of(Dags.of([dag]))[0]
    assert value["architecture"] == explorer.space.format(dag)
    assert value["json"] == json.loads(dag.to_json())
    assert value["json"]["format_version"] == 1
    assert value["json"]["network"] == dataclasses.asdict(explorer.space.network)
    assert Dag.from_json(value["json"], explorer.space) == dag
    with torch.no_grad():
        prediction = explorer.model.predict(_point(value))
        own = explorer.model.predict(explorer.model.encode([dag]).mean)
    assert value["predicted"] == float(prediction.performance)
    assert list(value["predicted_complexity"].values()) == prediction.complexity[0].tolist()
    assert value["encoded"]["predicted"] == pytest.approx(float(own.performance), rel=1e-6)
    real = explorer.space.complexity([dag])[0].tolist()
    assert value["complexity"] == dict(zip(("params", "macs"), real, strict=True))


def test_the_code_builds_the_network(client):
    value = client.post("/decode", {"x": 0.5, "y": 0.5}).value
    names = {}
    exec(compile(value["pytorch"], "copied", "exec"), names)
    network = names["network"]()
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == value["complexity"]["params"]


def test_a_known_network_is_its_own_neighbour_and_others_have_the_nearest(server, client):
    explorer = server.explorer
    hashes = explorer.rows.dags.hashes()
    for row in range(0, len(explorer.rows), 9):
        value = client.post("/row", {"row": row}).value
        near = value["neighbour"]
        np.testing.assert_allclose(value["z"], explorer.rows.mean[row])
        assert near["same"] == (value["hash"] in hashes)
        if near["same"]:
            assert hashes[near["row"]] == value["hash"]
        else:
            distances = np.linalg.norm(explorer.rows.mean - np.array(value["z"]), axis=1)
            assert near["row"] == distances.argmin() == row
            assert near["distance"] == pytest.approx(distances.min(), abs=1e-12)
        assert near["performance"] == explorer.rows.performance[near["row"]]
        assert near["complexity"]["params"] == explorer.rows.complexity[near["row"], 0]


def test_a_network_of_the_table_is_recognised(server):
    explorer = server.explorer
    point = explorer.rows.mean[7] + 100.0
    near = explorer._neighbour(explorer.rows.dags[7], point, nearest=3)
    assert (near["row"], near["same"]) == (7, True)
    assert near["distance"] == pytest.approx(100 * np.sqrt(explorer.width))


def test_between_two_points_lie_both_ends_and_the_middle(client):
    a = client.post("/decode", {"x": -2, "y": 0}).value
    b = client.post("/decode", {"x": 2, "y": 1}).value
    answers = client.post("/interpolate", {"start": a["z"], "end": b["z"], "count": 5}).value
    assert len(answers) == 5
    assert [answers[0]["hash"], answers[-1]["hash"]] == [a["hash"], b["hash"]]
    np.testing.assert_allclose(answers[2]["z"], (np.array(a["z"]) + b["z"]) / 2, atol=1e-12)
    assert answers[2]["x"] == pytest.approx(0, abs=1e-9)


def test_a_search_climbs_the_prediction_less_the_weighed_complexity(server, client):
    explorer = server.explorer
    start = client.post("/decode", {"x": 0, "y": 0}).value

    def climbed(weight):
        body = {"start": start["z"], "weight": weight, "steps": 20, "column": 0}
        return client.post("/search", body).value

    free, bound = climbed(0.0), climbed(3.0)
    np.testing.assert_allclose(free[0]["z"], start["z"], rtol=1e-5)
    assert len(free) == 11
    assert free[-1]["predicted"] > start["predicted"]
    spread = np.std(explorer.rows.performance[: explorer.rows.num_train])
    cost = np.std(explorer.rows.complexity[: explorer.rows.num_train, 0])

    def score(value):
        return value["predicted"] / spread - 3 * value["predicted_complexity"]["params"] / cost

    assert score(bound[-1]) > score(bound[0])
    ends = [answers[-1]["predicted_complexity"]["params"] for answers in (free, bound)]
    assert ends[1] < ends[0]


def test_the_map_has_the_rows_where_their_points_are(server, client):
    value = client.ask("GET", "/map").value
    explorer = server.explorer
    assert value["names"]["complexity"] == ["params", "macs"]
    assert value["table"]["total"] == len(value["table"]["graphs"]) == len(explorer.rows)
    assert value["can_search"] is True
    assert value["table"]["graphs"] == codes_of(explorer.rows.dags)
