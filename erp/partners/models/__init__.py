from erp.partners.models.job import ImportEffect, ImportFile, ImportIssue, ImportJob
from erp.partners.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "ImportEffect",
    "ImportFile",
    "ImportIssue",
    "ImportJob",
    "Webhook",
    "WebhookDelivery",
]
