"""Import and export of 100,000 organizations: how long they take, and the memory they need."""
import tree
from installation import Memory, installations

ROWS = 100_000
IMPORT_SECONDS_MAX = 10
EXPORT_SECONDS_MAX = 4
MIB_MAX = 150
# A larger file is not taken.
FILE_BYTES_MAX = 16 * 1024 * 1024


def row(subject, numbers, seconds_max):
    is_good = numbers["seconds"] <= seconds_max and numbers["both_mib"] <= MIB_MAX
    print(
        f"{subject:24}{numbers['seconds']:8.2f} s{numbers['service_mib']:9.1f}"
        f"{numbers['child_mib']:9.1f}{numbers['both_mib']:9.1f} MiB"
        f"   wanted {seconds_max} s, {MIB_MAX} MiB: {'yes' if is_good else 'NO'}")


def main():
    installation, = installations()
    file = tree.districts(0, ROWS // tree.DISTRICT_SIZE)
    installation.settle()
    found = {}

    def measure(subject, body):
        with Memory(installation) as memory:
            result = body()
        found[subject] = memory.numbers
        installation.record("import", subject, **memory.numbers)
        return result

    planned = measure("plan", lambda: installation.plan(file))
    assert int(planned["createdCount"]) == ROWS, planned
    measure("apply", lambda: installation.apply(planned["id"]))
    followed = installation.settle()
    installation.record("import", "followed by the other services", seconds=round(followed, 1))
    for form in ("xlsx", "csv"):
        path = f"/v1/organizations:export?format={form}"
        exported = measure(f"export {form}", lambda: installation.http("GET", path))
        installation.record("import", f"exported {form}", bytes=len(exported))
        if len(exported) > FILE_BYTES_MAX:
            continue
        again = measure(f"plan of that {form}", lambda: installation.plan(exported))
        changes = [int(again.get(name, 0)) for name in ("createdCount", "updatedCount")]
        assert changes == [0, 0] and int(again["unchangedCount"]) == ROWS, again

    both = {
        name: found["plan"][name] + found["apply"][name] if name == "seconds"
        else max(found["plan"][name], found["apply"][name])
        for name in found["plan"]
    }
    print(f"\n{ROWS:,} organizations           time  service    child     both, above idle")
    row("import: plan + apply", both, IMPORT_SECONDS_MAX)
    for form in ("xlsx", "csv"):
        row(f"export {form}", found[f"export {form}"], EXPORT_SECONDS_MAX)
        if again := found.get(f"plan of that {form}"):
            row(f"plan of that {form}", again, IMPORT_SECONDS_MAX)
        else:
            print(f"plan of that {form:12} not possible: the file is larger than an import may be")


main()
