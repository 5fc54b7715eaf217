from orders.models.blanket import Blanket, BlanketLine, CallOff
from orders.models.compliance import (
    Certificate,
    Coverage,
    ExportException,
    ExportLicence,
    ExportRestriction,
    LicenceUse,
    Purpose,
)
from orders.models.customer import CreditAccount, Customer, ShipTo
from orders.models.finding import OrderClass, SourcingPlan
from orders.models.hold import Hold
from orders.models.kit import Kit, KitComponent, KitLine
from orders.models.line import OrderLine
from orders.models.milestone import (
    Milestone,
    MilestoneNotice,
    MilestoneSubscription,
    TrackingKey,
)
from orders.models.order import Order
from orders.models.price import (
    CustomerGroup,
    CustomerProduct,
    ListHolder,
    Price,
    PriceList,
    Promotion,
)
from orders.models.promise import PromiseChange
from orders.models.quote import Quote, QuoteLine
from orders.models.reallocation import Reallocation, ReallocationChange
from orders.models.screening import DeniedParty, Party, PartyList, PartyMatch, PartyRole, Screening
from orders.models.segment import SegmentMember
from orders.models.serving import ServingPlace, ServingTerms, Substitution
from orders.models.setaside import SetAside

__all__ = [
    "Blanket",
    "BlanketLine",
    "CallOff",
    "Certificate",
    "Coverage",
    "CreditAccount",
    "Customer",
    "CustomerGroup",
    "CustomerProduct",
    "DeniedParty",
    "ExportException",
    "ExportLicence",
    "ExportRestriction",
    "Hold",
    "Kit",
    "KitComponent",
    "KitLine",
    "LicenceUse",
    "ListHolder",
    "Milestone",
    "MilestoneNotice",
    "MilestoneSubscription",
    "Order",
    "OrderClass",
    "OrderLine",
    "Party",
    "PartyList",
    "PartyMatch",
    "PartyRole",
    "Price",
    "PriceList",
    "PromiseChange",
    "Promotion",
    "Purpose",
    "Quote",
    "QuoteLine",
    "Reallocation",
    "ReallocationChange",
    "Screening",
    "SegmentMember",
    "ServingPlace",
    "ServingTerms",
    "SetAside",
    "ShipTo",
    "SourcingPlan",
    "Substitution",
    "TrackingKey",
]
