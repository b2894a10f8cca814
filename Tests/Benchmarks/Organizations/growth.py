"""What calls cost at 10,000 and at 1,000,000 organizations, and moves of a subtree of 1,000."""
import random
import statistics
import time

import tree
from guildhall.membership.v1 import membership_pb2
from guildhall.organizations.v1 import organizations_pb2
from installation import installations

SIZES = [10_000, 1_000_000]
ROWS_OF_A_FILE = 100_000
SERVICE = "guildhall.organizations.v1.Organizations"
# The sizes are measured in turn, in so many rounds; of each the median round counts.
ROUNDS = 5
# How long a call is repeated in a round, how often at most, and how often before it is measured.
SECONDS_EACH = 0.6
CALLS_MAX = 1_000
WARM_UP = 20
PAGE = 50
WALKED_PAGE = 500
# How many organizations lie before the page that is far back; fewer where there are fewer.
FAR = 100_000
GET_RATIO_MAX = 1.2
LIST_RATIO_MAX = 2
MOVED = 1_000
MOVES = 20
MOVE_MILLISECONDS_MAX = 50
# Places in the tree that the moved subtree hangs at in turn.
COUNTY, OTHER = "Moving County", "Other County"
ORDERS = {"order of changes": "", "by title": "title", "by members": "members desc"}
# Parts of titles, and who has them.
PARTS = {
    "class": "nine in ten have it", "school": "one in eleven has it",
    "district": "one in a hundred has it", "cl": "two characters, nine in ten",
    "qz": "two characters, none",
}


