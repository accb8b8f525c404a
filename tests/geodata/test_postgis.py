"""PostGIS: what needs no server runs always, the rest against a real one on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from shapely.geometry import Polygon

from geodata.errors import CrsError, DataError
from geodata.postgis import _quoted, read_postgis
from geodata.spec_source import DatabaseSpec

PASSWORD = "s3cr3t@:/% '密"
ENV = "PLANNER_TEST_DB_PASSWORD"
USERS = ("postgres", "nobody")


def spec(port: int, **more: Any) -> DatabaseSpec:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": port, "database": "land", "user": "reader"}
    if "query" not in more:
        given["table"] = "parcels"
    return DatabaseSpec(**(given | {"password_env": ENV} | more))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class TestWithoutServer:
    @pytest.mark.parametrize(
        ("table", "quoted"),
        [
            ("parcels", '"parcels"'),
            ("public.地块", '"public"."地块"'),
            ('gis."a.b"', '"gis"."a.b"'),
            ("x; DROP TABLE y", '"x; DROP TABLE y"'),
            ('"say ""hi"""', '"say ""hi"""'),
        ],
    )
    def test_names_are_quoted(self, table: str, quoted: str) -> None:
        assert _quoted(table, "db") == quoted

    @pytest.mark.parametrize("table", ["a.b.c", 'a"b', "", ".a", 'x" AS q; DELETE FROM y; --'])
    def test_names_that_are_none(self, table: str) -> None:
        with pytest.raises(DataError, match=r"schema\.table"):
            _quoted(table, "db")

    @pytest.mark.parametrize(
        "query", ["DELETE FROM parcels", "-- SELECT\nUPDATE x SET y = 1", "/* SELECT */ DROP TABLE x"]
    )
    def test_only_a_select_is_sent(self, query: str) -> None:
        with pytest.raises(DataError, match="expected a SELECT"):
            read_postgis(spec(1, query=query), "db")

    def test_no_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENV, PASSWORD)
        with pytest.raises(DataError, match=rf"land at 127\.0\.0\.1.*{ENV}, which is set") as caught:
            read_postgis(spec(free_port()), "db")
        assert_secret(caught.value)

    def test_missing_packages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
        with pytest.raises(DataError, match=r"psycopg is not installed.*land-consolidation-planner\[postgis\]"):
            read_postgis(spec(1), "db")


def assert_secret(error: BaseException) -> None:
    """Neither the message nor anything that hangs on to the error shows the password."""
    shown = "".join(traceback.format_exception(error))
    assert PASSWORD not in shown and "s3cr3t" not in shown
    chained: BaseException | None = error
    while chained is not None:
        assert isinstance(chained, DataError)
        chained = chained.__cause__ or chained.__context__


SETUP = """
CREATE EXTENSION postgis;
CREATE ROLE reader LOGIN PASSWORD {password};
CREATE TABLE parcels (id bigint, n int, name text, big numeric(20, 0), tax numeric(12, 2), ok boolean, on_day date,
    geom geometry(Polygon, 4526));
INSERT INTO parcels VALUES
    (441900001001000123, 7, '地块 100%', 44190000100100012345, 1.25, true, '2020-01-02',
     ST_GeomFromText('POLYGON((38500000 2500000, 38500100 2500000, 38500100 2500100, 38500000 2500000))', 4526)),
    (441900001001000124, -1, 'x', 1, 'NaN', false, NULL, ST_GeomFromText('POLYGON EMPTY', 4526)),
    (441900001001000125, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE "地块 表" (编号 text, 形状 geometry(PolygonZ, 4490));
INSERT INTO "地块 表" VALUES ('A1', ST_GeomFromText('POLYGON Z((113 23 5, 113.1 23 5, 113 23.1 5, 113 23 5))', 4490));
CREATE TABLE nowhere (id int, geom geometry);
INSERT INTO nowhere VALUES (1, ST_GeomFromText('POINT(1 2)'));
CREATE TABLE mixed (id int, geom geometry);
INSERT INTO mixed VALUES (1, ST_GeomFromText('POINT(1 2)', 4490)), (2, ST_GeomFromText('POINT(1 2)', 4326));
CREATE TABLE curved (geom geometry);
INSERT INTO curved VALUES (ST_GeomFromText('CURVEPOLYGON(CIRCULARSTRING(0 0, 4 0, 4 4, 0 4, 0 0))', 4490));
CREATE TABLE hollow (id int, geom geometry(Polygon, 4490));
CREATE TABLE plain (id int);
CREATE SEQUENCE counter;
GRANT ALL ON counter TO reader;
CREATE TABLE secret (id int, geom geometry(Polygon, 4490));
CREATE TABLE strange (id int, geom geometry);
INSERT INTO spatial_ref_sys (srid, srtext) SELECT 990001, srtext FROM spatial_ref_sys WHERE srid = 4547;
INSERT INTO spatial_ref_sys (srid, srtext) VALUES (990002, 'nonsense');
INSERT INTO strange VALUES (1, ST_GeomFromText('POINT(500000 2500000)', 990001));
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
GRANT INSERT, UPDATE, DELETE ON parcels TO reader;
REVOKE ALL ON secret FROM reader;
"""


def unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def server_program(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    return next(filter(None, (shutil.which(name, path=str(p)) for p in folders)), None) or shutil.which(name)


def unprivileged() -> dict[str, Any]:
    """Whom to start the server as: it refuses root."""
    if os.name != "posix" or os.getuid() != 0:
        return {}
    import pwd  # noqa: PLC0415  (POSIX only)

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next((known[name] for name in USERS if name in known), None)
    if user is None:
        unavailable("no unprivileged user to start PostgreSQL as")
    assert user is not None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Port of a server of our own on loopback, with the tables of `SETUP`; stopped and removed at the end."""
    initdb, postgres = server_program("initdb"), server_program("postgres")
    if initdb is None or postgres is None:
        unavailable("no PostgreSQL server found (Debian: apt-get install postgresql postgresql-postgis)")
    assert initdb is not None and postgres is not None
    who = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="planner-postgis-"))
    server = None
    try:
        (folder / "owner").write_text("owner", encoding="utf-8")
        if who:
            for path in (folder, folder / "owner"):
                os.chown(path, who["user"], who["group"])
        data = folder / "data"
        command = [initdb, "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", folder / "owner", "-E", "UTF8"]
        subprocess.run([*command, "--no-locale", "-N"], check=True, capture_output=True, cwd=folder, **who)
        number = free_port()
        options = ["listen_addresses=127.0.0.1", f"port={number}", "unix_socket_directories=", "fsync=off"]
        flags = [part for option in options for part in ("-c", option)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([postgres, "-D", data, *flags], stdout=log, stderr=log, cwd=folder, **who)
        prepare(number)
        yield number
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # fast shutdown
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder)


def prepare(port: int) -> None:
    connection = connect(port)
    with connection:
        found = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'").fetchone()
        if found is None:
            unavailable("no PostGIS for this PostgreSQL (Debian: apt-get install postgresql-postgis)")
        connection.execute("CREATE DATABASE land")
    with psycopg.connect(f"host=127.0.0.1 port={port} dbname=land user=owner password=owner") as land:
        literal = psycopg.sql.Literal(PASSWORD).as_string(land)
        land.execute(SETUP.format(password=literal).encode())


def connect(port: int) -> psycopg.Connection[Any]:
    end = time.monotonic() + 30
    while True:
        try:
            address = f"host=127.0.0.1 port={port} dbname=postgres user=owner password=owner"
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.mark.slow
class TestServer:
    @pytest.fixture(autouse=True)
    def _password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENV, PASSWORD)

    @pytest.mark.parametrize("given", [{}, {"table": "public.parcels"}, {"query": "SELECT * FROM parcels -- all;"}])
    def test_a_table_with_gaps_keeps_its_numbers(self, port: int, given: dict[str, Any]) -> None:
        gdf = read_postgis(spec(port, **given), "db").sort_values("id").reset_index(drop=True)
        assert gdf.crs.to_epsg() == 4526
        assert gdf["id"].tolist() == [441900001001000123, 441900001001000124, 441900001001000125]
        assert {name: str(gdf[name].dtype) for name in ("id", "n", "tax", "ok")} == {
            "id": "Int64",
            "n": "Int64",
            "tax": "Float64",
            "ok": "boolean",
        }
        assert gdf["n"].isna().tolist() == [False, False, True]
        assert gdf["tax"].isna().tolist() == [False, True, True]
        assert gdf.loc[0, ["n", "name", "big", "tax"]].tolist() == [7, "地块 100%", "44190000100100012345", 1.25]
        assert str(gdf.loc[0, "on_day"]) == "2020-01-02"
        assert gdf.columns[-1] == "geometry" and gdf.geometry.isna().tolist() == [False, False, True]
        ring = [(38500000, 2500000), (38500100, 2500000), (38500100, 2500100)]
        assert gdf.geometry[0].equals(Polygon(ring))

    def test_chinese_names_and_plane_geometry(self, port: int) -> None:
        gdf = read_postgis(spec(port, table="public.地块 表", geometry="形状"), "db")
        assert gdf["编号"].tolist() == ["A1"] and not gdf.has_z.any() and gdf.crs.to_epsg() == 4490

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT id, geom FROM parcels WHERE name LIKE '%100%%' AND 'a:b' <> ':c'",
            "WITH p AS (SELECT * FROM parcels WHERE n = 7) SELECT id, geom FROM p;",
        ],
    )
    def test_signs_in_a_query_are_left_alone(self, port: int, query: str) -> None:
        assert read_postgis(spec(port, query=query), "db")["id"].tolist() == [441900001001000123]

    @pytest.mark.parametrize(
        ("given", "match"),
        [
            ({"table": "Parcels"}, r"no table Parcels.*public\.parcels"),
            ({"table": "nope"}, "no table nope"),
            ({"table": "plain"}, "no geometry column geom.*a table with a geometry column"),
            ({"geometry": "shape"}, "no geometry column shape.*one of: geom"),
            ({"table": "hollow"}, "no rows"),
            ({"table": "secret"}, "no permission"),
            ({"table": "curved"}, "ST_CurveToLine"),
            ({"query": "SELECT 1 AS id"}, "no geometry column"),
            ({"query": "SELECT id, geom, geom FROM parcels"}, "several columns called geom"),
            ({"query": "SELECT id AS geometry, geom FROM parcels"}, "several columns called geometry"),
            ({"query": "SELECT id, NULL::geometry AS geom FROM parcels"}, "no geometry in any row"),
            ({"query": "SELECT * FROM nope"}, "does not exist"),
            ({"query": "SELECT * FROM parcels WHERE"}, "does not understand"),
            ({"query": "SELECT 1) AS q; DELETE FROM parcels; --"}, "does not understand"),
            ({"query": "WITH d AS (DELETE FROM parcels RETURNING *) SELECT * FROM d"}, "more than read"),
            ({"query": "SELECT *, set_config('transaction_read_only', 'off', true) FROM nope"}, "does not exist"),
            ({"database": "nope"}, "nope"),
            ({"user": "nobody"}, "nobody"),
            ({"query": "SELECT id, ST_SetSRID(geom, 990002) AS geom FROM parcels"}, "SRID 990002"),
        ],
    )
    def test_refusals(self, port: int, given: dict[str, Any], match: str) -> None:
        with pytest.raises(DataError, match=match) as caught:
            read_postgis(spec(port, **given), "db")
        assert len(caught.value.issues) == 1
        assert "s3cr3t" not in str(caught.value)

    def test_nothing_was_written(self, port: int) -> None:
        with pytest.raises(DataError, match="changes the database"):
            read_postgis(spec(port, query="SELECT nextval('counter') AS id, geom FROM parcels"), "db")
        assert len(read_postgis(spec(port), "db")) == 3

    @pytest.mark.parametrize("password", ["wrong", None])
    def test_wrong_password(self, port: int, password: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        if password is None:
            monkeypatch.delenv(ENV)
        else:
            monkeypatch.setenv(ENV, password + PASSWORD)
        with pytest.raises(DataError, match=f"{ENV}, which is {'not set' if password is None else 'set'}") as caught:
            read_postgis(spec(port), "db")
        assert_secret(caught.value)

    def test_srids(self, port: int) -> None:
        with pytest.raises(CrsError, match="SRID 0"):
            read_postgis(spec(port, table="nowhere"), "db")
        assert read_postgis(spec(port, table="nowhere"), "db", needs_crs=False).crs is None
        with pytest.raises(CrsError, match="several SRIDs: 4326, 4490"):
            read_postgis(spec(port, table="mixed"), "db")
        crs = read_postgis(spec(port, table="strange"), "db").crs
        assert crs.is_projected and "CM 114E" in crs.name

    def test_time_limit(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("geodata.postgis._STATEMENT_S", 0.2)
        with pytest.raises(DataError, match="no answer within"):
            read_postgis(spec(port, query="SELECT pg_sleep(20), geom FROM parcels"), "db")
