"""What `connector guide` prints is taken by whom it is for: systemd and Prometheus."""

import re
import subprocess
from pathlib import Path

import httpx2
import pytest

from connector.dialects import signing
from tests.peers.programs import Connector

EXPOSURE_AT_MOST = 3.0
"""Of ten, by systemd's own count; an unprotected service has 9.6."""

SERIES = """
rule_files: [connector.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="connector", instance="a"}', values: '0x20'}
      - {series: 'connector_portal_grant_lost{portal="1"}', values: '0 1x20'}
      - {series: 'connector_portal_grant_lost{portal="2"}', values: '0x20'}
      - {series: 'connector_outbox_oldest_seconds', values: '1900x20'}
      - {series: 'connector_portal_outbox{portal="1", state="dead"}', values: '2x20'}
      - {series: 'connector_phone_system_silent{phone_system="paris"}', values: '1x20'}
      - {series: 'connector_last_delivery_look_timestamp_seconds', values: '0x20'}
      - {series: 'connector_database_up', values: '0x20'}
      - {series: 'connector_portal_credits_left{portal="1"}', values: '100x20'}
      - {series: 'connector_answers_total{status="2xx"}', values: '0+10x20'}
      - {series: 'connector_answers_total{status="5xx"}', values: '0+5x20'}
      - {series: 'connector_clock_ahead_seconds{instance="a"}', values: '-30x20'}
      - {series: 'connector_disk_free_ratio{instance="a"}', values: '0.05x20'}
      - {series: 'connector_mails_total{outcome="failed"}', values: '0+1x20'}
      - {series: 'connector_ack_seconds_bucket{le="1"}', values: '0x20'}
      - {series: 'connector_ack_seconds_bucket{le="2.5"}', values: '0+9x20'}
      - {series: 'connector_ack_seconds_bucket{le="+Inf"}', values: '0+9x20'}
      - {series: 'connector_look_up_seconds_bucket{le="2.5"}', values: '0x20'}
      - {series: 'connector_look_up_seconds_bucket{le="5"}', values: '0+9x20'}
      - {series: 'connector_look_up_seconds_bucket{le="+Inf"}', values: '0+9x20'}
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{alertstate="firing"})
        eval_time: 20m
        exp_samples:
"""


@pytest.fixture
def connector(tmp_path: Path) -> Connector:
    """Have a connector that is not served yet."""
    return Connector(tmp_path, signing.new_secret(), PUBLIC_URL="https://calls.example.com/desk")


def ran(*command: str | Path) -> str:
    """Run a program that must be content, and return all it says."""
    done = subprocess.run(  # noqa: S603 - named by tests
        list(map(str, command)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("words", [(), ("--deliver",)])
def test_systemd_takes_the_unit(peers: Path, connector: Connector, words: tuple[str, ...]) -> None:
    """It finds nothing to say against it, and counts it as well protected."""
    unit = connector.folder / "connector-under-test.service"
    unit.write_text(connector.run("guide", "systemd", *words), encoding="utf-8")
    assert "connector-under-test" not in ran("systemd-analyze", "verify", "--man=no", unit)
    told = ran("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= EXPOSURE_AT_MOST


def test_promtool_takes_alerts_and_configuration(peers: Path, connector: Connector) -> None:
    """The alerts are rules, the configuration names them, and each fires for what it is about."""
    rules, config = (connector.folder / name for name in ("connector.yml", "prometheus.yml"))
    rules.write_text(connector.run("guide", "prometheus"), encoding="utf-8")
    config.write_text(connector.run("guide", "prometheus", "--scrape"), encoding="utf-8")
    assert "SUCCESS: 14 rules found" in ran(peers / "promtool", "check", "rules", rules)
    ran(peers / "promtool", "check", "config", config)
    names = re.findall(r"alert: (\w+)", rules.read_text(encoding="utf-8"))
    expected = "\n".join(f"          - {{labels: '{{alertname=\"{name}\"}}', value: 1}}" for name in names)
    series = connector.folder / "test.yml"
    series.write_text(SERIES + expected, encoding="utf-8")
    ran(peers / "promtool", "test", "rules", series)


def test_promtool_takes_the_figures(peers: Path, connector: Connector) -> None:
    """A real scrape has nothing that Prometheus's own linter minds."""
    with connector.serving():
        told = httpx2.get(f"http://127.0.0.1:{connector.port}/metrics", trust_env=False).text
    done = subprocess.run(  # noqa: S603 - promtool
        [peers / "promtool", "check", "metrics"], input=told, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