class Hall:
    """An installation with so many organizations."""

    def __init__(self, installation, size):
        self.installation = installation
        self.size = size
        self.caller = installation.caller("organizations")
        self.ids = []
        self.districts = 0
        self.random = random.Random(1)

    # MARK: Data

    def import_file(self, file):
        planned = self.installation.plan(file)
        self.installation.apply(planned["id"])
        return int(planned["createdCount"])

    def fill(self):
        start = time.monotonic()
        # The subtree that moves, and where to.
        rows = [[COUNTY]] + [[COUNTY, f"School of the county {i}"] for i in range(1, MOVED)]
        count = self.import_file(tree.workbook(rows + [[OTHER]]))
        while (left := (self.size - count) // tree.DISTRICT_SIZE) > 0:
            districts = min(left, ROWS_OF_A_FILE // tree.DISTRICT_SIZE)
            count += self.import_file(tree.districts(self.districts, districts))
            self.districts += districts
            print(f"  {count:,} organizations", flush=True)
        filled = time.monotonic() - start
        followed = self.installation.settle()
        self.installation.record(
            "growth", "filled", organizations=self.size, seconds=round(filled, 1),
            followed_seconds=round(followed, 1))

    # MARK: Calls

    def page(self, **fields):
        return self.caller.call(
            f"{SERVICE}/ListOrganizations", organizations_pb2.ListOrganizationsRequest(**fields),
            organizations_pb2.ListOrganizationsReply)

    def get(self):
        self.caller.call(
            f"{SERVICE}/GetOrganization",
            organizations_pb2.GetOrganizationRequest(id=self.random.choice(self.ids)),
            organizations_pb2.Organization)

    def search_rare(self):
        number = self.random.randrange(self.districts)
        reply = self.page(page_size=PAGE, subtree=True, q=f"{number:05d}-7")
        assert len(reply.organizations) == 1 + tree.CLASSES, reply

    def far_token(self, **fields):
        """The token of a page far back, found by following tokens."""
        token = ""
        for _ in range(FAR // WALKED_PAGE):
            reply = self.page(page_size=WALKED_PAGE, page_token=token, **fields)
            self.ids += [organization.id for organization in reply.organizations]
            # The last page would not be full.
            if not reply.next_page_token or len(reply.organizations) < WALKED_PAGE:
                break
            before, token = token, reply.next_page_token
        else:
            return token
        return before

    def reads(self):
        """Every read that is measured, by what it is called."""
        def listed(**fields):
            return lambda: self.page(page_size=PAGE, **fields)

        found = {"get": self.get}
        for name, order in ORDERS.items():
            far = self.far_token(subtree=True, order_by=order)
            found[f"roots, {name}"] = listed(order_by=order)
            found[f"all, {name}"] = listed(subtree=True, order_by=order)
            found[f"all, {name}, far back"] = listed(
                subtree=True, order_by=order, page_token=far)
        found["search, 11 have it"] = self.search_rare
        for part, share in PARTS.items():
            found[f"search, {share}"] = listed(subtree=True, q=part)
        return found

    def round(self, body):
        """One round of one read: its p50, p99 and processor time, in microseconds."""
        for _ in range(WARM_UP):
            body()
        latencies = []
        end = time.monotonic() + SECONDS_EACH
        before = self.installation.processor_seconds("organizations")
        while time.monotonic() < end and len(latencies) < CALLS_MAX:
            start = time.perf_counter()
            body()
            latencies.append(time.perf_counter() - start)
        service = self.installation.processor_seconds("organizations") - before
        latencies.sort()
        return {
            "p50_us": latencies[len(latencies) // 2] * 1e6,
            "p99_us": latencies[len(latencies) * 99 // 100] * 1e6,
            "service_us": service / len(latencies) * 1e6,
        }

    # MARK: Moves

    def moves(self, state):
        county, other = (
            next(
                found.id for found in self.page(q=title.lower(), page_size=PAGE).organizations
                if found.title == title)
            for title in (COUNTY, OTHER))
        latencies = []
        for number in range(MOVES):
            start = time.perf_counter()
            self.caller.change(
                f"{SERVICE}/MoveOrganization",
                organizations_pb2.MoveOrganizationRequest(
                    id=county, new_parent_id="" if number % 2 else other,
                    to_root=number % 2 == 1),
                organizations_pb2.MoveOrganizationReply)
            latencies.append(time.perf_counter() - start)
        numbers = {
            "p50_ms": round(statistics.median(latencies) * 1e3, 1),
            "highest_ms": round(max(latencies) * 1e3, 1),
        }
        self.installation.record(
            "growth", f"move, {state}", organizations=self.size, moves=MOVES, **numbers)
        is_good = numbers["p50_ms"] <= MOVE_MILLISECONDS_MAX
        return (
            f"move, {state} at {self.size:,}: {numbers['p50_ms']} ms, at most"
            f" {numbers['highest_ms']} ms; wanted {MOVE_MILLISECONDS_MAX} ms:"
            f" {'yes' if is_good else 'NO'}")

    def add_members(self):
        """One for each organization that moves."""
        membership = self.installation.caller("membership")
        county = next(
            found.id for found in self.page(q=COUNTY.lower(), page_size=PAGE).organizations
            if found.title == COUNTY)
        schools = [county]
        token = ""
        while True:
            reply = self.page(parent=county, page_size=WALKED_PAGE, page_token=token)
            schools += [school.id for school in reply.organizations]
            token = reply.next_page_token
            if not token:
                break
        assert len(schools) == MOVED, len(schools)
        for number, school in enumerate(schools):
            membership.change(
                "guildhall.membership.v1.Membership/AddMember",
                membership_pb2.AddMemberRequest(
                    organization_id=school, email=f"person{number}@people.example",
                    name=f"Person {number}"),
                membership_pb2.Member)
        self.installation.settle()


def measure(halls):
    """Every read at every size; answers lists of sizes by read."""
    reads = [hall.reads() for hall in halls]
    costs = {}
    for subject in reads[0]:
        rounds = [[] for _ in halls]
        for _ in range(ROUNDS):
            for hall, read, found in zip(halls, reads, rounds):
                found.append(hall.round(read[subject]))
        costs[subject] = [
            {key: round(statistics.median(one[key] for one in found)) for key in found[0]}
            for found in rounds]
        for hall, numbers in zip(halls, costs[subject]):
            hall.installation.record("growth", subject, organizations=hall.size, **numbers)
    return costs


def report(costs, moves):
    small, large = SIZES
    print(
        f"\n{'':36}{'µs at ' + format(small, ','):>26}{'at ' + format(large, ','):>26}"
        f"{'times':>14}\n{'':36}" + f"{'p50':>8}{'p99':>9}{'service':>9}" * 2
        + f"{'p50':>7}{'service':>9}")
    for subject, sizes in costs.items():
        line = f"{subject:36}"
        for numbers in sizes:
            line += f"{numbers['p50_us']:8}{numbers['p99_us']:9}{numbers['service_us']:9}"
        ratios = [sizes[1][key] / sizes[0][key] for key in ("p50_us", "service_us")]
        limit = GET_RATIO_MAX if subject == "get" else LIST_RATIO_MAX
        line += "".join(f"{ratio:8.2f}" for ratio in ratios)
        print(f"{line}   wanted {limit}: {'yes' if ratios[1] <= limit else 'NO'}")
    print("\n".join(moves))


def main():
    halls = [Hall(*pair) for pair in zip(installations(), SIZES)]
    for hall in halls:
        hall.fill()
    costs = measure(halls)
    moves = [halls[0].moves("no members")]
    for hall in halls:
        hall.add_members()
        moves.append(hall.moves("1,000 members"))
    report(costs, moves)


main()
