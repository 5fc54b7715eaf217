from procurement.models.purchase import PurchaseOrder, PurchaseOrderLine, PurchaseProposal
from procurement.models.supplier import ReplenishmentRule, Supplier, SupplierProduct, WaitingDemand

__all__ = [
    "PurchaseOrder",
    "PurchaseOrderLine",
    "PurchaseProposal",
    "ReplenishmentRule",
    "Supplier",
    "SupplierProduct",
    "WaitingDemand",
]
