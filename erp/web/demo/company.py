"""The demo company as plain values: the same for the same seed. No database, no clock."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DemoEntity:
    code: str
    name: str
    currency: str
    country: str
    time_zone: str
    rate: Decimal  # what one US dollar costs in the entity's currency, for made-up prices
    nodes: tuple[tuple[str, str, str], ...]  # code, name, city


ENTITIES = (
    DemoEntity(
        "NEUS",
        "Crossdock Northeast",
        "USD",
        "US",
        "America/New_York",
        Decimal(1),
        (
            ("DC-NORTH", "North distribution center", "Albany"),
            ("DC-EAST", "East distribution center", "Philadelphia"),
        ),
    ),
    DemoEntity(
        "WEUS",
        "Crossdock West",
        "USD",
        "US",
        "America/Los_Angeles",
        Decimal(1),
        (
            ("DC-WEST", "West distribution center", "Reno"),
            ("DC-SOUTH", "South distribution center", "Phoenix"),
        ),
    ),
    DemoEntity(
        "EUCE",
        "Crossdock Central Europe",
        "EUR",
        "DE",
        "Europe/Berlin",
        Decimal("0.92"),
        (
            ("DC-RHINE", "Rhine distribution center", "Duisburg"),
            ("DC-ALPS", "Alpine distribution center", "Augsburg"),
        ),
    ),
    DemoEntity(
        "UKIE",
        "Crossdock Britain & Ireland",
        "GBP",
        "GB",
        "Europe/London",
        Decimal("0.79"),
        (("DC-MIDLANDS", "Midlands distribution center", "Daventry"),),
    ),
    DemoEntity(
        "NORD",
        "Crossdock Nordics",
        "SEK",
        "SE",
        "Europe/Stockholm",
        Decimal("10.4"),
        (("DC-NORDIC", "Nordic distribution center", "Jönköping"),),
    ),
)

CATEGORIES = {
    "Gloves": ("GL", ("Nitrile glove", "Latex glove", "Vinyl glove", "Cut-resistant glove"), 4, 30),
    "Drapes": ("DR", ("Sterile drape", "Surgical gown", "Isolation gown", "Bouffant cap"), 3, 26),
    "Dressings": ("DS", ("Gauze pad", "Foam dressing", "Elastic bandage", "Adhesive tape"), 1, 18),
    "Syringes": ("SY", ("Syringe", "Needle", "Infusion set", "Catheter"), 1, 22),
    "Fasteners": ("FA", ("Hex bolt", "Lock nut", "Wood screw", "Wall anchor"), 2, 15),
    "Tools": ("TO", ("Torque wrench", "Socket set", "Cordless drill", "Clamp"), 12, 240),
    "Bearings": ("BE", ("Ball bearing", "Roller bearing", "Pillow block", "Bushing"), 5, 80),
    "Electrical": ("EL", ("Circuit breaker", "Cable gland", "Contactor", "LED panel"), 4, 120),
    "Packaging": ("PK", ("Carton", "Stretch film", "Pallet strap", "Bubble mailer"), 2, 45),
    "Cleaning": ("CL", ("Floor cleaner", "Hand soap", "Disinfectant wipe", "Paper towel"), 3, 38),
}
GRADES = ("Standard", "Pro", "Heavy duty", "Comfort", "Compact", "Premium")
SIZES = ("XS", "S", "M", "L", "XL", "40 x 60", "25 mm", "50 mm", "1 l", "5 l", "10 m", "box 100")

FIRST = (
    "Halden",
    "Brightline",
    "Novak",
    "Corin",
    "Teal",
    "Marlow",
    "Ostrava",
    "Penrose",
    "Lindqvist",
    "Calder",
    "Vestry",
    "Amberly",
    "Kestrel",
    "Thornbury",
    "Rowan",
    "Sterling",
    "Juniper",
    "Baltic",
    "Harbor",
    "Summit",
    "Granite",
    "Willow",
    "Meridian",
    "Northgate",
    "Silverton",
    "Ashford",
)
SECOND = (
    "Medical",
    "Foods",
    "& Sons",
    "Supply",
    "Retail",
    "Clinics",
    "Industries",
    "Hardware",
    "Works",
    "Hospital Group",
    "Builders",
    "Logistics",
    "Outfitters",
    "Manufacturing",
    "Services",
    "Labs",
)
SUPPLIER_SECOND = ("Plastics", "Metals", "Pack", "Textiles", "Components", "Chemicals", "Trading")
CITIES = {
    "US": (
        ("Boston", "MA", "02110"),
        ("Newark", "NJ", "07102"),
        ("Denver", "CO", "80202"),
        ("Portland", "OR", "97204"),
        ("Tucson", "AZ", "85701"),
    ),
    "DE": (
        ("Köln", "NW", "50667"),
        ("München", "BY", "80331"),
        ("Wien", "", "1010"),
        ("Lyon", "", "69002"),
    ),
    "GB": (("Leeds", "", "LS1 4AP"), ("Dublin", "", "D02"), ("Bristol", "", "BS1 4DJ")),
    "SE": (("Göteborg", "", "411 03"), ("Århus", "", "8000"), ("Oslo", "", "0150")),
}
TIERS = "A" * 8 + "B" * 18 + "C" * 50 + "D" * 24
TERMS = {"A": 45, "B": 30, "C": 30, "D": 14}
LIMITS = {"A": 150_000, "B": 60_000, "C": 25_000, "D": 9_000}  # US dollars
PENALTIES = {"A": Decimal("0.02"), "B": Decimal("0.01"), "C": Decimal(0), "D": Decimal(0)}


@dataclass(frozen=True, slots=True)
class DemoProduct:
    code: str
    name: str
    category: str
    weight: Decimal
    price: Decimal  # US dollars per base unit, list
    cost: Decimal  # US dollars per base unit
    case: int  # base units in a case
    demand: float  # relative


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    code: str
    name: str
    tier: str
    entity: DemoEntity
    city: str
    region: str
    postal_code: str
    limit: Decimal  # entity's currency
    contracts: tuple[tuple[str, Decimal], ...]  # product code, share off the list
    slow_days: int  # how many days after the due date this customer pays


@dataclass(frozen=True, slots=True)
class DemoSupplier:
    code: str
    name: str
    country: str
    lead_time_days: int
    slips: int  # days by which a delivery is late at worst
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """Everything that is there before the first order."""

    products: tuple[DemoProduct, ...]
    customers: tuple[DemoCustomer, ...]
    suppliers: tuple[DemoSupplier, ...]
    entities: tuple[DemoEntity, ...] = field(default=ENTITIES)


def make_company(*, seed: int, products: int, customers: int, suppliers: int) -> Company:
    """Make a company of the given size; equal arguments make equal companies."""
    random = Random(seed)  # noqa: S311  made-up names, no secrets
    goods = tuple(_product(random, n) for n in range(products))
    buyers = tuple(_customer(random, n, goods) for n in range(customers))
    shares: list[list[str]] = [[] for _ in range(suppliers)]
    for product in goods:
        for chosen in random.sample(range(suppliers), k=min(2, suppliers)):
            shares[chosen].append(product.code)
    sellers = tuple(_supplier(random, n, tuple(codes)) for n, codes in enumerate(shares))
    return Company(products=goods, customers=buyers, suppliers=sellers)


def _product(random: Random, number: int) -> DemoProduct:
    names = list(CATEGORIES)
    category = names[number % len(names)]
    prefix, nouns, low, high = CATEGORIES[category]
    kind = number // len(names)
    noun = nouns[kind % len(nouns)]
    grade = GRADES[kind // len(nouns) % len(GRADES)]
    size = SIZES[kind // (len(nouns) * len(GRADES)) % len(SIZES)]
    price = Decimal(random.randint(low * 100, high * 100)) * CENT
    return DemoProduct(
        code=f"{prefix}-{100 + kind:03d}",
        name=f"{noun} {size}, {grade.lower()}",
        category=category,
        weight=(price * Decimal(random.randint(1, 9)) / 100).quantize(CENT) + CENT,
        price=price,
        cost=(price * Decimal(random.randint(55, 78)) / 100).quantize(CENT),
        case=random.choice((6, 10, 12, 20, 24)),
        demand=1.0 / (1 + random.randint(0, 40)),
    )


def _customer(random: Random, number: int, goods: tuple[DemoProduct, ...]) -> DemoCustomer:
    entity = ENTITIES[number % len(ENTITIES)]
    tier = TIERS[random.randrange(len(TIERS))]
    first, second = FIRST[number % len(FIRST)], SECOND[number // len(FIRST) % len(SECOND)]
    city, region, postal_code = random.choice(CITIES[entity.country])
    contracts: tuple[tuple[str, Decimal], ...] = ()
    if tier in "AB":
        chosen = random.sample(goods, k=min(15, len(goods)))
        contracts = tuple((p.code, Decimal(random.randint(3, 15)) / 100) for p in chosen)
    spread = Decimal(random.randint(70, 140)) / 100
    return DemoCustomer(
        code=f"C{1001 + number}",
        name=f"{first} {second}",
        tier=tier,
        entity=entity,
        city=city,
        region=region,
        postal_code=postal_code,
        limit=(LIMITS[tier] * entity.rate * spread).quantize(Decimal(1000)),
        contracts=contracts,
        slow_days=random.choice((0, 0, 0, 2, 3, 5, 8, 15, 25)),
    )


def _supplier(random: Random, number: int, products: tuple[str, ...]) -> DemoSupplier:
    first = FIRST[(number * 7 + 3) % len(FIRST)]
    second = SUPPLIER_SECOND[number % len(SUPPLIER_SECOND)]
    return DemoSupplier(
        code=f"S{101 + number}",
        name=f"{first} {second}",
        country=random.choice(("US", "DE", "PL", "SE", "GB", "CN")),
        lead_time_days=random.randint(4, 18),
        slips=random.choice((0, 0, 0, 1, 2, 6)),
        products=products,
    )
