"""The maintainer's command that resolves the engines with jgo and writes their lock; run by scripts/lock.

jgo resolves as Maven does, but for a few transitive versions; hence it is asked once, and the exact list is kept.
"""

import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from questlog.errors import QuestlogError, SetupError
from questlog.settings import Settings
from questlog.stack.download import TIMEOUT, WORKERS, default_repositories, file_sha256, new_session
from questlog.stack.lockfile import ENGINES_LOCK, Artifact, write_lock

KAFKA = "4.1.1"
LOG4J = "2.24.3"  # the version that Kafka depends on
HADOOP = "3.4.2"
SLF4J = "1.7.36"  # the version that Hadoop depends on
HIVE = "3.1.3"  # the newest that both Spark and Presto speak to
POSTGRESQL_DRIVER = "42.7.14"
PRESTO = "0.287"
SPARK = "4.2.0"
BYTEMAN = "4.0.27"

RESOLVED = {
    "kafka": (f"org.apache.kafka:kafka_2.13:{KAFKA}",),
    "hdfs": tuple(
        f"org.apache.hadoop:{name}:{HADOOP}" for name in ("hadoop-hdfs", "hadoop-hdfs-client", "hadoop-common")
    ),
    "presto": (f"com.facebook.presto:presto-main:{PRESTO}",),
    "spark-kafka": (f"org.apache.spark:spark-sql-kafka-0-10_2.13:{SPARK}",),
}
AS_THEY_ARE = {
    # Kafka brings log4j but not the bridge to it, and without that it says nothing, not even why it dies. The bridge is
    # no root to resolve, for jgo lets each root govern versions: this one would take Kafka's client back to 3.8.
    "kafka": (f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",),
    "hdfs": (f"org.slf4j:slf4j-reload4j:{SLF4J}",),  # the same for Hadoop
    "metastore": (
        f"org.apache.hive:hive-standalone-metastore:{HIVE}:tar.gz:bin",
        "commons-collections:commons-collections:3.2.2",  # Hadoop 3.4 no longer brings it
        f"org.postgresql:postgresql:{POSTGRESQL_DRIVER}",  # for a metastore_db_url
    ),
    "presto-hive": (f"com.facebook.presto:presto-hive-hadoop2:{PRESTO}:zip",),
    "byteman": (f"org.jboss.byteman:byteman:{BYTEMAN}",),  # keeps servers on loopback that cannot be told to
}


def resolve(context: MavenContext, coordinates: Iterable[str], keep: Callable[[str, str], bool]) -> list[str]:
    """The coordinates themselves and all that they need at run time, for which `keep` (group, artifact) says yes."""
    found, more = context.resolver.resolve([context.create_dependency(coordinate) for coordinate in coordinates])
    needed = [dependency for dependency in (*found, *more) if dependency.scope not in ("test", "provided")]
    return sorted({_coordinate(dependency) for dependency in needed if keep(dependency.groupId, dependency.artifactId)})


def pin(coordinates: Iterable[str], folder: Path) -> list[Artifact]:
    """Download each file into `folder`, a Maven repository's layout, and note its size and checksum.

    Raises:
        SetupError: a file is in no repository, or is not what the repository's own checksum says.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda coordinate: _pin(coordinate, folder), coordinates))


def main(arguments: list[str]) -> int:
    """Write the lock; `arguments` may be --help."""
    if arguments:
        print("usage: python -m questlog.stack.lock\n\nResolves the engines' artifacts and writes locks/engines.toml.")
        return 0 if arguments[0] in ("-h", "--help") else 2
    folder = Settings.load().cache_dir / "maven"
    context = MavenContext(repo_cache=folder.with_name("poms"), timeout=TIMEOUT[1])
    engines = dict(AS_THEY_ARE)
    for engine, roots in RESOLVED.items():
        print(f"resolving {engine}", flush=True)
        keep = _beside_spark() if engine == "spark-kafka" else _all
        engines[engine] = (*engines.get(engine, ()), *resolve(context, roots, keep))
    print(f"fetching {sum(map(len, engines.values()))} files for their checksums", flush=True)
    write_lock(ENGINES_LOCK, {engine: pin(coordinates, folder) for engine, coordinates in engines.items()})
    return 0


def _all(group: str, name: str) -> bool:
    return True


def _beside_spark() -> Callable[[str, str], bool]:
    """Keeps what pyspark does not carry itself, in whatever version: two versions on one class path clash."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SetupError("pyspark is not installed: run scripts/setup first.")
    jars = (Path(spec.origin).parent / "jars").glob("*.jar")
    carried = {re.sub(r"-\d.*$", "", jar.stem) for jar in jars}
    return lambda group, name: group not in ("org.apache.hadoop", "org.scala-lang") and name not in carried


def _coordinate(dependency: Dependency) -> str:
    parts = [dependency.groupId, dependency.artifactId, dependency.version]
    if dependency.classifier or dependency.type != "jar":
        parts += [dependency.type, dependency.classifier]
    return ":".join(filter(None, parts))


def _pin(coordinate: str, folder: Path) -> Artifact:
    relative = Artifact(coordinate, "", 0).path
    file = folder / relative
    if not file.exists():
        _download(relative, file)
    return Artifact(coordinate, file_sha256(file), file.stat().st_size)


def _download(relative: Path, file: Path) -> None:
    """Fetch from the first repository that has it, and compare with the SHA-1 that every Maven repository keeps."""
    for repository in default_repositories():
        url = f"{repository}/{relative.as_posix()}"
        with new_session() as session:
            response = session.get(url, timeout=TIMEOUT)
            told = session.get(f"{url}.sha1", timeout=TIMEOUT).text.split()[:1]
        if response.ok:
            if told != [hashlib.sha1(response.content, usedforsecurity=False).hexdigest()]:
                raise SetupError(f"{url} does not have the SHA-1 that the repository tells, {told!r}: try again.")
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_name(f"{file.name}.part")
            part.write_bytes(response.content)
            part.replace(file)
            return
    raise SetupError(f"{relative} is in none of the Maven repositories that jgo knows.")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except QuestlogError as error:
        sys.exit(f"lock: {error}")
