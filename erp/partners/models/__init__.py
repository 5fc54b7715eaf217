from erp.partners.models.job import ImportEffect, ImportFile, ImportIssue, ImportJob

__all__ = ["ImportEffect", "ImportFile", "ImportIssue", "ImportJob"]
