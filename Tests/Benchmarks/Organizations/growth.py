"""What calls cost at 10,000 and at 1,000,000 organizations, and moves of a subtree of 1,000."""
import random
import statistics
import time

import tree
from guildhall.membership.v1 import membership_pb2
from guildhall.organizations.v1 import organizations_pb2
from installation import Installation

SIZES = [10_000, 1_000_000]
ROWS_OF_A_FILE = 100_000
SERVICE = "guildhall.organizations.v1.Organizations"
# How long a call is repeated, how often at most, and how often before it is measured.
SECONDS_EACH = 2
CALLS_MAX = 2_000
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


class Growth:
    def __init__(self):
        self.installation = Installation()
        self.caller = self.installation.caller("organizations")
        self.costs = {}
        self.ids = []
        self.random = random.Random(1)

    # MARK: Data

    def import_file(self, file):
        planned = self.installation.plan(file)
        self.installation.apply(planned["id"])
        return int(planned["createdCount"])

    def fill(self):
        """Fills the tree to each size in turn."""
        # The subtree that moves, and where to.
        rows = [[COUNTY]] + [[COUNTY, f"School of the county {i}"] for i in range(1, MOVED)]
        count = self.import_file(tree.workbook(rows + [[OTHER]]))
        next_district = 0
        for size in SIZES:
            start = time.monotonic()
            while (left := (size - count) // tree.DISTRICT_SIZE) > 0:
                districts = min(left, ROWS_OF_A_FILE // tree.DISTRICT_SIZE)
                count += self.import_file(tree.districts(next_district, districts))
                next_district += districts
                print(f"  {count:,} organizations", flush=True)
            filled = time.monotonic() - start
            followed = self.installation.settle()
            self.installation.record(
                "growth", "filled", organizations=count, seconds=round(filled, 1),
                followed_seconds=round(followed, 1))
            yield size, next_district

    # MARK: Calls

    def page(self, **fields):
        return self.caller.call(
            f"{SERVICE}/ListOrganizations", organizations_pb2.ListOrganizationsRequest(**fields),
            organizations_pb2.ListOrganizationsReply)

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

    def measure(self, size, subject, body):
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
        numbers = {
            "p50_us": round(latencies[len(latencies) // 2] * 1e6),
            "p99_us": round(latencies[len(latencies) * 99 // 100] * 1e6),
            "service_us": round(service / len(latencies) * 1e6),
        }
        self.installation.record(
            "growth", subject, organizations=size, calls=len(latencies), **numbers)
        self.costs.setdefault(subject, {})[size] = numbers

    def measure_reads(self, size, districts):
        orders = {"order of changes": "", "by title": "title", "by members": "members desc"}
        far = {
            order: self.far_token(subtree=True, order_by=order) for order in orders.values()}
        self.measure(
            size, "get", lambda: self.caller.call(
                f"{SERVICE}/GetOrganization",
                organizations_pb2.GetOrganizationRequest(id=self.random.choice(self.ids)),
                organizations_pb2.Organization))
        for name, order in orders.items():
            self.measure(
                size, f"roots, {name}", lambda: self.page(page_size=PAGE, order_by=order))
            self.measure(
                size, f"all, {name}",
                lambda: self.page(page_size=PAGE, subtree=True, order_by=order))
            self.measure(
                size, f"all, {name}, far back",
                lambda: self.page(
                    page_size=PAGE, subtree=True, order_by=order, page_token=far[order]))

        def rare():
            number = self.random.randrange(districts)
            reply = self.page(page_size=PAGE, subtree=True, q=f"{number:05d}-7")
            assert len(reply.organizations) == 1 + tree.CLASSES, reply
        self.measure(size, "search, 11 have it", rare)
        for part, share in (
            ("class", "nine in ten have it"), ("school", "one in eleven has it"),
            ("district", "one in a hundred has it"), ("cl", "two characters, nine in ten"),
            ("qz", "two characters, none"),
        ):
            self.measure(
                size, f"search, {share}",
                lambda: self.page(page_size=PAGE, subtree=True, q=part))

    # MARK: Moves

    def measure_moves(self, size, state):
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
            "growth", f"move, {state}", organizations=size, moves=MOVES, **numbers)
        self.costs.setdefault(f"move, {state}", {})[size] = numbers
        return county

    def add_members(self, county):
        """One for each organization that moves."""
        membership = self.installation.caller("membership")
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

    # MARK: Everything

    def run(self):
        for size, districts in self.fill():
            self.measure_reads(size, districts)
            is_first = size == SIZES[0]
            county = self.measure_moves(size, "no members" if is_first else "1,000 members")
            if is_first:
                self.add_members(county)
                self.installation.settle()
                self.measure_moves(size, "1,000 members")
        self.report()

    def report(self):
        small, large = SIZES
        print(
            f"\n{'':36}{'µs at ' + format(small, ','):>26}{'at ' + format(large, ','):>26}"
            f"{'times':>14}\n{'':36}" + f"{'p50':>8}{'p99':>9}{'service':>9}" * 2
            + f"{'p50':>7}{'service':>9}")
        for subject, sizes in self.costs.items():
            if subject.startswith("move"):
                for size, numbers in sizes.items():
                    is_good = numbers["p50_ms"] <= MOVE_MILLISECONDS_MAX
                    print(
                        f"{subject} at {size:,}: {numbers['p50_ms']} ms, at most"
                        f" {numbers['highest_ms']} ms; wanted {MOVE_MILLISECONDS_MAX} ms:"
                        f" {'yes' if is_good else 'NO'}")
                continue
            line = f"{subject:36}"
            for size in SIZES:
                numbers = sizes[size]
                line += f"{numbers['p50_us']:8}{numbers['p99_us']:9}{numbers['service_us']:9}"
            ratios = [sizes[large][key] / sizes[small][key] for key in ("p50_us", "service_us")]
            limit = GET_RATIO_MAX if subject == "get" else LIST_RATIO_MAX
            line += "".join(f"{ratio:8.2f}" for ratio in ratios)
            print(f"{line}   wanted {limit}: {'yes' if ratios[1] <= limit else 'NO'}")


Growth().run()
