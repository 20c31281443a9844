"""Microseconds to decode one message of each common foreign shape; of a SenML pack, one record.

python -m tests.benchmarks.dialects
"""

from timeit import repeat

from gateway.dialects import DIALECTS, Decoder
from tests.gateway.dialects.vectors import NOW, cases, decoder

ROUNDS, REPEATS = 20_000, 5
LIMIT_US = 5.0


def measure(rounds: int = ROUNDS) -> list[tuple[float, str, str]]:
    """(µs, dialect, case) for the longest readable state message of each vector case."""
    costs = []
    for dialect in DIALECTS:
        for case in cases(dialect):
            bound = decoder(dialect, case)
            for message in case["messages"]:
                if "refused" not in message:
                    bound.decode(message["topic"], message["payload"].encode(), NOW)
            stated = [said for said in case["messages"] if said.get("signals")]
            live = [said for said in stated if said["topic"] in bound.filters]
            if live:
                longest = max(live, key=lambda message: len(message["payload"]))
                records = longest["payload"].count('"n"') if dialect == "senml" else 1
                costs.append((_cost_us(bound, longest, rounds) / records, dialect, case["name"]))
    return costs


def _cost_us(bound: Decoder, message: dict[str, str], rounds: int) -> float:
    topic, payload = message["topic"], message["payload"].encode()
    return min(repeat(lambda: bound.decode(topic, payload, NOW), number=rounds, repeat=REPEATS)) / rounds * 1e6


def main() -> None:
    for cost, dialect, name in measure():
        print(f"{cost:6.2f} µs  {'' if cost <= LIMIT_US else 'OVER '}{dialect}: {name}")


if __name__ == "__main__":
    main()
